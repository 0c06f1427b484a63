/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 7.5: in a handover, and for a moment after it, each of the two passes on to the
 * other what that one has begun.
 *
 * Only to whom the handover is with: what is passed on to anybody else is lost.
 */
#include "sim/invariants.h"

void passing_check(struct world *w, const struct node *n, const struct engine_pass *pass,
	const struct node *other)
{
	const char *group = n->conf.groups[pass->group].name;
	int64_t left_ns = time_between(node_clock(n, w->now), pass->until);
	const struct word *word;

	if (pass->until.ns == 0)
		return;
	if (left_ns > n->conf.node.tolerance_ns + NS_PER_S)
		violated(w, "%s passes %s on for too long", n->name, group);
	if (!other || other == n) {
		violated(w, "%s passes %s on to nobody", n->name, group);
		return;
	}
	word = &w->checks->words[node_index(w, n)][node_index(w, other)][pass->group];
	if (pass->service == LEASE_HANDED_ON && !word->last)
		violated(w, "%s hands %s on to %s, which is not ACTIVE", n->name, group,
			other->name);
	if (pass->service == LEASE_IN_SERVICE && !word->granted)
		violated(w, "%s passes %s back to %s, which has not granted it", n->name, group,
			other->name);
}
