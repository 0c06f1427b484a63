/* SPDX-License-Identifier: ISC */
#include "engine/explain.h"

#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "engine/addresses.h"
#include "engine/devices.h"
#include "engine/groups.h"
#include "engine/health.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/node.h"
#include "engine/peers.h"
#include "engine/prepare.h"
#include "engine/settle.h"
#include "engine/sticky.h"
#include "engine/suspicion.h"

void explain_duration(int64_t duration_ns, char *buffer, size_t size)
{
	struct text t = text_init(buffer, size);

	if (duration_ns < 10 * NS_PER_MS)
		text_add(&t, "%.1f ms", (double)duration_ns / (double)NS_PER_MS);
	else if (duration_ns < 10 * NS_PER_S)
		text_add(&t, "%lld ms", (long long)(duration_ns / NS_PER_MS));
	else
		text_add(&t, "%lld s", (long long)(duration_ns / NS_PER_S));
}

static const char *device_name(const struct engine *e, size_t device)
{
	return e->conf->devices[device].name;
}

/* The device that is the matter, as group_ineligible() looked at them. */
static size_t guilty_device(const struct engine *e, size_t group)
{
	size_t device = 0;

	if (devices_serve(e, group, &device) == ELIGIBLE)
		(void)devices_speak(e, &device);
	return device;
}

static void explain_conflict(const struct engine *e, size_t group, struct text *t)
{
	int a = probes_conflict(e, group);
	char ip[IP_TEXT_SIZE];
	const uint8_t *mac;

	if (a < 0) {
		text_add(t, "another host uses the address");
		return;
	}
	mac = e->addresses[a].conflict_mac;
	text_add(t, "%s is in use by a host outside the cluster, %02x:%02x:%02x:%02x:%02x:%02x",
		ip_format(&e->conf->addresses[a].ip, ip), mac[0], mac[1], mac[2], mac[3], mac[4],
		mac[5]);
}

static void explain_hold_off(const struct engine *e, size_t group, struct text *t)
{
	char rest[DURATION_TEXT_SIZE];

	explain_duration(time_between(e->now, e->groups[group].hold_off_until), rest, sizeof(rest));
	text_add(t, "; tries again in %s", rest);
}

void explain_ineligible(
	const struct engine *e, size_t group, enum ineligible why, char *buffer, size_t size)
{
	struct text t = text_init(buffer, size);
	const struct group *g = &e->groups[group];
	const char *device = device_name(e, guilty_device(e, group));
	char ip[IP_TEXT_SIZE];

	ip_format(&e->conf->addresses[g->hold_off_address].ip, ip);
	switch (why) {
	case ELIGIBLE: text_add(&t, "eligible"); break;
	case INELIGIBLE_STOPPING: text_add(&t, "this node stops"); break;
	case INELIGIBLE_DRAINED: text_add(&t, "this node is drained, until `ha resume`"); break;
	case INELIGIBLE_WORTH: text_add(&t, "its worth here is 0"); break;
	case INELIGIBLE_HEALTH:
		if (health_is_well(e, group)) /* by now, as the keeper has taken long */
			text_add(&t, "a check had failed");
		else
			health_explain(e, group, &t);
		break;
	case INELIGIBLE_NO_DEVICE: text_add(&t, "%s does not exist", device); break;
	case INELIGIBLE_DEVICE_DOWN: text_add(&t, "%s is down", device); break;
	case INELIGIBLE_NO_CARRIER: text_add(&t, "%s has no carrier", device); break;
	case INELIGIBLE_NO_ADDRESS:
		text_add(&t, "%s has no address of its own to send heartbeats from", device);
		break;
	case INELIGIBLE_HOLD_FAILED:
		text_add(&t, "%s could not be configured: %s", ip, strerror(g->hold_off_error));
		explain_hold_off(e, group, &t);
		break;
	case INELIGIBLE_REMOVED:
		text_add(&t, "%s was removed by somebody else again and again", ip);
		explain_hold_off(e, group, &t);
		break;
	case INELIGIBLE_VETOED:
		prepare_explain_veto(e, group, &t);
		explain_hold_off(e, group, &t);
		break;
	case INELIGIBLE_NO_CARRIER_WHEN_RAISED:
		text_add(&t, "%s has no carrier when it is brought up", device);
		if (g->hold_off != ELIGIBLE)
			explain_hold_off(e, group, &t);
		break;
	case INELIGIBLE_ORIGINAL: original_explain(e, &t); break;
	case INELIGIBLE_CONFLICT: explain_conflict(e, group, &t); break;
	case INELIGIBLE_RETIRED: text_add(&t, "it is no longer configured here"); break;
	}
}

