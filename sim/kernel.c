/* SPDX-License-Identifier: ISC */
/*
 * kernel: what a node's kernel has of the shared addresses. What is up stays up whatever becomes of
 * those who configured it, unless it has a lifetime.
 */
#include "sim/invariants.h"
#include "sim/world.h"

void kernel_bring_up(struct world *w, struct node *n, size_t group)
{
	struct held *held = &n->held[group];

	if (!held->up)
		n->up_count++;
	held->up = true;
	held->missing = false;
	held->up_at = w->now;
	n->mortal = false;
	invariant_changed(w, n, group);
}

void kernel_take_down(struct world *w, struct node *n, size_t group)
{
	if (!n->held[group].up)
		return;
	n->held[group].up = false;
	n->held[group].down_at = w->now;
	n->up_count--;
	invariant_changed(w, n, group);
}

void kernel_take_all_down(struct world *w, struct node *n)
{
	for (size_t g = 0; g < n->conf.group_count; g++)
		kernel_take_down(w, n, g);
}

void kernel_remove(struct world *w, struct node *n, size_t address)
{
	struct happening h;

	n->held[n->conf.addresses[address].group].missing = true;
	if (keeper_is_awake(w, n))
		keeper_looks(w, n);
	else if (n->keeper.runs)
		schedule(w, schedule_prepare(&h, HAPPENS_LOOK), node_index(w, n), w->now);
}

void kernel_restore(struct node *n, size_t address)
{
	n->held[n->conf.addresses[address].group].missing = false;
}

void kernel_make_mortal(struct world *w, struct node *n, uint32_t lifetime_s)
{
	struct happening h;
	ha_time end = time_add(node_clock(n, w->now), lifetime_s * NS_PER_S);

	n->mortal = true;
	n->mortal_until = node_world_time(n, end);
	schedule(w, schedule_prepare(&h, HAPPENS_MORTAL), node_index(w, n), n->mortal_until);
}

/* A keeper that works has renewed them, where that is its fence; elsewhere only what comes up again
 * is without end. One that is frozen sees later that they are gone. */
void kernel_ends_lifetimes(struct world *w, struct node *n)
{
	if (!n->mortal || !time_reached(w->now, n->mortal_until) ||
		(n->fence == CHANNEL_FENCE_LIFETIME && keeper_is_awake(w, n)))
		return;
	for (size_t g = 0; g < n->conf.group_count; g++)
		if (n->held[g].up && n->keeper.runs)
			kernel_remove(w, n, n->conf.groups[g].address_first);
		else
			kernel_take_down(w, n, g);
}
