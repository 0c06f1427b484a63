/* SPDX-License-Identifier: ISC */
#include "engine/inputs.h"

#include "engine/devices.h"
#include "engine/groups.h"
#include "engine/health.h"
#include "engine/node.h"
#include "engine/peers.h"
#include "engine/prepare.h"
#include "engine/settle.h"
#include "engine/sticky.h"
#include "engine/suspicion.h"
#include "engine/tables.h"

#define LINGER_MAX_NS         (20 * NS_PER_MS)
#define LINGERS_PER_TOLERANCE 8

void group_hold_off(struct engine *e, size_t group, enum ineligible why, int64_t duration_ns)
{
	e->groups[group].hold_off = why;
	e->groups[group].hold_off_until = time_add(e->now, duration_ns);
}

enum ineligible group_unfit(const struct engine *e, size_t group)
{
	const struct group *g = &e->groups[group];
	enum ineligible why = health_ineligible(e, group);
	size_t device;

	if (e->stopping)
		return INELIGIBLE_STOPPING;
	if (g->retired)
		return INELIGIBLE_RETIRED;
	if (why != ELIGIBLE)
		return why;
	if (g->hold_off != ELIGIBLE)
		return g->hold_off;
	why = devices_serve(e, group, &device);
	if (why == ELIGIBLE)
		why = devices_speak(e, &device);
	if (why == ELIGIBLE && original_outranks(e))
		why = INELIGIBLE_ORIGINAL;
	if (why == ELIGIBLE && g->conflict)
		why = INELIGIBLE_CONFLICT;
	return why;
}

enum ineligible group_ineligible(const struct engine *e, size_t group)
{
	if (e->drained && !e->stopping && !e->groups[group].retired)
		return INELIGIBLE_DRAINED;
	return group_unfit(e, group);
}

/* R5: what a holder that became ineligible can still do. Without one of its addresses it cannot. */
static bool can_serve(const struct engine *e, size_t group)
{
	size_t device;

	return e->groups[group].hold_off != INELIGIBLE_REMOVED &&
	       devices_serve(e, group, &device) == ELIGIBLE && devices_can_send(e);
}

struct election_rank group_own_rank(const struct engine *e, size_t group)
{
	return (struct election_rank){.yielded = e->groups[group].election.yielded_to != 0,
		.impaired = health_is_impaired(e, group),
		.worth = e->groups[group].health.worth,
		.address = devices_real_address(e),
		.id = e->identity.id};
}

static void take_rank(
	const struct peer_entry *entry, const struct peer_record *p, struct election_rank *ret_rank)
{
	ret_rank->yielded = entry->flags & HEARTBEAT_GROUP_YIELDED;
	ret_rank->impaired = entry->flags & HEARTBEAT_GROUP_IMPAIRED;
	ret_rank->worth = entry->worth;
	ret_rank->address = p->address;
	ret_rank->id = p->peer.id;
}

/* Field by field into its place: each step does it for every peer and group, and a temporary copy
 * of addresses that are not aligned costs more than all the rest. */
static void take_rival(const struct engine *e, size_t group, const struct peer_record *p,
	struct election_rival *ret_rival)
{
	const struct peer_entry *entry = &p->entries[group];

	take_rank(entry, p, &ret_rival->rank);
	ret_rival->active = entry_is_active(entry);
	ret_rival->eligible = entry->flags & HEARTBEAT_GROUP_ELIGIBLE;
	ret_rival->wants = entry->flags & HEARTBEAT_GROUP_WANT;
	ret_rival->claimed = entry->flags & HEARTBEAT_GROUP_CLAIMED;
	ret_rival->sticky = entry->flags & HEARTBEAT_GROUP_STICKY;
	ret_rival->acknowledged = entry->flags & HEARTBEAT_GROUP_ACKNOWLEDGED;
	ret_rival->listens = entry->flags & HEARTBEAT_GROUP_LISTENING;
	ret_rival->hears_us = peer_hears_us(&p->peer, e->conf->node.tolerance_ns);
	ret_rival->granted_us = entry->grantee != 0 && entry->grantee == e->mark;
	ret_rival->answers = entry->flags & HEARTBEAT_GROUP_GRANTED;
	ret_rival->renewed = entry->renewed;
	ret_rival->epoch = entry->epoch;
}

struct election_rival group_rival(const struct engine *e, size_t group, const struct peer_record *p)
{
	struct election_rival rival;

	take_rival(e, group, p, &rival);
	return rival;
}

static void forget_all_but_rank(struct election_rival *r)
{
	*r = (struct election_rival){.rank = r->rank};
}

/* What one that leaves says of a group, or need not say. */
static void forget_offers(struct election_rival *r)
{
	r->active = r->eligible = r->wants = r->listens = r->claimed = r->granted_us = false;
}

/* Those who leave politely, those who have just started anew and proved nothing yet, and those who
 * say nothing of the group (no longer, or not yet) are known with nothing to offer until they would
 * be missed: so a resignation can be told from a silence. */
static size_t collect_rivals(const struct engine *e, size_t group, struct election_rival *rivals)
{
	size_t count = 0;

	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];

		if (time_reached(e->now, peer_silence_deadline(&p->peer)))
			continue;
		take_rival(e, group, p, &rivals[count]);
		if (!p->peer.proven)
			forget_all_but_rank(&rivals[count]);
		else if (p->peer.leaving)
			forget_offers(&rivals[count]);
		count++;
	}
	return count;
}

/* R1: one full tolerance, the largest announced by any peer heard. */
int64_t groups_listen_ns(const struct engine *e)
{
	int64_t longest = e->conf->node.tolerance_ns;

	for (size_t i = 0; i < e->peer_count; i++)
		if (peers_is_audible(e, &e->peers[i]) && e->peers[i].peer.tolerance_ns > longest)
			longest = e->peers[i].peer.tolerance_ns;
	return longest;
}

/* R3: long enough for what is on its way, short beside the tolerance. */
static int64_t linger_ns(const struct engine *e)
{
	int64_t part = e->conf->node.tolerance_ns / LINGERS_PER_TOLERANCE;

	return part < LINGER_MAX_NS ? part : LINGER_MAX_NS;
}

/* R2: one that has not told yet what it says of the group may hold it. */
static bool is_open(const struct engine *e, size_t group)
{
	return e->groups[group].election.phase == ELECTION_STANDBY && tables_leave_open(e, group);
}

struct election_input group_input(
	const struct engine *e, size_t group, struct election_rival *rivals)
{
	enum ineligible why = group_ineligible(e, group);

	return (struct election_input){.own = group_own_rank(e, group),
		.eligible = why == ELIGIBLE && !is_open(e, group),
		.can_serve = can_serve(e, group),
		.answered = suspicion_withholds(e, group),
		.stopping = e->stopping || e->groups[group].retired,
		.reluctant = why == INELIGIBLE_DRAINED && !e->drain_forced,
		.settled = settle_is_over(e, group),
		.sticky = group_is_sticky(e, group),
		.acknowledged = e->groups[group].acknowledged,
		.prepared = prepare_is_done(e, group),
		.lease = e->lease,
		.tolerance_ns = e->conf->node.tolerance_ns,
		.linger_ns = linger_ns(e),
		.listen_ns = groups_listen_ns(e),
		.rivals = rivals,
		.rival_count = collect_rivals(e, group, rivals)};
}
