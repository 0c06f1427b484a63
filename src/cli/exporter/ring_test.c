/* SPDX-License-Identifier: ISC */
#include "cli/exporter/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_in_order(void **state)
{
	uint64_t number = 1;
	struct ring r;

	(void)state;
	ring_init(&r);
	assert_null(ring_find(&r, &number));
	ring_add(&r, "a");
	ring_add(&r, "b");
	assert_string_equal(ring_find(&r, &number), "a");
	number++;
	assert_string_equal(ring_find(&r, &number), "b");
	number++;
	assert_null(ring_find(&r, &number));
	assert_int_equal(number, 3);
	ring_done(&r);
}

static void test_the_slow_miss_the_oldest(void **state)
{
	uint64_t number = 2;
	struct ring r;
	char line[16];

	(void)state;
	ring_init(&r);
	for (int i = 1; i <= RING_EVENTS_MAX + 10; i++) {
		(void)snprintf(line, sizeof(line), "%d", i);
		ring_add(&r, line);
	}
	assert_string_equal(ring_find(&r, &number), "11");
	assert_int_equal(number, 11);
	ring_done(&r);
}

static void test_a_number_of_an_earlier_life(void **state)
{
	uint64_t number = 9999;
	struct ring r;

	(void)state;
	ring_init(&r);
	ring_add(&r, "a");
	assert_string_equal(ring_find(&r, &number), "a");
	assert_int_equal(number, 1);
	ring_done(&r);
}

static void test_what_is_too_long_is_left_out(void **state)
{
	static char line[RING_LINE_MAX + 1];
	uint64_t number = 1;
	struct ring r;

	(void)state;
	memset(line, 'x', RING_LINE_MAX);
	ring_init(&r);
	ring_add(&r, line);
	assert_null(ring_find(&r, &number));
	ring_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_the_slow_miss_the_oldest),
		cmocka_unit_test(test_a_number_of_an_earlier_life),
		cmocka_unit_test(test_what_is_too_long_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
