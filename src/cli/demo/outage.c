/* SPDX-License-Identifier: ISC */
#include "cli/demo/outage.h"

static int answerer(const struct request *r)
{
	return __atomic_load_n(&r->server, __ATOMIC_ACQUIRE);
}

struct outage outage_measure(struct requests range)
{
	struct outage outage = {0};
	const struct request *answered = range.first; /* the last one; at first a bound */

	for (size_t i = 0; i < range.count; i++) {
		const struct request *r = &range.first[i];
		const bool lost = answerer(r) == NOBODY;
		int64_t gap_ns = r->sent_ns - answered->sent_ns;

		outage.lost += lost;
		/* Only a gap with a lost request in it is an outage. */
		if ((lost || r > answered + 1) && gap_ns > outage.longest_ns)
			outage.longest_ns = gap_ns;
		if (!lost)
			answered = r;
	}
	return outage;
}

int outage_only_answerer(struct requests range)
{
	int only = range.count > 0 ? answerer(range.first) : NOBODY;

	for (size_t i = 1; i < range.count; i++) {
		if (answerer(&range.first[i]) != only)
			return NOBODY;
	}
	return only;
}

size_t outage_index_at(struct requests all, int64_t time_ns)
{
	size_t low = 0, high = all.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all.first[middle].sent_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct requests outage_between(struct requests all, int64_t begin_ns, int64_t end_ns)
{
	size_t first = outage_index_at(all, begin_ns), end = outage_index_at(all, end_ns);

	return (struct requests){
		.first = all.first + first, .count = end > first ? end - first : 0};
}
