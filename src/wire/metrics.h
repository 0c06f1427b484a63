/* SPDX-License-Identifier: ISC */
/*
 * metrics: what is counted and timed, as a value, and its JSON form: the member "metrics" of the
 * status. Everything counts since the engine started, or the first of those that have followed each
 * other (R8, record_metrics.h: by number, so what is added goes to the end of its list). Names are
 * the keys in JSON and, with "ha_" in front and the unit behind, those of the exporter's metrics:
 * they may be added to, never renamed.
 */
#ifndef HA_WIRE_METRICS_H
#define HA_WIRE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/histogram.h"
#include "core/cause.h"

enum metric_counter {
	METRIC_HEARTBEATS_SENT,         /* to all; left by at least one path */
	METRIC_HEARTBEATS_SENT_UNICAST, /* R9: copies for those that hear nothing else */
	METRIC_SEND_FAILURES,           /* heartbeats that left by no path */
	METRIC_HEARTBEATS_RECEIVED,     /* accepted */
	METRIC_STALLS,                  /* times that this node did not run when it should have */
	METRIC_PEERS_LOST,              /* peers that fell silent */
	METRIC_CLAIMS,                  /* addresses of a group that the keeper was asked to take */
	METRIC_CLAIMS_WITHHELD,         /* R11: not made, as a holder was not heard but answered */
	METRIC_RELEASES,                /* ... to take down */
	METRIC_ANNOUNCEMENTS,           /* sets of broadcasts about an address, after the first */
	METRIC_REQUESTS,                /* neighbours that were asked again to acknowledge */
	METRIC_ACKNOWLEDGEMENTS,        /* neighbours that did */
	METRIC_PROBES,                  /* questions whether somebody else has an address */
	METRIC_CONFLICTS,     /* claims of a host outside the cluster that were answered */
	METRIC_RESTORED,      /* addresses that somebody removed and that were put back */
	METRIC_CHECKS_FAILED, /* times that a health check began to fail */
	METRIC_CHECKS_PASSED, /* ... and to pass */
	METRIC_HOOKS_STARTED,
	METRIC_HOOKS_FAILED,  /* exited with another status than 0, by a signal, or never began */
	METRIC_HOOKS_KILLED,  /* took too long */
	METRIC_HOOKS_SKIPPED, /* changes that were left out because hooks did not keep up */
	METRIC_REPORTS_LOST,  /* events that were not told: too many at once */
	METRIC_HISTORY_LOST,  /* transitions that the history does not hold: its disk was slow */
	METRIC_COUNTERS
};

enum metric_timing {
	METRIC_BEAT_LATENESS,         /* our own heartbeats, after they were due */
	METRIC_TAKEOVER_SILENCE,      /* from the last word of a silent holder to the decision */
	METRIC_TAKEOVER_ANNOUNCED,    /* ... to the first announcement, by the keeper's clock */
	METRIC_TAKEOVER_UP,           /* from the decision to all addresses up and announced */
	METRIC_TAKEOVER_TOLD,         /* from the decision to the heartbeat that says so */
	METRIC_TAKEOVER_ACKNOWLEDGED, /* from the decision to the first neighbour's answer */
	METRIC_RELEASE,               /* from the decision to the addresses being down */
	METRIC_TIMINGS
};

struct metrics {
	uint64_t counters[METRIC_COUNTERS];
	uint64_t transitions[ELECTION_CAUSES_MAX]; /* by enum election_cause */
	struct histogram timings[METRIC_TIMINGS];
};

static inline void metrics_count(struct metrics *m, enum metric_counter counter)
{
	m->counters[counter]++;
}

static inline void metrics_time(struct metrics *m, enum metric_timing timing, int64_t duration_ns)
{
	histogram_add(&m->timings[timing], duration_ns);
}

const char *metric_counter_name(enum metric_counter counter);
const char *metric_timing_name(enum metric_timing timing);

/* {"counters": {...}, "transitions": {cause: count}, "bounds_us": [...], "timings": {name: {...}}}:
 * a new object, owned by the caller; NULL if memory ran out. */
json_t *metrics_to_json(const struct metrics *m);

/* {"count", "sum_us", "max_us", "p50_us", "p99_us", "buckets": [...]}: how many fell into each
 * bucket, the last one being beyond all bounds. */
json_t *histogram_to_json(const struct histogram *h);

#endif
