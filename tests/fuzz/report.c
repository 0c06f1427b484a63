/* SPDX-License-Identifier: ISC */
/* fuzz_report: what `ha watch` makes of an event on the control socket; and any bytes as an instant
 * of the wall clock. What is accepted can be written again, and then stays the same. */
#include "fuzz/fuzz.h"
#include "wire/report.h"

static void check(const json_t *json)
{
	struct report first, second;
	int64_t wall_ms, wall_again_ms;
	const char *error = NULL;
	json_t *once, *twice;

	if (!report_from_json(json, &first, &wall_ms, &error)) {
		assert(error && *error != '\0');
		return;
	}
	assert_terminated(first.group);
	assert_terminated(first.peer);
	assert_terminated(first.text);
	once = report_to_json(&first, wall_ms);
	assert(once && report_from_json(once, &second, &wall_again_ms, &error));
	assert(wall_again_ms == wall_ms);
	twice = report_to_json(&second, wall_again_ms);
	assert(twice && json_equal(once, twice));
	json_decref(once);
	json_decref(twice);
}

static void check_instant(int64_t wall_ms)
{
	char text[WALL_TEXT_SIZE], again[WALL_TEXT_SIZE];
	int64_t read_ms;

	assert(wall_parse(wall_format(wall_ms, text), &read_ms));
	assert(strcmp(wall_format(read_ms, again), text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	json_t *json = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
	int64_t wall_ms;

	if (json)
		check(json);
	json_decref(json);
	if (size == sizeof(wall_ms)) {
		memcpy(&wall_ms, bytes, size);
		check_instant(wall_ms);
	}
	return 0;
}