/* Why the other one went on. */
static const char *collision_ground(const struct group *g)
{
	if (g->cause_ineligible != ELIGIBLE)
		return "this node is not eligible";
	switch (g->election.ground) {
	case COLLISION_BY_POLICY: return "its policy is sticky";
	case COLLISION_BY_ANSWERS: return "has reached the neighbours meanwhile";
	case COLLISION_BY_AGE: return "has held it for longer";
	case COLLISION_BY_FITNESS:
	case COLLISION_BY_RANK: break;
	}
	return "is worthier";
}

void explain_cause(const struct engine *e, size_t group, char *buffer, size_t size)
{
	const struct group *g = &e->groups[group];
	struct text t = text_init(buffer, size);
	const char *peer = g->cause_peer[0] != '\0' ? g->cause_peer : "another node";
	char duration[DURATION_TEXT_SIZE], why[STATUS_REASON_SIZE];

	switch (g->election.cause) {
	case ELECTION_STARTED: text_add(&t, "started"); break;
	case ELECTION_VACANT: text_add(&t, "nobody held it"); break;
	case ELECTION_HOLDER_SILENT:
		explain_duration(g->cause_silence_ns, duration, sizeof(duration));
		text_add(&t, "%s was silent for %s", peer, duration);
		break;
	case ELECTION_HOLDER_RESIGNED: text_add(&t, "%s gave it up", peer); break;
	case ELECTION_GRANTED: text_add(&t, "%s handed it over", peer); break;
	case ELECTION_HANDED_OVER: text_add(&t, "handed over to %s", peer); break;
	case ELECTION_COLLISION:
		text_add(&t, "%s holds it too and %s", peer, collision_ground(g));
		break;
	case ELECTION_INELIGIBLE:
	case ELECTION_CANNOT_SERVE:
		explain_ineligible(e, group, g->cause_ineligible, why, sizeof(why));
		text_add(&t, "%s", why);
		break;
	case ELECTION_STOPPING:
		text_add(&t, g->retired ? "it is no longer configured here" : "this node stops");
		break;
	case ELECTION_LEASE_PASSED:
		text_add(&t, "no heartbeat was sent in time, others may have taken it");
		break;
	case ELECTION_HOLD_FAILED: text_add(&t, "the address could not be configured"); break;
	}
}

/* "b is worthier (200 > 100)": why @p ranks above this node. */
static void explain_rank(
	const struct engine *e, size_t group, const struct peer_record *p, struct text *t)
{
	struct election_rank own = group_own_rank(e, group);
	char a[IP_TEXT_SIZE], b[IP_TEXT_SIZE];

	if (own.impaired && !(p->entries[group].flags & HEARTBEAT_GROUP_IMPAIRED))
		text_add(t, "%s is sound", p->name);
	else if (p->entries[group].worth != own.worth)
		text_add(
			t, "%s is worthier (%u > %u)", p->name, p->entries[group].worth, own.worth);
	else
		text_add(t, "%s has the lower address (%s < %s) at equal worth %u", p->name,
			ip_format(&p->address, a), ip_format(&own.address, b), own.worth);
}

static void explain_yielded(const struct engine *e, size_t group, struct text *t)
{
	const char *to = peers_name(e, e->groups[group].election.yielded_to);

	text_add(t, "given to %s on request, until %s fails or leaves, or `ha resume %s`", to, to,
		e->conf->groups[group].name);
}

static void explain_settle(const struct engine *e, size_t group, struct text *t)
{
	char rest[DURATION_TEXT_SIZE], wait[DURATION_TEXT_SIZE];

	explain_duration(time_between(e->now, settle_until(e, group)), rest, sizeof(rest));
	explain_duration(settle_wait_ns(e, group), wait, sizeof(wait));
	text_add(t, "waits %s more until its health has been steady for %s%s", rest, wait,
		settle_wait_ns(e, group) > e->conf->groups[group].settle_ns
			? ", because it has lost the group again and again"
			: "");
}

