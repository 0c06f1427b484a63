/* SPDX-License-Identifier: ISC */
/* Tests of the JSON form of events and of the wall clock's text. */
#include "wire/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "wire/heartbeat.h"

static void wall_clock_is_written_as_rfc_3339(void **state)
{
	char buffer[WALL_TEXT_SIZE];

	(void)state;
	assert_string_equal(wall_format(0, buffer), "1970-01-01T00:00:00.000Z");
	assert_string_equal(wall_format(1795410561123, buffer), "2026-11-23T05:09:21.123Z");
	assert_string_equal(wall_format(951782400000, buffer), "2000-02-29T00:00:00.000Z");
	assert_string_equal(wall_format(4107542399999, buffer), "2100-02-28T23:59:59.999Z");
	assert_string_equal(wall_format(4107542400000, buffer), "2100-03-01T00:00:00.000Z");
	assert_string_equal(wall_format(-1, buffer), "1969-12-31T23:59:59.999Z");
}

static void wall_clock_outside_four_digit_years_is_cut(void **state)
{
	char buffer[WALL_TEXT_SIZE];

	(void)state;
	assert_string_equal(wall_format(INT64_MAX, buffer), "9999-12-31T23:59:59.999Z");
	assert_string_equal(wall_format(INT64_MIN, buffer), "0000-01-01T00:00:00.000Z");
}

static void wall_clock_is_read_back(void **state)
{
	/* A step that is prime in milliseconds meets every month, leap day and hour. */
	const int64_t step_ms = 86028121 * INT64_C(11);
	char buffer[WALL_TEXT_SIZE];
	int64_t again;

	(void)state;
	for (int64_t ms = -5000000000000; ms < 5000000000000; ms += step_ms) {
		assert_true(wall_parse(wall_format(ms, buffer), &again));
		assert_int_equal(again, ms);
	}
}

static void impossible_dates_are_refused(void **state)
{
	const char *const wrong[] = {"", "now", "2026-11-23", "2026-02-29T00:00:00.000Z",
		"2026-13-01T00:00:00.000Z", "2026-00-01T00:00:00.000Z", "2026-01-01T24:00:00.000Z",
		"2026-01-01T00:60:00.000Z", "2026-01-01T00:00:00.000+", "2026-01-01T00:00:00.000Z ",
		"2026-1-01T00:00:00.000Z", "2026-01-01T0x:00:00.000Z", "2026-01-01T00:00x00.000Z",
		"2026-01-01T00:00:0x.000Z"};
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(wall_parse(wrong[i], &ms));
	assert_int_equal(ms, 7);
}

static struct report claim(void)
{
	struct report r = {.kind = REPORT_STATE,
		.level = REPORT_NOTICE,
		.at = {INT64_C(1234567890123) * NS_PER_US},
		.from = STATE_STANDBY,
		.to = STATE_ACTIVE,
		.epoch = 42};

	(void)text_copy(r.group, sizeof(r.group), "web");
	(void)text_copy(r.peer, sizeof(r.peer), "beta");
	(void)text_copy(r.text, sizeof(r.text), "beta is gone, this node is next");
	return r;
}

static void an_event_has_the_documented_keys(void **state)
{
	struct report r = claim();
	json_t *json = report_to_json(&r, 1795410561123);
	char *text = json_dumps(json, JSON_SORT_KEYS);

	(void)state;
	assert_string_equal(text,
		"{\"boottime_us\": 1234567890123, \"epoch\": 42, \"event\": \"state\", "
		"\"from\": \"STANDBY\", \"group\": \"web\", \"level\": \"notice\", "
		"\"peer\": \"beta\", \"text\": \"beta is gone, this node is next\", "
		"\"time\": \"2026-11-23T05:09:21.123Z\", \"to\": \"ACTIVE\"}");
	free(text);
	json_decref(json);
}

static void a_change_tells_its_cause_and_durations(void **state)
{
	struct report r = claim(), again;
	char fields[256];
	const char *reason;
	int64_t wall_ms;
	json_t *json;

	(void)state;
	(void)text_copy(r.cause, sizeof(r.cause), "holder-silent");
	r.lasted_us = 5000001;
	r.silence_us = 350250;
	r.took_us = 448;
	json = report_to_json(&r, 0);
	assert_true(report_from_json(json, &again, &wall_ms, &reason));
	assert_string_equal(again.cause, "holder-silent");
	assert_int_equal(again.lasted_us, 5000001);
	assert_int_equal(again.silence_us, 350250);
	assert_int_equal(again.took_us, 448);
	report_fields(&again, fields, sizeof(fields));
	assert_string_equal(fields,
		"event=state group=web peer=beta epoch=42 from=STANDBY to=ACTIVE "
		"cause=holder-silent lasted_ms=5000.001 silence_ms=350.250 took_ms=0.448");
	json_decref(json);
}

