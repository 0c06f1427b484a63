/* SPDX-License-Identifier: ISC */
#include "cli/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "cli/style.h"

#define LINE_WIDTH 96
#define NAME_WIDTH 26
#define TIME_WIDTH 9
#define TIME_SIZE  24

void render_microseconds(struct text *t, int64_t us)
{
	if (us < 1000)
		text_add(t, "%" PRId64 "us", us);
	else if (us < 100 * 1000)
		text_add(t, "%.1fms", (double)us / 1e3);
	else if (us < 10 * 1000 * 1000)
		text_add(t, "%" PRId64 "ms", us / 1000);
	else
		text_add(t, "%" PRId64 "s", us / 1000000);
}

static void add_heading(struct text *t, const char *heading, bool colour)
{
	text_add(t, "\n%s%s%s\n", colour_on(colour, COLOUR_BOLD), heading, colour_off(colour));
}

/* A key as people write it. */
static void add_words(struct text *t, const char *key)
{
	size_t start = t->length;

	text_add_foreign(t, key);
	for (char *c = t->bytes + start; *c; c++) {
		if (*c == '_')
			*c = ' ';
	}
}

/* The members of @object that are not 0 as "name 3, other 4", in lines that are not too long. */
static void add_counters(struct text *t, const char *heading, const json_t *object)
{
	size_t line = t->length;
	const char *key;
	json_t *value;
	bool first = true;

	text_add(t, "  %s:", heading);
	json_object_foreach((json_t *)object, key, value)
	{
		if (json_integer_value(value) == 0)
			continue;
		text_add(t, "%s", first ? "" : ",");
		if (t->length - line > LINE_WIDTH - NAME_WIDTH) {
			text_add(t, "\n   ");
			line = t->length;
		}
		text_add(t, " ");
		add_words(t, key);
		text_add(t, " %" JSON_INTEGER_FORMAT, json_integer_value(value));
		first = false;
	}
	text_add(t, "%s\n", first ? " none" : "");
}

static void add_time(struct text *t, const json_t *timing, const char *key)
{
	char buffer[TIME_SIZE];
	struct text time = text_init(buffer, sizeof(buffer));

	render_microseconds(&time, json_integer_value(json_object_get(timing, key)));
	text_add(t, "%*s", TIME_WIDTH, buffer);
}

static void add_timing(struct text *t, const char *prefix, const char *name, const json_t *timing)
{
	json_int_t count = json_integer_value(json_object_get(timing, "count"));
	size_t start = t->length;

	if (count == 0)
		return;
	text_add(t, "  %s", prefix);
	add_words(t, name);
	text_add(t, "%*s",
		t->length - start < NAME_WIDTH ? (int)(NAME_WIDTH - (t->length - start)) : 1, "");
	text_add(t, "%10" JSON_INTEGER_FORMAT, count);
	add_time(t, timing, "p50_us");
	add_time(t, timing, "p99_us");
	add_time(t, timing, "max_us");
	text_add(t, "\n");
}

static void add_timings(struct text *t, const json_t *metrics, bool colour)
{
	const char *key;
	json_t *value;
	size_t i;

	add_heading(t, "timings                        count   median      99%      max", colour);
	json_object_foreach(json_object_get(metrics, "timings"), key, value)
		add_timing(t, "", key, value);
	json_array_foreach(json_object_get(metrics, "peers"), i, value)
	{
		const char *name = json_string_value(json_object_get(value, "name"));

		add_timing(t, "jitter of ", name ? name : "?", json_object_get(value, "jitter"));
	}
}

void render_metrics(struct text *t, const json_t *status, bool colour)
{
	const json_t *metrics = json_object_get(status, "metrics");
	const json_t *dropped = json_object_get(json_object_get(status, "counters"), "dropped");

	add_heading(t, "since the start", colour);
	add_counters(t, "counted", json_object_get(metrics, "counters"));
	add_counters(t, "datagrams refused", dropped);
	add_counters(t, "changes of state by cause", json_object_get(metrics, "transitions"));
	add_timings(t, metrics, colour);
}
