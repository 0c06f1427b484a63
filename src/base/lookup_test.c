/* SPDX-License-Identifier: ISC */
#include "base/lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/id.h"

#define MANY 10000

static uint32_t keys[MANY];

static int find(const struct lookup *l, uint32_t key, size_t *ret_tries)
{
	struct lookup_search s = lookup_begin(l, key);
	size_t element;

	*ret_tries = 0;
	while (lookup_next(&s, &element)) {
		(*ret_tries)++;
		if (keys[element] == key)
			return (int)element;
	}
	return -1;
}

static void test_finds_each_of_many(void **state)
{
	size_t slots = lookup_slots(MANY), tries, all = 0;
	uint16_t *memory = malloc(slots * sizeof(*memory));
	struct lookup l = lookup_init(memory, slots);

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		keys[i] = (uint32_t)id_hash(ID_SEED, &i, sizeof(i));
		lookup_add(&l, keys[i], i);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(find(&l, keys[i], &tries), i);
		all += tries;
	}
	assert_true(all < 3 * MANY); /* a few each, however many there are */
	assert_int_equal(find(&l, 12345, &tries), -1);
	free(memory);
}

static void test_same_hash(void **state)
{
	uint16_t slots[8];
	struct lookup l = lookup_init(slots, 8);
	struct lookup_search s;
	size_t element;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		lookup_add(&l, 7, i);
	s = lookup_begin(&l, 7);
	for (size_t i = 0; i < 4; i++) {
		assert_true(lookup_next(&s, &element));
		assert_int_equal(element, i);
	}
	assert_false(lookup_next(&s, &element));
}

static void test_empty(void **state)
{
	struct lookup l = {0};
	struct lookup_search s = lookup_begin(&l, 1);
	size_t element;

	(void)state;
	assert_false(lookup_next(&s, &element));
	assert_int_equal(lookup_slots(0), 4);
	assert_int_equal(lookup_slots(2), 4);
	assert_int_equal(lookup_slots(3), 8);
	assert_int_equal(lookup_slots(10000), 32768);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_each_of_many),
		cmocka_unit_test(test_same_hash),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
