/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "wire/metrics.h"

static json_int_t integer(const json_t *json, const char *part, const char *key)
{
	const json_t *member = json_object_get(json_object_get(json, part), key);

	assert_true(json_is_integer(member));
	return json_integer_value(member);
}

static void test_every_metric_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < METRIC_COUNTERS; i++) {
		assert_non_null(metric_counter_name((enum metric_counter)i));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(metric_counter_name((enum metric_counter)i),
				metric_counter_name((enum metric_counter)j));
	}
	for (int i = 0; i < METRIC_TIMINGS; i++)
		assert_non_null(metric_timing_name((enum metric_timing)i));
}

static void test_every_cause_has_a_name_and_room(void **state)
{
	int count = 0;

	(void)state;
	while (election_cause_name((enum election_cause)count))
		count++;
	assert_true(count > ELECTION_HOLD_FAILED && count <= ELECTION_CAUSES_MAX);
}

static void test_json(void **state)
{
	struct metrics m = {0};
	json_t *json, *timing;

	(void)state;
	metrics_count(&m, METRIC_CLAIMS);
	metrics_count(&m, METRIC_CLAIMS);
	m.transitions[ELECTION_GRANTED] = 7;
	metrics_time(&m, METRIC_BEAT_LATENESS, 150 * NS_PER_US);
	json = metrics_to_json(&m);
	assert_non_null(json);
	assert_int_equal(integer(json, "counters", "claims"), 2);
	assert_int_equal(integer(json, "transitions", "granted"), 7);
	assert_int_equal(json_array_size(json_object_get(json, "bounds_us")), HISTOGRAM_BOUNDS);
	timing = json_object_get(json_object_get(json, "timings"), "heartbeat_lateness");
	assert_int_equal(json_integer_value(json_object_get(timing, "count")), 1);
	assert_int_equal(json_integer_value(json_object_get(timing, "sum_us")), 150);
	assert_int_equal(json_array_size(json_object_get(timing, "buckets")), HISTOGRAM_BUCKETS);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_metric_has_a_name_of_its_own),
		cmocka_unit_test(test_every_cause_has_a_name_and_room),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
