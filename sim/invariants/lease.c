/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 6.7 (R7): "A holder may serve until its last sent heartbeat plus tolerance minus
 * margin, counted from before the sending. ... The keeper watches the same lease and takes the
 * addresses down by itself."
 *
 * By the node's own clock. A keeper that is frozen itself, or dead, enforces nothing. Then a fence
 * in the kernel does, where there is one; elsewhere it is counted, not blamed.
 */
#include "sim/invariants.h"
#include "sim/tally.h"

static int64_t lease_ns(const struct node *n)
{
	return n->announced_ns - n->margin_ns;
}

/* Nothing but the kernel is there. */
static void check_alone(struct world *w, const struct node *n, int64_t served_ns)
{
	if (served_ns <= lease_ns(n) || w->now.ns <= n->host_stalled_until.ns)
		return;
	if (w->tally && !fence_is_in_time(n))
		w->tally->unfenced++;
	for (size_t g = 0; fence_is_exact(n) && g < n->conf.group_count; g++)
		if (node_serves(w, n, g))
			violated(w, "the fence of %s lets it serve %s past its lease", n->name,
				n->conf.groups[g].name);
}

static void check_node(struct world *w, const struct node *n)
{
	ha_time own = node_clock(n, w->now);
	int64_t served_ns = time_between(n->last_sent, own);

	if (n->up_count == 0)
		return;
	if (!keeper_is_awake(w, n) || w->now.ns == n->keeper_stalled_until.ns) {
		check_alone(w, n, served_ns);
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

/* docs/protocol.md 4.1: "A peer is live from its last accepted datagram until its own announced
 * tolerance has passed, but not longer than our max-tolerance." */
static int64_t patience_ns(const struct world *w, const struct node *n, const struct node *peer)
{
	const struct hearing *hearing = &w->checks->hearing[node_index(w, n)][node_index(w, peer)];

	if (hearing->tolerance_ns < peer->conf.node.tolerance_ns)
		return hearing->tolerance_ns;
	return peer->conf.node.tolerance_ns < n->conf.node.max_tolerance_ns
		       ? peer->conf.node.tolerance_ns
		       : n->conf.node.max_tolerance_ns;
}

/* docs/protocol.md 6.10 (R8): "Its lease counts on the longer tolerance only once every live peer
 * was heard to know of it." One that has lately been heard, with a proof, is live. */
static void check_patience(struct world *w, const struct node *n)
{
	size_t i = node_index(w, n);

	for (size_t other = 0; other < w->node_count; other++) {
		const struct node *m = &w->nodes[other];
		const struct hearing *mine = &w->checks->hearing[i][other];
		const struct hearing *theirs = &w->checks->hearing[other][i];

		if (!m->running || mine->boot != m->boot || mine->named.ns == 0 ||
			time_between(mine->heard, node_clock(n, w->now)) >=
				patience_ns(w, n, m) / 2)
			continue;
		/* 3.4: one to whom this boot does not count yet has no patience with it. */
		if (theirs->boot == n->boot && theirs->sequence < n->announced_sequence)
			violated(w, "%s counts on a patience that %s has not heard of", n->name,
				m->name);
	}
}

/* What the engine gives itself, which the keeper enforces. */
void lease_given(struct world *w, const struct node *n, ha_time lease)
{
	if (time_between(n->last_sent, lease) > n->usual_ns - n->margin_ns)
		check_patience(w, n);
	if (time_between(n->last_sent, lease) > lease_ns(n))
		violated(w, "%s gives itself a longer lease than its last heartbeat allows",
			n->name);
	/* After a patience that was asked for, or a tolerance that was longer, it must. */
	if (lease.ns < n->lease.ns && n->announced_ns <= n->usual_ns &&
		n->usual_ns <= n->conf.node.tolerance_ns)
		violated(w, "%s shortens its lease", n->name);
}
