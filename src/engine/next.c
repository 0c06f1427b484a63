/* SPDX-License-Identifier: ISC */
#include "engine/next.h"

#include "base/text.h"
#include "engine/explain.h"
#include "engine/groups.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/node.h"
#include "engine/peers.h"
#include "engine/prepare.h"
#include "engine/settle.h"
#include "engine/sticky.h"
#include "engine/suspicion.h"

static void add_remaining(const struct engine *e, ha_time until, struct text *t)
{
	char rest[DURATION_TEXT_SIZE];
	int64_t rest_ns = time_between(e->now, until);

	explain_duration(rest_ns > 0 ? rest_ns : 0, rest, sizeof(rest));
	text_add(t, "%s", rest);
}

static void next_of_ineligible(
	const struct engine *e, size_t group, enum ineligible why, struct text *t)
{
	const struct group *g = &e->groups[group];

	switch (why) {
	case ELIGIBLE: break;
	case INELIGIBLE_STOPPING: text_add(t, "nothing: this node stops"); break;
	case INELIGIBLE_DRAINED: text_add(t, "may hold it again after `ha resume`"); break;
	case INELIGIBLE_WORTH:
		text_add(t, "nothing, as long as its worth here is 0 in the configuration");
		break;
	case INELIGIBLE_HEALTH: text_add(t, "may hold it again when its checks pass"); break;
	case INELIGIBLE_NO_DEVICE: text_add(t, "listens as soon as the device is there"); break;
	case INELIGIBLE_DEVICE_DOWN: text_add(t, "listens as soon as the device is up"); break;
	case INELIGIBLE_NO_CARRIER: text_add(t, "listens as soon as there is carrier"); break;
	case INELIGIBLE_NO_ADDRESS:
		text_add(t, "listens as soon as the interface has an address");
		break;
	case INELIGIBLE_HOLD_FAILED:
	case INELIGIBLE_VETOED:
	case INELIGIBLE_REMOVED:
	case INELIGIBLE_NO_CARRIER_WHEN_RAISED:
		text_add(t, "may hold it again in ");
		add_remaining(e, g->hold_off_until, t);
		break;
	case INELIGIBLE_ORIGINAL:
		text_add(t, "may hold it when no such node is heard any more");
		break;
	case INELIGIBLE_CONFLICT:
		text_add(t, "may hold it as soon as the other host gives the address up");
		break;
	case INELIGIBLE_RETIRED: text_add(t, "nothing: it goes with the reload"); break;
	}
}

/* Of the others that could hold it, but for @but: the worthiest, if it ranks above this node. */
static const struct peer_record *better_than_us(
	const struct engine *e, size_t group, const struct peer_record *but)
{
	struct election_rank best_rank = group_own_rank(e, group);
	const struct peer_record *best = NULL;

	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];
		struct election_rival r;

		if (p == but || !peer_is_live(&p->peer, e->now) || !p->entries[group].present)
			continue;
		r = group_rival(e, group, p);
		if (!r.eligible || !election_outranks(&r.rank, &best_rank))
			continue;
		best = p;
		best_rank = r.rank;
	}
	return best;
}

/* Worthier than the holder, and kept from saying so by `settle` alone. */
static bool waits_to_ask(const struct engine *e, size_t group, const struct peer_record *holder)
{
	struct election_rank own = group_own_rank(e, group);
	struct election_rival r = group_rival(e, group, holder);

	return election_outranks(&own, &r.rank) && !group_is_sticky(e, group) && !r.sticky &&
	       !settle_is_over(e, group);
}

static void next_of_standby(const struct engine *e, size_t group, struct text *t)
{
	const struct peer_record *holder = group_active_peer(e, group);
	const struct peer_record *better = better_than_us(e, group, holder);

	if (prepare_is_under_way(e, group)) {
		text_add(t, "takes it when before-active says yes");
	} else if (holder && e->groups[group].election.wants) {
		text_add(t, "takes it over as soon as %s hands it over", holder->name);
	} else if (holder && waits_to_ask(e, group, holder)) {
		text_add(t, "asks %s for it in ", holder->name);
		add_remaining(e, settle_until(e, group), t);
		text_add(t,
			", if its health stays steady; would take over at once if that one fails");
	} else if (holder && better) {
		text_add(t, "%s would take over if %s fails", better->name, holder->name);
	} else if (holder) {
		text_add(t, "would take over if %s fails", holder->name);
	} else if (better) {
		text_add(t, "%s takes it; if that one fails, the next", better->name);
	} else if (suspicion_holder(e, group) != 0) {
		text_add(t, "takes it when %s answers no more",
			peers_name(e, suspicion_holder(e, group)));
	} else if (time_reached(e->now, e->lease)) {
		text_add(t, "takes it as soon as a heartbeat can be sent");
	} else {
		text_add(t, "takes it");
	}
}

static void next_of_holder(const struct engine *e, size_t group, struct text *t)
{
	const struct election *election = &e->groups[group].election;
	const struct peer_record *next = group_eligible_peer(e, group);

	if (election->grantee != 0) {
		text_add(t, "lets it go when %s says ACTIVE; stays ACTIVE if it does not within ",
			peers_name(e, election->grantee));
		add_remaining(e, election->grant_until, t);
	} else if (group_ineligible(e, group) != ELIGIBLE) {
		text_add(t, "releases it");
	} else if (next) {
		text_add(t, "%s would take over if this node fails", next->name);
	} else {
		text_add(t, "nobody would take over if this node fails");
	}
}

void explain_what_next(const struct engine *e, size_t group, char *buffer, size_t size)
{
	const struct election *election = &e->groups[group].election;
	enum ineligible why = group_ineligible(e, group);
	struct text t = text_init(buffer, size);

	if (why != ELIGIBLE &&
		(election->phase == ELECTION_STANDBY || election->phase == ELECTION_LISTENING)) {
		next_of_ineligible(e, group, why, &t);
		return;
	}
	switch (election->phase) {
	case ELECTION_LISTENING:
		text_add(&t, "listens for ");
		add_remaining(e, time_add(election->since, groups_listen_ns(e)), &t);
		text_add(&t, " more, then takes it unless another should");
		break;
	case ELECTION_STANDBY: next_of_standby(e, group, &t); break;
	case ELECTION_TAKING: text_add(&t, "ACTIVE when the addresses are configured"); break;
	case ELECTION_ACTIVE: next_of_holder(e, group, &t); break;
	case ELECTION_RELEASING:
		text_add(
			&t, "%s when the addresses are down", e->stopping ? "SHUTDOWN" : "STANDBY");
		break;
	case ELECTION_SHUTDOWN: text_add(&t, "nothing: this node stops"); break;
	}
}
