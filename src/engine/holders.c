/* SPDX-License-Identifier: ISC */
#include "engine/holders.h"

#include "engine/groups.h"
#include "engine/inputs.h"
#include "engine/node.h"
#include "engine/peers.h"
#include "engine/suspicion.h"
#include "engine/tables.h"

enum node_state group_state(const struct group *g)
{
	switch (g->election.phase) {
	case ELECTION_ACTIVE: return STATE_ACTIVE;
	case ELECTION_RELEASING: /* the addresses are up, if they ever were */
		return g->election.unheld ? STATE_STANDBY : STATE_ACTIVE;
	case ELECTION_SHUTDOWN: return STATE_SHUTDOWN;
	case ELECTION_LISTENING:
	case ELECTION_STANDBY:
	case ELECTION_TAKING: break;
	}
	return STATE_STANDBY;
}

bool group_is_held(const struct group *g)
{
	return g->election.phase == ELECTION_ACTIVE;
}

bool group_may_serve(const struct engine *e, size_t group)
{
	return group_is_held(&e->groups[group]) && !time_reached(e->now, e->lease);
}

static bool outranks(const struct engine *e, size_t group, const struct peer_record *a,
	const struct peer_record *b)
{
	struct election_rival of_a = group_rival(e, group, a), of_b = group_rival(e, group, b);

	return election_outranks(&of_a.rank, &of_b.rank);
}

/* The live peer of highest rank of whose entry @is_what is true, or NULL. */
static const struct peer_record *best_peer(
	const struct engine *e, size_t group, bool (*is_what)(const struct peer_entry *entry))
{
	const struct peer_record *best = NULL;

	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];

		if (is_what(&p->entries[group]) && peer_is_live(&p->peer, e->now) &&
			!(best && outranks(e, group, best, p)))
			best = p;
	}
	return best;
}

static bool is_eligible(const struct peer_entry *entry)
{
	return entry->present && (entry->flags & HEARTBEAT_GROUP_ELIGIBLE);
}

const struct peer_record *group_active_peer(const struct engine *e, size_t group)
{
	return best_peer(e, group, entry_is_active);
}

const struct peer_record *group_eligible_peer(const struct engine *e, size_t group)
{
	return best_peer(e, group, is_eligible);
}

uint64_t group_holder(const struct engine *e, size_t group)
{
	const struct peer_record *p;

	if (group_state(&e->groups[group]) == STATE_ACTIVE)
		return e->identity.id;
	p = group_active_peer(e, group);
	return p ? p->peer.id : suspicion_holder(e, group);
}
