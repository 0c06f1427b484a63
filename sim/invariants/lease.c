/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 6.7 (R7): "A holder may serve until its last sent heartbeat plus tolerance minus
 * margin, counted from before the sending. ... The keeper watches the same lease and takes the
 * addresses down by itself."
 *
 * By the node's own clock. A keeper that is frozen itself enforces nothing: that is counted, not
 * blamed, until a fence in the kernel does.
 */
#include "sim/invariants.h"
#include "sim/tally.h"

static int64_t lease_ns(const struct node *n)
{
	return n->conf.node.tolerance_ns - n->conf.node.margin_ns;
}

static void check_node(struct world *w, const struct node *n)
{
	ha_time own = node_clock(n, w->now);
	int64_t served_ns = time_between(n->last_sent, own);

	if (n->up_count == 0)
		return;
	if (w->now.ns <= n->keeper_stalled_until.ns) {
		if (w->tally && served_ns > lease_ns(n) && w->now.ns > n->host_stalled_until.ns)
			w->tally->unfenced++;
		return;
	}
	tally_seen(w->tally, BOUND_LEASE, served_ns, lease_ns(n));
	for (size_t g = 0; served_ns > lease_ns(n) && g < n->conf.group_count; g++)
		if (n->held[g].up)
			violated(w, "%s serves %s longer than its last heartbeat allows", n->name,
				n->conf.groups[g].name);
}

void lease_check(struct world *w)
{
	for (size_t i = 0; i < w->node_count; i++)
		check_node(w, &w->nodes[i]);
}

/* What the engine gives itself, which the keeper enforces. */
void lease_given(struct world *w, const struct node *n, ha_time lease)
{
	if (time_between(n->last_sent, lease) > lease_ns(n))
		violated(w, "%s gives itself a longer lease than its last heartbeat allows",
			n->name);
	if (lease.ns < n->lease.ns)
		violated(w, "%s shortens its lease", n->name);
}
