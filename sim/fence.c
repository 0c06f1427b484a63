/* SPDX-License-Identifier: ISC */
/*
 * fence: what a node's kernel silences by itself when a lease has passed (docs/operations.md,
 * «Which fence»). BPF reads the lease and what was given up. The others end what a keeper does not
 * renew: nftables at the end of the lease that it last passed on, lifetimes in whole seconds
 * (kernel.c).
 */
#include "sim/world.h"

/* As src/keeper/fence.c has them. */
#define LIFETIME_LATE_NS   NS_PER_S
#define LIFETIME_PERIOD_NS (250 * NS_PER_MS)

bool fence_is_exact(const struct node *n)
{
	return n->fence == CHANNEL_FENCE_BPF || n->fence == CHANNEL_FENCE_NFTABLES;
}

bool fence_is_in_time(const struct node *n)
{
	const struct conf_node *node = &n->conf.node;
	int64_t least_left_ns =
		node->tolerance_ns - node->margin_ns - node->interval_ns - LIFETIME_PERIOD_NS;

	return fence_is_exact(n) ||
	       (n->fence == CHANNEL_FENCE_LIFETIME && least_left_ns >= NS_PER_S + LIFETIME_LATE_NS);
}

static bool is_renewed(const struct node *n)
{
	return n->fence == CHANNEL_FENCE_NFTABLES || n->fence == CHANNEL_FENCE_LIFETIME;
}

bool fence_silences(const struct world *w, const struct node *n, size_t group)
{
	ha_time own = node_clock(n, w->now);

	switch (n->fence) {
	case CHANNEL_FENCE_BPF: return !n->held[group].asked || time_reached(own, n->lease);
	case CHANNEL_FENCE_NFTABLES:
		return time_reached(own, keeper_is_awake(w, n) ? n->lease : n->fence_until);
	case CHANNEL_FENCE_LIFETIME:
	case CHANNEL_FENCE_WATCHDOG: break;
	}
	return false;
}

static int64_t lifetime_s(const struct world *w, const struct node *n)
{
	int64_t left_ns = time_between(node_clock(n, w->now), n->lease) - LIFETIME_LATE_NS;

	return left_ns < NS_PER_S ? 1 : left_ns / NS_PER_S;
}

void fence_is_left(struct world *w, struct node *n)
{
	struct happening h;
	ha_time own = node_clock(n, w->now), closes = n->lease;

	if (!keeper_is_awake(w, n))
		return; /* it was left before */
	n->fence_until = n->lease;
	if (n->fence == CHANNEL_FENCE_LIFETIME) {
		kernel_make_mortal(w, n, (uint32_t)lifetime_s(w, n));
		closes = time_add(own, lifetime_s(w, n) * NS_PER_S + LIFETIME_LATE_NS);
	}
	n->fence_missed = time_add(closes, n->conf.node.interval_ns);
	if (is_renewed(n) && n->running)
		schedule(w, schedule_prepare(&h, HAPPENS_UNFENCED), node_index(w, n),
			node_world_time(n, n->fence_missed));
}

bool fence_is_missed(const struct world *w, const struct node *n)
{
	ha_time own = node_clock(n, w->now);

	if (!n->keeper.runs || keeper_is_awake(w, n) || !time_reached(own, n->fence_missed))
		return false;
	/* If the lease has passed as well, it was the engine that was away. */
	for (size_t g = 0; !time_reached(own, n->lease) && g < n->conf.group_count; g++)
		if (engine_holds(n->engine, g))
			return true;
	return false;
}
