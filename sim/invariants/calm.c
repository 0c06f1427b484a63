/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 6.3 (R3): "A grant lapses after one tolerance, or when the grantee says that it
 * is neither ACTIVE nor ELIGIBLE: the holder announces again, and gives that node none for its
 * asking for four tolerances." 5.2: "A node holds off from a group ..."
 *
 * Nothing moves to and fro: whatever happens, one node does not take one group again and again
 * within one tolerance or a few seconds.
 */
#include "sim/invariants.h"

#define TAKINGS_MAX 10
/* Shorter than half of what holds a node off that could not configure the addresses. */
#define WINDOW_MAX_NS (4 * NS_PER_S)

void calm_check(struct world *w, const struct node *n, size_t group)
{
	struct takings *takings = &w->checks->takings[node_index(w, n)][group];

	int64_t tolerance_ns = n->conf.node.tolerance_ns;
	int64_t window_ns = tolerance_ns < WINDOW_MAX_NS ? tolerance_ns : WINDOW_MAX_NS;

	if (time_between(takings->since, w->now) > window_ns)
		*takings = (struct takings){.since = w->now};
	if (++takings->count > TAKINGS_MAX)
		violated(w, "%s takes %s for the %uth time within %lld ms", n->name,
			n->conf.groups[group].name, takings->count,
			(long long)(time_between(takings->since, w->now) / NS_PER_MS));
}
