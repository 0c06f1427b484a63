/* SPDX-License-Identifier: ISC */
#include "wire/record_metrics.h"

#include "base/assert.h"
#include "core/election.h"

#define COUNT_MAX (UINT64_C(1) << 56) /* so that sums of them, and counting on, cannot overflow */

static_assert(METRIC_COUNTERS <= UINT8_MAX && HEARTBEAT_DROP_REASONS <= UINT8_MAX,
	"lengths are one octet");

static void put_list(struct writer *w, const uint64_t *list, size_t count)
{
	writer_u8(w, (uint8_t)count);
	for (size_t i = 0; i < count; i++)
		writer_u64(w, list[i]);
}

void record_put_histogram(struct writer *w, const struct histogram *h)
{
	put_list(w, h->buckets, HISTOGRAM_BUCKETS);
	writer_u64(w, (uint64_t)h->sum_ns);
	writer_u64(w, (uint64_t)h->max_ns);
}

void record_put_metrics(struct writer *w, const struct record_metrics *m)
{
	put_list(w, m->metrics.counters, METRIC_COUNTERS);
	put_list(w, m->metrics.transitions, ELECTION_CAUSES);
	put_list(w, m->dropped, HEARTBEAT_DROP_REASONS);
	writer_u8(w, METRIC_TIMINGS);
	for (size_t i = 0; i < METRIC_TIMINGS; i++)
		record_put_histogram(w, &m->metrics.timings[i]);
}

static size_t take_length(struct reader *r)
{
	return r->failed || r->left == 0 ? 0 : reader_u8(r);
}

static void take_list(struct reader *r, uint64_t *ret_list, size_t known)
{
	size_t count = take_length(r);

	for (size_t i = 0; i < count && !r->failed; i++) {
		uint64_t number = reader_u64(r);

		r->failed = r->failed || number > COUNT_MAX;
		if (i < known && !r->failed)
			ret_list[i] = number;
	}
}

static int64_t take_duration(struct reader *r)
{
	int64_t ns = (int64_t)reader_u64(r);

	r->failed = r->failed || ns < 0;
	return r->failed ? 0 : ns;
}

/* Other buckets cannot be compared with ours: then all of it begins anew. */
void record_take_histogram(struct reader *r, struct histogram *h)
{
	size_t count;

	*h = (struct histogram){0};
	if (r->failed || r->left == 0)
		return;
	count = *r->at;
	take_list(r, h->buckets, HISTOGRAM_BUCKETS);
	h->sum_ns = take_duration(r);
	h->max_ns = take_duration(r);
	if (r->failed || count != HISTOGRAM_BUCKETS) {
		*h = (struct histogram){0};
		return;
	}
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->count += h->buckets[i];
}

void record_take_metrics(struct reader *r, struct record_metrics *m)
{
	size_t timings;

	*m = (struct record_metrics){0};
	take_list(r, m->metrics.counters, METRIC_COUNTERS);
	take_list(r, m->metrics.transitions, ELECTION_CAUSES);
	take_list(r, m->dropped, HEARTBEAT_DROP_REASONS);
	timings = take_length(r);
	for (size_t i = 0; i < timings && !r->failed; i++) {
		struct histogram more;

		record_take_histogram(r, i < METRIC_TIMINGS ? &m->metrics.timings[i] : &more);
	}
}
