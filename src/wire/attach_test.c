/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "wire/attach.h"

#include <cmocka.h>

static void test_round_trip(void **state)
{
	const struct attach_line before = {.worth = 65535,
		.impaired = true,
		.status = true,
		.reason = "the \"disk\" is\nfull\\"};
	struct attach_line after;
	char line[ATTACH_LINE_MAX];
	const char *error = NULL;
	size_t size = attach_encode(&before, line);

	(void)state;
	assert_int_equal(size, strlen(line));
	assert_ptr_equal(strchr(line, '\n'), line + size - 1);
	assert_true(attach_decode(line, size - 1, &after, &error));
	assert_int_equal(after.worth, 65535);
	assert_true(after.impaired && after.status && !after.ineligible);
	assert_string_equal(after.reason, before.reason);
}

/* The longest reason, all of it bytes that JSON writes with six characters. */
static void test_longest_line_fits(void **state)
{
	struct attach_line before = {0}, after;
	char line[ATTACH_LINE_MAX];
	const char *error;

	(void)state;
	memset(before.reason, 1, sizeof(before.reason) - 1);
	assert_true(attach_decode(line, attach_encode(&before, line), &after, &error));
	assert_string_equal(after.reason, before.reason);
}

static void test_nonsense_is_refused(void **state)
{
	static const char *const lines[] = {"", "{}", "[]", "nonsense",
		"{\"worth\": -1, \"impaired\": false, \"ineligible\": false, \"reason\": \"\"}",
		"{\"worth\": 65536, \"impaired\": false, \"ineligible\": false, \"reason\": \"\"}",
		"{\"worth\": 1, \"impaired\": 0, \"ineligible\": false, \"reason\": \"\"}",
		"{\"worth\": 1, \"impaired\": false, \"ineligible\": 0, \"reason\": \"\"}",
		"{\"worth\": 1, \"impaired\": false, \"ineligible\": false}"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct attach_line a;
		const char *error = NULL;

		assert_false(attach_decode(lines[i], strlen(lines[i]), &a, &error));
		assert_non_null(error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_longest_line_fits),
		cmocka_unit_test(test_nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
