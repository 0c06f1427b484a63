/* SPDX-License-Identifier: ISC */
#include "cli/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char buffer[4096];

static const char *rendered(const char *json)
{
	json_t *status = json_loads(json, 0, NULL);
	struct text t = text_init(buffer, sizeof(buffer));

	assert_non_null(status);
	render_metrics(&t, status, false);
	json_decref(status);
	return buffer;
}

static const char *microseconds(int64_t us)
{
	struct text t = text_init(buffer, sizeof(buffer));

	render_microseconds(&t, us);
	return buffer;
}

static void test_durations(void **state)
{
	(void)state;
	assert_string_equal(microseconds(0), "0us");
	assert_string_equal(microseconds(999), "999us");
	assert_string_equal(microseconds(1250), "1.2ms");
	assert_string_equal(microseconds(150000), "150ms");
	assert_string_equal(microseconds(12000000), "12s");
}

static void test_what_is_zero_is_left_out(void **state)
{
	const char *text =
		rendered("{\"metrics\": {\"counters\": {\"heartbeats_sent\": 5, \"claims\": 0},"
			 "\"transitions\": {\"granted\": 0}, \"timings\": {}, \"peers\": []},"
			 "\"counters\": {\"dropped\": {\"forged\": 3, \"own\": 2}}}");

	(void)state;
	assert_non_null(strstr(text, "counted: heartbeats sent 5\n"));
	assert_non_null(strstr(text, "refused: forged 3, own 2\n"));
	assert_non_null(strstr(text, "by cause: none\n"));
}

static void test_timings_are_a_table(void **state)
{
	const char *text = rendered(
		"{\"metrics\": {\"timings\": {\"takeover_up\": {\"count\": 2, \"p50_us\": 500,"
		"\"p99_us\": 2000, \"max_us\": 1700}, \"release\": {\"count\": 0}},"
		"\"peers\": [{\"name\": \"b\\u001b\", \"jitter\": {\"count\": 9}}]}}");

	(void)state;
	assert_non_null(
		strstr(text, "  takeover up                      2    500us    2.0ms    1.7ms\n"));
	assert_null(strstr(text, "release"));
	assert_non_null(strstr(text, "jitter of b? "));
}

static void test_an_older_daemon_tells_nothing(void **state)
{
	(void)state;
	assert_non_null(strstr(rendered("{}"), "counted: none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_what_is_zero_is_left_out),
		cmocka_unit_test(test_timings_are_a_table),
		cmocka_unit_test(test_an_older_daemon_tells_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
