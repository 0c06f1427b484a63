/* SPDX-License-Identifier: ISC */
#include "wire/report.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "wire/heartbeat.h"
#include "wire/json.h"

#define MS_PER_DAY   INT64_C(86400000)
#define DAYS_PER_ERA 146097 /* 400 years of the Gregorian calendar */
#define DAYS_TO_1970 719468 /* from 0000-03-01, so that a leap day ends its year */
/* 0000-01-01 and 9999-12-31T23:59:59.999: the years that RFC 3339 can write. */
#define WALL_MINIMUM_MS INT64_C(-62167219200000)
#define WALL_MAXIMUM_MS INT64_C(253402300799999)

struct civil {
	int64_t year;
	int month, day;
};

static const char *const KIND_NAMES[] = {
	[REPORT_STATE] = "state",
	[REPORT_HOLDER] = "holder",
	[REPORT_PEER] = "peer",
	[REPORT_DEVICE] = "device",
	[REPORT_CONFLICT] = "conflict",
	[REPORT_ADDRESS] = "address",
	[REPORT_STEP] = "step",
	[REPORT_ACKNOWLEDGED] = "acknowledged",
	[REPORT_DROP] = "drop",
	[REPORT_NODE] = "node",
	[REPORT_HOOK] = "hook",
	[REPORT_HEALTH] = "health",
};

static const char *const LEVEL_NAMES[] = {
	[REPORT_ERROR] = "error",
	[REPORT_WARNING] = "warning",
	[REPORT_NOTICE] = "notice",
	[REPORT_INFO] = "info",
};

#define KIND_COUNT  (sizeof(KIND_NAMES) / sizeof(KIND_NAMES[0]))
#define LEVEL_COUNT (sizeof(LEVEL_NAMES) / sizeof(LEVEL_NAMES[0]))

const char *report_kind_name(enum report_kind kind)
{
	assert((size_t)kind < KIND_COUNT);
	return KIND_NAMES[kind];
}

const char *report_level_name(enum report_level level)
{
	assert((size_t)level < LEVEL_COUNT);
	return LEVEL_NAMES[level];
}

/* Sets @key unless @value is NULL, which is memory that ran out: then *@failed. Owns @value. */
static void add(json_t *object, const char *key, json_t *value, bool *failed)
{
	if (json_object_set_new(object, key, value))
		*failed = true;
}

static void add_duration(struct text *t, const char *name, int64_t us)
{
	if (us > 0)
		text_add(t, " %s_ms=%lld.%03d", name, (long long)(us / 1000), (int)(us % 1000));
}

void report_fields(const struct report *r, char *buffer, size_t size)
{
	struct text t = text_init(buffer, size);

	text_add(&t, "event=%s", report_kind_name(r->kind));
	if (*r->group)
		text_add(&t, " group=%s", r->group);
	if (*r->peer)
		text_add(&t, " peer=%s", r->peer);
	if (r->epoch)
		text_add(&t, " epoch=%llu", (unsigned long long)r->epoch);
	if (r->from)
		text_add(&t, " from=%s", node_state_name(r->from));
	if (r->to)
		text_add(&t, " to=%s", node_state_name(r->to));
	if (*r->cause)
		text_add(&t, " cause=%s", r->cause);
	add_duration(&t, "lasted", r->lasted_us);
	add_duration(&t, "silence", r->silence_us);
	add_duration(&t, "took", r->took_us);
}

static void add_change(json_t *object, const struct report *r, bool *failed)
{
	if (r->from)
		add(object, "from", json_from_text(node_state_name(r->from)), failed);
	if (r->to)
		add(object, "to", json_from_text(node_state_name(r->to)), failed);
	if (r->epoch)
		add(object, "epoch", json_from_count(r->epoch), failed);
	if (*r->cause)
		add(object, "cause", json_from_text(r->cause), failed);
	if (r->lasted_us)
		add(object, "lasted_us", json_integer(r->lasted_us), failed);
	if (r->silence_us)
		add(object, "silence_us", json_integer(r->silence_us), failed);
	if (r->took_us)
		add(object, "took_us", json_integer(r->took_us), failed);
}

json_t *report_to_json(const struct report *r, int64_t wall_ms)
{
	char time[WALL_TEXT_SIZE];
	json_t *object = json_object();
	bool failed = !object;

	add(object, "event", json_from_text(report_kind_name(r->kind)), &failed);
	add(object, "level", json_from_text(report_level_name(r->level)), &failed);
	add(object, "time", json_from_text(wall_format(wall_ms, time)), &failed);
	add(object, "boottime_us", json_integer(r->at.ns / NS_PER_US), &failed);
	if (*r->group)
		add(object, "group", json_from_text(r->group), &failed);
	if (*r->peer)
		add(object, "peer", json_from_text(r->peer), &failed);
	add_change(object, r, &failed);
	add(object, "text", json_from_text(r->text), &failed);
	if (failed) {
		json_decref(object);
		return NULL;
	}
	return object;
}

/* The index of the string member @key in @names, or -1. */
static int member_index(const json_t *json, const char *key, const char *const *names, size_t count)
{
	const char *text = json_string_value(json_object_get(json, key));

	for (size_t i = 0; text && i < count; i++) {
		if (strcmp(text, names[i]) == 0)
			return (int)i;
	}
	return -1;
}

