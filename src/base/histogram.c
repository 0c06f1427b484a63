/* SPDX-License-Identifier: ISC */
#include "base/histogram.h"

#include "base/assert.h"
#include "base/time.h"

const int64_t HISTOGRAM_BOUND_NS[HISTOGRAM_BOUNDS] = {
	10 * NS_PER_US,
	20 * NS_PER_US,
	50 * NS_PER_US,
	100 * NS_PER_US,
	200 * NS_PER_US,
	500 * NS_PER_US,
	1 * NS_PER_MS,
	2 * NS_PER_MS,
	5 * NS_PER_MS,
	10 * NS_PER_MS,
	20 * NS_PER_MS,
	50 * NS_PER_MS,
	100 * NS_PER_MS,
	200 * NS_PER_MS,
	500 * NS_PER_MS,
	1 * NS_PER_S,
	2 * NS_PER_S,
	5 * NS_PER_S,
	10 * NS_PER_S,
};

void histogram_add(struct histogram *h, int64_t duration_ns)
{
	size_t bucket = 0;

	if (duration_ns < 0)
		duration_ns = 0;
	while (bucket < HISTOGRAM_BOUNDS && duration_ns > HISTOGRAM_BOUND_NS[bucket])
		bucket++;
	h->buckets[bucket]++;
	h->count++;
	if (__builtin_add_overflow(h->sum_ns, duration_ns, &h->sum_ns))
		h->sum_ns = INT64_MAX;
	if (duration_ns > h->max_ns)
		h->max_ns = duration_ns;
}

int64_t histogram_percentile(const struct histogram *h, unsigned percent)
{
	uint64_t counted = 0;

	assert(percent <= 100);
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		counted += h->buckets[i];
		/* Divided first: a count times 100 could overflow. */
		if (counted > 0 &&
			h->count - counted <= h->count / 100 * (100 - percent) +
						      h->count % 100 * (100 - percent) / 100)
			return HISTOGRAM_BOUND_NS[i] < h->max_ns ? HISTOGRAM_BOUND_NS[i]
								 : h->max_ns;
	}
	return h->max_ns;
}
