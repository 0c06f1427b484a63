/* SPDX-License-Identifier: ISC */
#include "core/announce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Not at zero, so that a time that was never set shows. */
#define START_MS 1000000

static ha_time at(int64_t after_start_ms)
{
	return (ha_time){(START_MS + after_start_ms) * NS_PER_MS};
}

static void expect(struct announce *a, int64_t after_start_ms, unsigned due)
{
	ha_time deadline = announce_deadline(a);

	if (deadline.ns != at(after_start_ms).ns)
		fail_msg("due %lld ms after the start, not %lld ms",
			(long long)(time_between(at(0), deadline) / NS_PER_MS),
			(long long)after_start_ms);
	assert_int_equal(announce_take_due(a, (ha_time){deadline.ns - 1}), ANNOUNCE_NOTHING);
	assert_int_equal(announce_take_due(a, deadline), due);
	assert_int_equal(announce_take_due(a, deadline), ANNOUNCE_NOTHING);
}

/* docs/protocol.md 8.3, to the millisecond. */
static void test_schedule(void **state)
{
	static const struct {
		int64_t at_ms;
		unsigned due;
	} schedule[] = {
		{5, ANNOUNCE_REQUESTS},
		{20, ANNOUNCE_BROADCAST + ANNOUNCE_REQUESTS},
		{60, ANNOUNCE_REQUESTS},
		{100, ANNOUNCE_BROADCAST},
		{150, ANNOUNCE_REQUESTS},
		{400, ANNOUNCE_BROADCAST + ANNOUNCE_REQUESTS},
		{1100, ANNOUNCE_BROADCAST},
		{2200, ANNOUNCE_BROADCAST},
		{5000, ANNOUNCE_BROADCAST},
		{65000, ANNOUNCE_BROADCAST},
		{125000, ANNOUNCE_BROADCAST},
		{185000, ANNOUNCE_BROADCAST},
	};
	struct announce a;

	(void)state;
	announce_start(&a, at(0));
	for (size_t i = 0; i < sizeof(schedule) / sizeof(schedule[0]); i++)
		expect(&a, schedule[i].at_ms, schedule[i].due);
}

static void test_acknowledged_ends_the_requests(void **state)
{
	struct announce a;

	(void)state;
	announce_start(&a, at(0));
	expect(&a, 5, ANNOUNCE_REQUESTS);
	announce_acknowledged(&a);
	expect(&a, 20, ANNOUNCE_BROADCAST);
	expect(&a, 100, ANNOUNCE_BROADCAST);
	announce_start(&a, at(100)); /* as if just taken: everybody is asked anew */
	expect(&a, 105, ANNOUNCE_REQUESTS);
}

/* The first set could not go out: it is due at once, and the repetitions follow. */
static void test_begin(void **state)
{
	struct announce a;

	(void)state;
	announce_begin(&a, at(0));
	expect(&a, 0, ANNOUNCE_BROADCAST + ANNOUNCE_REQUESTS);
	expect(&a, 20, ANNOUNCE_REQUESTS);
	expect(&a, 60, ANNOUNCE_REQUESTS);
	expect(&a, 100, ANNOUNCE_BROADCAST);
}

static void test_stop(void **state)
{
	struct announce a;

	(void)state;
	announce_start(&a, at(0));
	announce_stop(&a);
	assert_true(time_is_never(announce_deadline(&a)));
	assert_int_equal(announce_take_due(&a, at(100000)), ANNOUNCE_NOTHING);
}

/* A node that did not run for a while sends once what it missed, and then goes on by the schedule.
 */
static void test_missed_steps_are_made_up_for_by_one(void **state)
{
	struct announce a;

	(void)state;
	announce_start(&a, at(0));
	assert_int_equal(announce_take_due(&a, at(110)), ANNOUNCE_BROADCAST + ANNOUNCE_REQUESTS);
	expect(&a, 150, ANNOUNCE_REQUESTS);
	expect(&a, 400, ANNOUNCE_BROADCAST + ANNOUNCE_REQUESTS);
	assert_int_equal(announce_take_due(&a, at(600000)), ANNOUNCE_BROADCAST);
	expect(&a, 660000, ANNOUNCE_BROADCAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedule),
		cmocka_unit_test(test_acknowledged_ends_the_requests),
		cmocka_unit_test(test_begin),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_missed_steps_are_made_up_for_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
