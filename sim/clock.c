/* SPDX-License-Identifier: ISC */
/* The clocks of the nodes, which run faster or slower than the world, or stand still. */
#include "sim/world.h"

#define MILLION 1000000

static int64_t stretch(int64_t duration_ns, int64_t ppm)
{
	if (ppm == 0)
		return duration_ns;
	return duration_ns + duration_ns / MILLION * ppm + duration_ns % MILLION * ppm / MILLION;
}

ha_time node_clock(const struct node *n, ha_time world)
{
	int64_t passed_ns = time_between(n->clock.world, world);

	/* Before: it is paused. */
	return passed_ns < 0 ? n->clock.own
			     : time_add(n->clock.own, stretch(passed_ns, n->clock.ppm));
}

ha_time node_world_time(const struct node *n, ha_time own)
{
	int64_t left_ns = time_between(n->clock.own, own);
	ha_time world;

	if (time_is_never(own))
		return TIME_NEVER;
	if (left_ns <= 0)
		return n->clock.world;
	world = time_add(n->clock.world, stretch(left_ns, -n->clock.ppm));
	/* That is never too late, and so is each step, but for the last ns. */
	while ((left_ns = time_between(node_clock(n, world), own)) > 0)
		world = time_add(world, left_ns > 1 ? stretch(left_ns, -n->clock.ppm) : 1);
	return world;
}

void node_set_clock(struct world *w, struct node *n, int64_t ppm)
{
	n->clock = (struct clock){.world = w->now, .own = node_clock(n, w->now), .ppm = ppm};
}
