/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 6.3 (R3): "A grant lapses after one tolerance: the holder announces again, and
 * gives none to one that asks for four tolerances." 5.2: "A node holds off from a group ..."
 *
 * Nothing moves to and fro: whatever happens, one node does not take one group again and again
 * within one tolerance.
 */
#include "sim/invariants.h"

#define TAKINGS_MAX 10

void calm_check(struct world *w, const struct node *n, size_t group)
{
	struct takings *takings = &w->checks->takings[node_index(w, n)][group];

	if (time_between(takings->since, w->now) > n->conf.node.tolerance_ns)
		*takings = (struct takings){.since = w->now};
	if (++takings->count > TAKINGS_MAX)
		violated(w, "%s takes %s for the %uth time within %lld ms", n->name,
			n->conf.groups[group].name, takings->count,
			(long long)(time_between(takings->since, w->now) / NS_PER_MS));
}
