/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/candidates.h"

#include <cmocka.h>

static bool from_text(const char *text, struct candidates *ret)
{
	json_t *json = json_loads(text, 0, NULL);
	bool good = candidates_from_json(json, ret);

	json_decref(json);
	return good;
}

/* The longest list, of names that JSON writes with six characters for each. */
static void test_round_trip(void **state)
{
	struct candidates before = {.count = PEERS_MAX}, after;
	json_t *json;
	char *text;

	(void)state;
	for (size_t i = 0; i < PEERS_MAX; i++) {
		struct candidate *c = &before.list[i];

		memset(c->name, 1, sizeof(c->name) - 1);
		c->id = UINT64_MAX - i;
		c->worth = (uint16_t)(65535 - i);
		if (i > 0)
			assert_true(
				ip_parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", &c->address));
	}
	json = candidates_to_json(&before);
	text = json_dumps(json, JSON_COMPACT);
	assert_true(strlen(text) + 2 < CANDIDATES_LINE_MAX);
	assert_true(from_text(text, &after));
	assert_int_equal(after.count, PEERS_MAX);
	for (size_t i = 0; i < PEERS_MAX; i++) {
		assert_string_equal(after.list[i].name, before.list[i].name);
		assert_true(after.list[i].id == before.list[i].id);
		assert_true(ip_equal(&after.list[i].address, &before.list[i].address));
		assert_int_equal(after.list[i].worth, before.list[i].worth);
	}
	free(text);
	json_decref(json);
}

static void test_nonsense_is_refused(void **state)
{
	static const char *const texts[] = {"", "{}", "[]", "{\"candidates\": {}}",
		"{\"candidates\": [1]}", "{\"candidates\": [{\"name\": \"beta\"}]}",
		"{\"candidates\": [{\"name\": \"b\", \"id\": \"12\", \"address\": null, \"worth\": "
		"1}]}",
		"{\"candidates\": [{\"name\": \"b\", \"id\": \"00000000000000ff\", \"address\": "
		"\"here\", \"worth\": 1}]}",
		"{\"candidates\": [{\"name\": \"b\", \"id\": \"00000000000000ff\", \"address\": "
		"null, \"worth\": 65536}]}"};
	struct candidates c;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(from_text(texts[i], &c));
}

static void test_too_many_are_refused(void **state)
{
	struct candidates c = {.count = 1};
	json_t *json = candidates_to_json(&c), *list = json_object_get(json, "candidates");

	(void)state;
	while (json_array_size(list) <= PEERS_MAX)
		(void)json_array_append(list, json_array_get(list, 0));
	assert_false(candidates_from_json(json, &c));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_nonsense_is_refused),
		cmocka_unit_test(test_too_many_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
