/* SPDX-License-Identifier: ISC */
#include "wire/metrics.h"

#include "base/assert.h"
#include "base/time.h"
#include "wire/json.h"

static const char *const COUNTER_NAMES[METRIC_COUNTERS] = {
	[METRIC_HEARTBEATS_SENT] = "heartbeats_sent",
	[METRIC_HEARTBEATS_SENT_UNICAST] = "heartbeats_sent_unicast",
	[METRIC_SEND_FAILURES] = "send_failures",
	[METRIC_HEARTBEATS_RECEIVED] = "heartbeats_received",
	[METRIC_STALLS] = "stalls",
	[METRIC_PEERS_LOST] = "peers_lost",
	[METRIC_CLAIMS] = "claims",
	[METRIC_CLAIMS_WITHHELD] = "claims_withheld",
	[METRIC_RELEASES] = "releases",
	[METRIC_ANNOUNCEMENTS] = "announcements",
	[METRIC_REQUESTS] = "requests",
	[METRIC_ACKNOWLEDGEMENTS] = "acknowledgements",
	[METRIC_PROBES] = "probes",
	[METRIC_CONFLICTS] = "conflicts",
	[METRIC_RESTORED] = "restored",
	[METRIC_CHECKS_FAILED] = "checks_failed",
	[METRIC_CHECKS_PASSED] = "checks_passed",
	[METRIC_HOOKS_STARTED] = "hooks_started",
	[METRIC_HOOKS_FAILED] = "hooks_failed",
	[METRIC_HOOKS_KILLED] = "hooks_killed",
	[METRIC_HOOKS_SKIPPED] = "hooks_skipped",
	[METRIC_REPORTS_LOST] = "reports_lost",
	[METRIC_HISTORY_LOST] = "history_lost",
};

static const char *const TIMING_NAMES[METRIC_TIMINGS] = {
	[METRIC_BEAT_LATENESS] = "heartbeat_lateness",
	[METRIC_TAKEOVER_SILENCE] = "takeover_silence",
	[METRIC_TAKEOVER_ANNOUNCED] = "takeover_announced",
	[METRIC_TAKEOVER_UP] = "takeover_up",
	[METRIC_TAKEOVER_TOLD] = "takeover_told",
	[METRIC_TAKEOVER_ACKNOWLEDGED] = "takeover_acknowledged",
	[METRIC_RELEASE] = "release",
};

const char *metric_counter_name(enum metric_counter counter)
{
	assert((size_t)counter < METRIC_COUNTERS);
	return COUNTER_NAMES[counter];
}

const char *metric_timing_name(enum metric_timing timing)
{
	assert((size_t)timing < METRIC_TIMINGS);
	return TIMING_NAMES[timing];
}

/* Sets @key to @value, which it owns; @object is gone, and the answer NULL, if memory ran out. */
static json_t *set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) == 0)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *append(json_t *array, json_t *item)
{
	if (json_array_append_new(array, item) == 0)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *counters_to_json(const struct metrics *m)
{
	json_t *object = json_object();

	for (int i = 0; object && i < METRIC_COUNTERS; i++)
		object = set(object, COUNTER_NAMES[i], json_from_count(m->counters[i]));
	return object;
}

static json_t *transitions_to_json(const struct metrics *m)
{
	json_t *object = json_object();
	const char *name;

	for (int i = 0; object && (name = election_cause_name((enum election_cause)i)); i++)
		object = set(object, name, json_from_count(m->transitions[i]));
	return object;
}

static json_t *bounds_to_json(void)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < HISTOGRAM_BOUNDS; i++)
		array = append(array, json_integer(HISTOGRAM_BOUND_NS[i] / NS_PER_US));
	return array;
}

static json_t *buckets_to_json(const struct histogram *h)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < HISTOGRAM_BUCKETS; i++)
		array = append(array, json_from_count(h->buckets[i]));
	return array;
}

json_t *histogram_to_json(const struct histogram *h)
{
	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:o}", "count", json_from_count(h->count),
		"sum_us", (json_int_t)(h->sum_ns / NS_PER_US), "max_us",
		(json_int_t)(h->max_ns / NS_PER_US), "p50_us",
		(json_int_t)(histogram_percentile(h, 50) / NS_PER_US), "p99_us",
		(json_int_t)(histogram_percentile(h, 99) / NS_PER_US), "buckets",
		buckets_to_json(h));
}

static json_t *timings_to_json(const struct metrics *m)
{
	json_t *object = json_object();

	for (int i = 0; object && i < METRIC_TIMINGS; i++)
		object = set(object, TIMING_NAMES[i], histogram_to_json(&m->timings[i]));
	return object;
}

json_t *metrics_to_json(const struct metrics *m)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "counters", counters_to_json(m), "transitions",
		transitions_to_json(m), "bounds_us", bounds_to_json(), "timings",
		timings_to_json(m));
}
