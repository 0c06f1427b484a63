/* SPDX-License-Identifier: ISC */
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_never_is_after_everything(void **state)
{
	(void)state;
	assert_true(time_is_never(time_add(TIME_NEVER, 1)));
	assert_true(time_is_never(time_add((ha_time){INT64_MAX - 1}, 2)));
	assert_int_equal(time_add((ha_time){5}, -3).ns, 2);
	assert_false(time_reached((ha_time){INT64_MAX - 1}, TIME_NEVER));
}

static void test_comparing(void **state)
{
	const ha_time early = {1}, late = {2};

	(void)state;
	assert_int_equal(time_min(early, late).ns, 1);
	assert_int_equal(time_min(late, early).ns, 1);
	assert_int_equal(time_max(early, late).ns, 2);
	assert_int_equal(time_max(late, early).ns, 2);
	assert_int_equal(time_between(late, early), -1);
	assert_true(time_reached(late, late));
	assert_false(time_reached(early, late));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_is_after_everything),
		cmocka_unit_test(test_comparing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
