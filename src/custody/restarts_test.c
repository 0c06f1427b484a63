/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "custody/restarts.h"

static ha_time at(int64_t seconds)
{
	return (ha_time){(1000 + seconds) * NS_PER_S};
}

/* Runs from @start to @end; the delay after it in seconds. */
static int64_t life(struct restarts *r, int64_t start, int64_t end)
{
	int64_t delay;

	restarts_start(r, at(start));
	delay = restarts_crash(r, at(end));
	return delay == RESTARTS_NEVER ? delay : delay / NS_PER_S;
}

static void the_first_crash_costs_no_wait(void **state)
{
	struct restarts r = {0};

	(void)state;
	assert_int_equal(life(&r, 0, 3), 0);
}

static void five_within_a_minute_are_the_end(void **state)
{
	struct restarts r = {0};

	(void)state;
	assert_int_equal(life(&r, 0, 0), 0);
	assert_int_equal(life(&r, 0, 0), 1);
	assert_int_equal(life(&r, 1, 1), 2);
	assert_int_equal(life(&r, 3, 3), 4);
	assert_int_equal(life(&r, 7, 59), RESTARTS_NEVER);
}

static void the_wait_grows_to_a_bound(void **state)
{
	static const int64_t waits[] = {0, 1, 2, 4, 8, 16, 30, 30};
	struct restarts r = {0};

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(life(&r, i * 20, i * 20 + 15), waits[i]);
}

static void a_minute_of_health_forgives(void **state)
{
	struct restarts r = {0};

	(void)state;
	assert_int_equal(life(&r, 0, 1), 0);
	assert_int_equal(life(&r, 1, 2), 1);
	assert_int_equal(life(&r, 3, 63), 0);
	assert_int_equal(life(&r, 63, 122), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_crash_costs_no_wait),
		cmocka_unit_test(five_within_a_minute_are_the_end),
		cmocka_unit_test(the_wait_grows_to_a_bound),
		cmocka_unit_test(a_minute_of_health_forgives),
	};

	return cmocka_run_group_tests_name("keeper/restarts", tests, NULL, NULL);
}
