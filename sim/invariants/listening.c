/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 6.1 (R1): "A node starts in STANDBY and listens for one full tolerance: the
 * largest announced by any node that it hears, at least its own." And 6.7 (R7): "One that finds its
 * lease passed releases, does not say ACTIVE any more, and begins at R1."
 *
 * By its own clock, from its start or from the moment its addresses went down with its lease.
 */
#include "sim/invariants.h"

void listening_begins(struct world *w, const struct node *n, size_t group)
{
	w->checks->listens_since[node_index(w, n)][group] = node_clock(n, w->now);
}

void listening_check(struct world *w, const struct node *n, size_t group)
{
	int64_t listened_ns = time_between(
		w->checks->listens_since[node_index(w, n)][group], node_clock(n, w->now));

	if (listened_ns < n->conf.node.tolerance_ns)
		violated(w, "%s claims %s after listening for %lld us only", n->name,
			n->conf.groups[group].name, (long long)(listened_ns / NS_PER_US));
}
