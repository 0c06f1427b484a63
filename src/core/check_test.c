/* SPDX-License-Identifier: ISC */
#include "core/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct check c;
static const struct check_rules RULES = {.rise = 2, .fall = 3, .damping_ns = 30 * NS_PER_S};

static int set_up(void **state)
{
	(void)state;
	c = (struct check){0};
	return 0;
}

static ha_time at_ms(int64_t ms)
{
	return (ha_time){3600 * NS_PER_S + ms * NS_PER_MS};
}

static bool good(int64_t ms)
{
	return check_answer(&c, &RULES, at_ms(ms), true, false);
}

static bool bad(int64_t ms)
{
	return check_answer(&c, &RULES, at_ms(ms), false, false);
}

static void test_the_first_answer_decides(void **state)
{
	(void)state;
	assert_int_equal(c.verdict, CHECK_UNKNOWN);
	assert_true(good(0));
	assert_int_equal(c.verdict, CHECK_PASSING);
	c = (struct check){0};
	assert_true(bad(0));
	assert_int_equal(c.verdict, CHECK_FAILING);
	assert_false(good(10));
	assert_true(good(20)); /* the first failure is no flapping: `rise` is enough */
}

/* 18 hours of answers at intervals of 1 s: the count stays where it is, and decides as before. */
static void test_a_long_series_is_counted_to_the_end_of_its_type(void **state)
{
	(void)state;
	for (int64_t i = 0; i <= UINT16_MAX + 1; i++)
		good(i);
	assert_int_equal(c.streak, UINT16_MAX);
	assert_int_equal(c.verdict, CHECK_PASSING);
	assert_true(time_is_never(check_deadline(&c, &RULES)));
}

static void test_without_damping_nothing_is_held(void **state)
{
	static const struct check_rules undamped = {.rise = 1, .fall = 1};

	(void)state;
	for (int i = 0; i < 10; i++) {
		check_answer(&c, &undamped, at_ms(2 * i), false, false);
		assert_int_equal(check_hold_ns(&c, &undamped), 0);
		assert_true(check_answer(&c, &undamped, at_ms(2 * i + 1), true, false));
	}
	c.flaps = 3; /* from before a change of the configuration */
	assert_int_equal(check_hold_ns(&c, &undamped), 0);
}

static void test_nothing_is_reviewed_before_the_first_answer(void **state)
{
	(void)state;
	assert_false(check_review(&c, &RULES, at_ms(0)));
	assert_int_equal(c.verdict, CHECK_UNKNOWN);
}

static void test_rise_and_fall_count_in_a_row(void **state)
{
	(void)state;
	good(0);
	assert_false(bad(10));
	assert_false(bad(20));
	assert_false(good(30)); /* begins anew */
	assert_false(bad(40));
	assert_false(bad(50));
	assert_true(bad(60));
	assert_int_equal(c.verdict, CHECK_FAILING);
	assert_false(bad(70));
	assert_false(good(80));
	assert_false(bad(90));
	assert_false(good(100));
	assert_true(good(110));
	assert_int_equal(c.verdict, CHECK_PASSING);
}

/* Until the series is complete no hold can end. */
static void test_nothing_ends_by_itself_within_a_series(void **state)
{
	(void)state;
	bad(0);
	assert_true(time_is_never(check_deadline(&c, &RULES)));
	assert_false(good(10));
	assert_true(time_is_never(check_deadline(&c, &RULES)));
	assert_true(good(20));
}

static void test_the_truth_needs_no_series(void **state)
{
	(void)state;
	check_answer(&c, &RULES, at_ms(0), true, true);
	assert_true(check_answer(&c, &RULES, at_ms(10), false, true));
	assert_true(check_answer(&c, &RULES, at_ms(20), true, true));
}

/* When it passes again after beginning to fail at @ms and being good from then on. */
static int64_t recovers_after(int64_t ms)
{
	check_answer(&c, &RULES, at_ms(ms), false, true);
	assert_int_equal(c.verdict, CHECK_FAILING);
	if (check_answer(&c, &RULES, at_ms(ms), true, true))
		return 0;
	int64_t after_ns = time_between(at_ms(ms), check_deadline(&c, &RULES));

	assert_false(check_review(&c, &RULES, time_add(at_ms(ms), after_ns - 1)));
	assert_true(check_review(&c, &RULES, time_add(at_ms(ms), after_ns)));
	return after_ns / NS_PER_MS;
}

static void test_damping_doubles_up_to_its_bound(void **state)
{
	static const int64_t expected_ms[] = {
		0, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};
	int64_t now_ms = 0;

	(void)state;
	good(0);
	for (size_t i = 0; i < sizeof(expected_ms) / sizeof(expected_ms[0]); i++) {
		assert_int_equal(recovers_after(now_ms), expected_ms[i]);
		now_ms += expected_ms[i] + 1;
	}
	/* One quiet time, and all is forgotten. */
	assert_int_equal(recovers_after(now_ms + 60000), 0);
}

static void test_a_bad_answer_begins_the_hold_anew(void **state)
{
	(void)state;
	good(0);
	recovers_after(10);
	check_answer(&c, &RULES, at_ms(20), false, true);
	check_answer(&c, &RULES, at_ms(20), true, true);
	check_answer(&c, &RULES, at_ms(900), false, true); /* no new fall: it has not passed */
	check_answer(&c, &RULES, at_ms(900), true, true);
	assert_false(check_review(&c, &RULES, at_ms(1020)));
	assert_true(check_review(&c, &RULES, at_ms(1900)));
}

/* However fast it flaps, and for however long. */
static void test_flapping_is_bounded(void **state)
{
	unsigned changes = 0;

	(void)state;
	for (int64_t ms = 0; ms < 600000; ms += 10)
		changes += check_answer(&c, &RULES, at_ms(ms), ms / 10 % 4 < 2, true);
	assert_true(changes <= 4);
	for (int64_t ms = 600000; ms < 600000 + 30000; ms += 10)
		changes += good(ms);
	assert_int_equal(c.verdict, CHECK_PASSING);
}

static void test_without_damping(void **state)
{
	static const struct check_rules rules = {.rise = 1, .fall = 1};

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_true(check_answer(&c, &rules, at_ms(i), i % 2 == 0, false));
		assert_int_equal(check_hold_ns(&c, &rules), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_first_answer_decides),
		TEST(test_a_long_series_is_counted_to_the_end_of_its_type),
		TEST(test_without_damping_nothing_is_held),
		TEST(test_nothing_is_reviewed_before_the_first_answer),
		TEST(test_rise_and_fall_count_in_a_row),
		TEST(test_nothing_ends_by_itself_within_a_series),
		TEST(test_the_truth_needs_no_series),
		TEST(test_damping_doubles_up_to_its_bound),
		TEST(test_a_bad_answer_begins_the_hold_anew),
		TEST(test_flapping_is_bounded),
		TEST(test_without_damping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
