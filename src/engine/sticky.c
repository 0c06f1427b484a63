/* SPDX-License-Identifier: ISC */
#include "engine/sticky.h"

#include "engine/addresses.h"
#include "engine/attention.h"
#include "engine/groups.h"
#include "engine/holders.h"
#include "engine/node.h"

bool group_is_sticky(const struct engine *e, size_t group)
{
	return e->conf->groups[group].policy == CONF_POLICY_STICKY;
}

void sticky_taken(struct engine *e, size_t group)
{
	e->groups[group].acknowledged = false;
}

/* Once two holders have met it is too late: both have told what they knew before, and must judge by
 * the same. */
void sticky_acknowledged(struct engine *e, size_t group, const struct ip *neighbour)
{
	struct group *g = &e->groups[group];

	if (g->acknowledged || !group_is_held(g) || g->election.contenders != 0 ||
		peers_include(e, neighbour))
		return;
	g->acknowledged = true;
	if (group_is_sticky(e, group))
		e->beat_soon = true;
}

void sticky_lost_sight(struct engine *e, struct effects *out)
{
	for (size_t g = 0; g < e->conf->group_count; g++) {
		if (!group_is_sticky(e, g) || !group_may_serve(e, g) ||
			e->groups[g].election.contenders != 0)
			continue;
		e->groups[g].acknowledged = false;
		attention_mark(e, g);
		addresses_announce(e, g, out);
	}
}
