/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/histogram.h"
#include "base/time.h"

static void test_bounds_grow_by_one_two_five(void **state)
{
	(void)state;
	for (size_t i = 3; i < HISTOGRAM_BOUNDS; i++)
		assert_true(HISTOGRAM_BOUND_NS[i] == 10 * HISTOGRAM_BOUND_NS[i - 3]);
	assert_true(HISTOGRAM_BOUND_NS[0] == 10 * NS_PER_US);
	assert_true(HISTOGRAM_BOUND_NS[HISTOGRAM_BOUNDS - 1] == 10 * NS_PER_S);
}

static void test_a_bound_belongs_to_its_bucket(void **state)
{
	struct histogram h = {0};

	(void)state;
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		histogram_add(&h, HISTOGRAM_BOUND_NS[i]);
		assert_int_equal(h.buckets[i], i == 0 ? 1 : 2);
		histogram_add(&h, HISTOGRAM_BOUND_NS[i] + 1);
		assert_int_equal(h.buckets[i + 1], 1);
	}
	assert_int_equal(h.count, 2 * HISTOGRAM_BOUNDS);
}

static void test_sum_and_maximum(void **state)
{
	struct histogram h = {0};

	(void)state;
	histogram_add(&h, 3 * NS_PER_MS);
	histogram_add(&h, -5);
	histogram_add(&h, 20 * NS_PER_S);
	assert_true(h.sum_ns == 3 * NS_PER_MS + 20 * NS_PER_S);
	assert_true(h.max_ns == 20 * NS_PER_S);
	assert_int_equal(h.buckets[0], 1);
	assert_int_equal(h.buckets[HISTOGRAM_BOUNDS], 1);
	histogram_add(&h, INT64_MAX);
	assert_true(h.sum_ns == INT64_MAX);
}

static void test_percentiles_are_bounds_or_the_maximum(void **state)
{
	struct histogram h = {0};

	(void)state;
	assert_true(histogram_percentile(&h, 50) == 0);
	for (int i = 0; i < 99; i++)
		histogram_add(&h, 150 * NS_PER_US);
	histogram_add(&h, 7 * NS_PER_MS);
	assert_true(histogram_percentile(&h, 50) == 200 * NS_PER_US);
	assert_true(histogram_percentile(&h, 99) == 200 * NS_PER_US);
	assert_true(histogram_percentile(&h, 100) == 7 * NS_PER_MS);
	histogram_add(&h, 15 * NS_PER_S);
	assert_true(histogram_percentile(&h, 100) == 15 * NS_PER_S);
}

static void test_one_value(void **state)
{
	struct histogram h = {0};

	(void)state;
	histogram_add(&h, 30 * NS_PER_US);
	assert_true(histogram_percentile(&h, 1) == 30 * NS_PER_US);
	assert_true(histogram_percentile(&h, 99) == 30 * NS_PER_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds_grow_by_one_two_five),
		cmocka_unit_test(test_a_bound_belongs_to_its_bucket),
		cmocka_unit_test(test_sum_and_maximum),
		cmocka_unit_test(test_percentiles_are_bounds_or_the_maximum),
		cmocka_unit_test(test_one_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