static void fields_without_a_value_are_left_out(void **state)
{
	struct report r = {.kind = REPORT_NODE, .level = REPORT_INFO};
	char fields[256];

	(void)state;
	report_fields(&r, fields, sizeof(fields));
	assert_string_equal(fields, "event=node");
}

static void keys_without_a_value_are_left_out(void **state)
{
	struct report r = {.kind = REPORT_NODE, .level = REPORT_INFO};
	json_t *json = report_to_json(&r, 0);

	(void)state;
	assert_int_equal(json_object_size(json), 5);
	assert_null(json_object_get(json, "group"));
	assert_null(json_object_get(json, "epoch"));
	json_decref(json);
}

static void an_event_survives_the_wire(void **state)
{
	struct report r = claim(), again;
	json_t *json = report_to_json(&r, 1795410561123);
	const char *reason;
	int64_t wall_ms;

	(void)state;
	assert_true(report_from_json(json, &again, &wall_ms, &reason));
	assert_int_equal(wall_ms, 1795410561123);
	assert_int_equal(again.kind, r.kind);
	assert_int_equal(again.level, r.level);
	assert_int_equal(again.at.ns, r.at.ns);
	assert_int_equal(again.from, r.from);
	assert_int_equal(again.to, r.to);
	assert_int_equal(again.epoch, r.epoch);
	assert_string_equal(again.group, r.group);
	assert_string_equal(again.peer, r.peer);
	assert_string_equal(again.text, r.text);
	json_decref(json);
}

static void each_kind_and_level_has_its_own_name(void **state)
{
	(void)state;
	for (int kind = REPORT_STATE; kind <= REPORT_HOOK; kind++) {
		struct report r = {.kind = kind, .level = REPORT_ERROR}, again;
		json_t *json = report_to_json(&r, 0);
		const char *reason;
		int64_t wall_ms;

		assert_true(report_from_json(json, &again, &wall_ms, &reason));
		assert_int_equal(again.kind, kind);
		json_decref(json);
	}
}

static void strange_bytes_do_not_cost_the_event(void **state)
{
	struct report r = claim();
	json_t *json;

	(void)state;
	(void)text_copy(r.peer, sizeof(r.peer), "be\xfft\xc3");
	json = report_to_json(&r, 0);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "peer")), "be?t?");
	json_decref(json);
}

static void other_objects_are_no_event(void **state)
{
	const char *const wrong[] = {"{}", "[]", "{\"error\": \"no\"}",
		"{\"event\": \"node\", \"level\": \"grave\"}",
		"{\"event\": \"node\", \"level\": \"info\", \"boottime_us\": 1, \"text\": \"\"}",
		"{\"event\": \"party\", \"level\": \"info\", \"boottime_us\": 1, "
		"\"time\": \"1970-01-01T00:00:00.000Z\", \"text\": \"\"}",
		"{\"event\": \"node\", \"level\": \"info\", \"boottime_us\": 1, "
		"\"time\": \"yesterday\", \"text\": \"\"}",
		"{\"event\": \"node\", \"level\": \"info\", \"boottime_us\": -1, "
		"\"time\": \"1970-01-01T00:00:00.000Z\", \"text\": \"\"}",
		"{\"event\": \"node\", \"level\": \"info\", \"boottime_us\": 1, "
		"\"time\": \"1970-01-01T00:00:00.000Z\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_t *json = json_loads(wrong[i], 0, NULL);
		const char *reason = NULL;
		struct report r;
		int64_t wall_ms;

		assert_non_null(json);
		assert_false(report_from_json(json, &r, &wall_ms, &reason));
		assert_non_null(reason);
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wall_clock_is_written_as_rfc_3339),
		cmocka_unit_test(wall_clock_outside_four_digit_years_is_cut),
		cmocka_unit_test(wall_clock_is_read_back),
		cmocka_unit_test(impossible_dates_are_refused),
		cmocka_unit_test(an_event_has_the_documented_keys),
		cmocka_unit_test(a_change_tells_its_cause_and_durations),
		cmocka_unit_test(fields_without_a_value_are_left_out),
		cmocka_unit_test(keys_without_a_value_are_left_out),
		cmocka_unit_test(an_event_survives_the_wire),
		cmocka_unit_test(each_kind_and_level_has_its_own_name),
		cmocka_unit_test(strange_bytes_do_not_cost_the_event),
		cmocka_unit_test(other_objects_are_no_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
