/* SPDX-License-Identifier: ISC */
/*
 * histogram: how often durations of each size occurred, in fixed buckets that grow as 1, 2, 5, 10
 * from 10 microseconds to 10 seconds. Fixed, so that those of several nodes and days can be added;
 * small, because every peer has one. Pure.
 */
#ifndef HA_BASE_HISTOGRAM_H
#define HA_BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS  19
#define HISTOGRAM_BUCKETS (HISTOGRAM_BOUNDS + 1) /* the last one: longer than all bounds */

/* A bucket counts what is at most this long, and longer than the bound before it. */
extern const int64_t HISTOGRAM_BOUND_NS[HISTOGRAM_BOUNDS];

struct histogram {
	uint64_t count;
	int64_t sum_ns; /* stays at its maximum when it would overflow */
	int64_t max_ns;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Negative durations count as 0. */
void histogram_add(struct histogram *h, int64_t duration_ns);

/* A duration that at least @percent of those counted do not exceed: the bound of a bucket, or the
 * longest one counted if that is less. 0 if nothing was counted. */
int64_t histogram_percentile(const struct histogram *h, unsigned percent);

#endif
