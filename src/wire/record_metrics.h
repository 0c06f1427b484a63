/* SPDX-License-Identifier: ISC */
/*
 * record_metrics: what an engine has counted and timed, as a part of its record (record.h), so that
 * counters do not go back when it is replaced. Each list has its length (1) in front: one that
 * knows more begins the others at 0, one that knows less passes over them.
 */
#ifndef HA_WIRE_RECORD_METRICS_H
#define HA_WIRE_RECORD_METRICS_H

#include <stdint.h>

#include "base/histogram.h"
#include "wire/bytes.h"
#include "wire/heartbeat.h"
#include "wire/metrics.h"

/* At their largest. */
#define RECORD_HISTOGRAM_SIZE (1 + 8 * (2 + HISTOGRAM_BUCKETS))
#define RECORD_METRICS_SIZE                                                                        \
	(4 + 8 * (METRIC_COUNTERS + ELECTION_CAUSES + HEARTBEAT_DROP_REASONS) +                    \
		METRIC_TIMINGS * RECORD_HISTOGRAM_SIZE)

struct record_metrics {
	struct metrics metrics;
	uint64_t dropped[HEARTBEAT_DROP_REASONS];
};

void record_put_metrics(struct writer *w, const struct record_metrics *m);
void record_put_histogram(struct writer *w, const struct histogram *h);

/* What is not there, as an older version left it out, is 0. The reader has failed if a value is
 * impossible. */
void record_take_metrics(struct reader *r, struct record_metrics *ret_metrics);
void record_take_histogram(struct reader *r, struct histogram *ret_histogram);

#endif