/* A state's number, or 0 where @key is missing or names none. */
static uint8_t member_state(const json_t *json, const char *key)
{
	static const char *const STATE_NAMES[] = {"STANDBY", "ACTIVE", "SHUTDOWN"};

	return (uint8_t)(STATE_STANDBY + member_index(json, key, STATE_NAMES, 3));
}

bool report_from_json(
	const json_t *json, struct report *ret_report, int64_t *ret_wall_ms, const char **reterr)
{
	int kind = member_index(json, "event", KIND_NAMES, KIND_COUNT);
	int level = member_index(json, "level", LEVEL_NAMES, LEVEL_COUNT);
	const char *time = json_string_value(json_object_get(json, "time"));
	struct report r = {.kind = (enum report_kind)kind, .level = (enum report_level)level};
	int64_t at_us, epoch = 0;

	if (kind < 0 || level < 0) {
		*reterr = "an event without a known \"event\" and \"level\"";
		return false;
	}
	if (!time || !wall_parse(time, ret_wall_ms) ||
		!json_member_integer(json, "boottime_us", 0, INT64_MAX / NS_PER_US, &at_us)) {
		*reterr = "an event without a \"time\" and a \"boottime_us\"";
		return false;
	}
	if (!json_member_text(json, "text", r.text, sizeof(r.text))) {
		*reterr = "an event without a \"text\"";
		return false;
	}
	(void)json_member_text(json, "group", r.group, sizeof(r.group));
	(void)json_member_text(json, "peer", r.peer, sizeof(r.peer));
	(void)json_member_text(json, "cause", r.cause, sizeof(r.cause));
	(void)json_member_integer(json, "lasted_us", 0, INT64_MAX, &r.lasted_us);
	(void)json_member_integer(json, "silence_us", 0, INT64_MAX, &r.silence_us);
	(void)json_member_integer(json, "took_us", 0, INT64_MAX, &r.took_us);
	(void)json_member_integer(json, "epoch", 0, INT64_MAX, &epoch);
	r.epoch = (uint64_t)epoch;
	r.at.ns = at_us * NS_PER_US;
	r.from = member_state(json, "from");
	r.to = member_state(json, "to");
	*ret_report = r;
	return true;
}

/* Howard Hinnant's "days from civil" and its reverse: years begin in March, eras are 400 years. */
static struct civil civil_from_days(int64_t days)
{
	int64_t shifted = days + DAYS_TO_1970;
	int64_t era = (shifted >= 0 ? shifted : shifted - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
	int64_t day_of_era = shifted - era * DAYS_PER_ERA;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
				      day_of_era / (DAYS_PER_ERA - 1)) /
			      365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int month_from_march = (int)((5 * day_of_year + 2) / 153);
	int month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

	return (struct civil){
		.year = year_of_era + era * 400 + (month <= 2),
		.month = month,
		.day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
	};
}

static int64_t days_from_civil(struct civil c)
{
	int64_t year = c.year - (c.month <= 2);
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (c.month > 2 ? c.month - 3 : c.month + 9) + 2) / 5 + c.day - 1;

	return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - DAYS_TO_1970;
}

const char *wall_format(int64_t wall_ms, char buffer[WALL_TEXT_SIZE])
{
	struct text text = text_init(buffer, WALL_TEXT_SIZE);
	int64_t days, ms;
	struct civil date;

	if (wall_ms < WALL_MINIMUM_MS)
		wall_ms = WALL_MINIMUM_MS;
	if (wall_ms > WALL_MAXIMUM_MS)
		wall_ms = WALL_MAXIMUM_MS;
	ms = wall_ms % MS_PER_DAY;
	if (ms < 0)
		ms += MS_PER_DAY;
	days = (wall_ms - ms) / MS_PER_DAY;
	date = civil_from_days(days);
	text_add(&text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)date.year, date.month, date.day,
		(int)(ms / 3600000), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60),
		(int)(ms % 1000));
	return buffer;
}

/* The decimal number in exactly @width characters at *@at, which moves past them and past @end. */
static bool take_number(const char **at, int width, char end, int *ret_number)
{
	int number = 0;

	for (int i = 0; i < width; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		number = number * 10 + (**at - '0');
	}
	*ret_number = number;
	return *(*at)++ == end;
}

bool wall_parse(const char *text, int64_t *ret_wall_ms)
{
	char again[WALL_TEXT_SIZE];
	int year, hour, minute, second, ms;
	struct civil date;
	int64_t wall_ms;
	const char *at = text;

	if (!take_number(&at, 4, '-', &year) || !take_number(&at, 2, '-', &date.month) ||
		!take_number(&at, 2, 'T', &date.day) || !take_number(&at, 2, ':', &hour) ||
		!take_number(&at, 2, ':', &minute) || !take_number(&at, 2, '.', &second) ||
		!take_number(&at, 3, 'Z', &ms))
		return false;
	date.year = year;
	wall_ms = days_from_civil(date) * MS_PER_DAY +
		  ((int64_t)(hour * 60 + minute) * 60 + second) * 1000 + ms;
	/* A date that does not come back as it was written is none: 31 February, 25 o'clock. */
	if (strcmp(wall_format(wall_ms, again), text) != 0)
		return false;
	*ret_wall_ms = wall_ms;
	return true;
}