static void explain_standby(const struct engine *e, size_t group, struct text *t)
{
	const struct peer_record *holder = group_active_peer(e, group);
	const struct peer_record *best = group_eligible_peer(e, group);
	struct election_rank own = group_own_rank(e, group);
	struct election_rival r;

	if (holder) {
		r = group_rival(e, group, holder);
		if (e->groups[group].election.wants)
			text_add(t, "asks %s to hand over%s", holder->name,
				r.sticky ? ", but its policy is sticky" : "");
		else if (e->groups[group].election.yielded_to != 0)
			explain_yielded(e, group, t);
		else if (group_is_sticky(e, group))
			text_add(t,
				"%s holds it; only a fault or a request moves it (policy sticky)",
				holder->name);
		else if (election_outranks(&r.rank, &own))
			explain_rank(e, group, holder, t);
		else if (!settle_is_over(e, group))
			explain_settle(e, group, t);
		else
			text_add(t, "%s holds it", holder->name);
		if (!r.hears_us)
			text_add(t, "; it does not hear this node");
	} else if (best) {
		r = group_rival(e, group, best);
		if (election_outranks(&r.rank, &own))
			explain_rank(e, group, best, t);
	} else if (suspicion_holder(e, group) != 0) {
		text_add(t,
			"%s answers for it although it is not heard: its heartbeats are lost on "
			"the way",
			peers_name(e, suspicion_holder(e, group)));
	} else if (time_reached(e->now, e->lease)) {
		text_add(t, "heartbeats cannot be sent%s%s", e->send_failing ? ": " : "",
			e->send_failing ? strerror(e->send_error) : "");
	}
}

/* Who would take it over. */
static void explain_next(const struct engine *e, size_t group, struct text *t)
{
	const struct peer_record *next = group_eligible_peer(e, group);
	unsigned own = e->groups[group].health.worth;

	if (!next) {
		text_add(t, "; no other node could take it");
		return;
	}
	text_add(t, "; next is %s", next->name);
	if (next->entries[group].flags & HEARTBEAT_GROUP_IMPAIRED)
		text_add(t, ", which is impaired");
	else if (next->entries[group].worth != own)
		text_add(t, " (%u %c %u)", next->entries[group].worth,
			next->entries[group].worth < own ? '<' : '>', own);
}

static void explain_active(const struct engine *e, size_t group, struct text *t)
{
	const struct election *election = &e->groups[group].election;
	const struct peer_record *other = group_active_peer(e, group);
	char cause[STATUS_REASON_SIZE];

	explain_cause(e, group, cause, sizeof(cause));
	if (election->grantee != 0)
		text_add(t, "hands over to %s; ", peers_name(e, election->grantee));
	if (other && !peer_hears_us(&other->peer, e->conf->node.tolerance_ns))
		text_add(t, "%s holds it too but hears neither this node nor, likely, clients; ",
			other->name);
	if (e->drained)
		text_add(t, "drained, and hands over as soon as another node can take it; ");
	text_add(t, "%s", cause);
	explain_next(e, group, t);
}

static void explain_listening(const struct engine *e, size_t group, struct text *t)
{
	char duration[DURATION_TEXT_SIZE];

	explain_duration(
		time_between(e->groups[group].election.since, e->now), duration, sizeof(duration));
	text_add(t, "listens for other nodes, since %s", duration);
}

void explain_group(const struct engine *e, size_t group, char *buffer, size_t size)
{
	const struct election *election = &e->groups[group].election;
	enum ineligible why = group_ineligible(e, group);
	struct text t = text_init(buffer, size);

	if (why != ELIGIBLE && election->phase != ELECTION_ACTIVE) {
		explain_ineligible(e, group, why, buffer, size);
		return;
	}
	switch (election->phase) {
	case ELECTION_LISTENING: explain_listening(e, group, &t); break;
	case ELECTION_STANDBY:
		if (prepare_is_under_way(e, group))
			text_add(&t, "before-active runs; ");
		explain_standby(e, group, &t);
		break;
	case ELECTION_TAKING: text_add(&t, "configures the addresses"); break;
	case ELECTION_ACTIVE: explain_active(e, group, &t); break;
	case ELECTION_RELEASING: text_add(&t, "takes the addresses down"); break;
	case ELECTION_SHUTDOWN: text_add(&t, "this node stops"); break;
	}
	if (!health_is_well(e, group)) {
		text_add(&t, "; ");
		health_explain(e, group, &t);
	}
}
