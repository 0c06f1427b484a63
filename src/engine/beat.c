/* SPDX-License-Identifier: ISC */
#include "engine/beat.h"

#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/text.h"
#include "core/collision.h"
#include "engine/devices.h"
#include "engine/effects.h"
#include "engine/groups.h"
#include "engine/health.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/measure.h"
#include "engine/node.h"
#include "engine/own.h"
#include "engine/pause.h"
#include "engine/peers.h"
#include "engine/releases.h"
#include "engine/sticky.h"
#include "engine/tables.h"

/* Two heartbeats are never closer than this, however much happens. */
#define SPACING_NS           NS_PER_MS
#define RETRIES_PER_INTERVAL 8
#define BRIEFS_MAX           7 /* heartbeats without news, then one that says everything */
#define RETRY_MAX_NS         (100 * NS_PER_MS)

static uint8_t fill_heard(struct engine *e, struct heartbeat *h)
{
	uint8_t count = 0;

	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer *p = &e->peers[i].peer;
		int64_t age_ms;

		if (peers_is_forgettable(e, &e->peers[i]))
			continue;
		age_ms = time_between(p->heard, e->now) / NS_PER_MS;
		h->heard[count++] = (struct heartbeat_heard){.id = p->id,
			.nonce = p->nonce,
			.sequence = (uint32_t)p->sequence,
			.age_ms = age_ms < UINT32_MAX ? (uint32_t)age_ms : UINT32_MAX};
	}
	return count;
}

static uint8_t grantee_index(const struct heartbeat *h, uint64_t grantee)
{
	for (uint8_t i = 0; grantee != 0 && i < h->heard_count; i++)
		if (h->heard[i].id == grantee)
			return i;
	return HEARTBEAT_GRANTEE_NONE;
}

/* R7: whoever finds its lease passed has lost the group, whatever is still up: saying ACTIVE once
 * more would make the one that has claimed it since release. */
static enum node_state wire_state(const struct group *g)
{
	if (g->election.phase == ELECTION_RELEASING && g->election.listen_again)
		return STATE_STANDBY;
	return group_state(g);
}

/* What others must know of it to judge by the group's policy as we do. */
static int policy_flags(const struct engine *e, size_t group, enum node_state state)
{
	const struct group *g = &e->groups[group];

	return (group_is_sticky(e, group) ? HEARTBEAT_GROUP_STICKY : 0) |
	       (state == STATE_ACTIVE && g->acknowledged ? HEARTBEAT_GROUP_ACKNOWLEDGED : 0) |
	       (g->election.granted && g->election.phase != ELECTION_RELEASING
			       ? HEARTBEAT_GROUP_GRANTED
			       : 0) |
	       (g->election.yielded_to != 0 ? HEARTBEAT_GROUP_YIELDED : 0);
}

struct heartbeat_group beat_group(const struct engine *e, size_t group)
{
	const struct group *g = &e->groups[group];
	const struct election *election = &g->election;
	enum node_state state = wire_state(g);
	bool fit = group_ineligible(e, group) == ELIGIBLE;
	bool listens = election->phase == ELECTION_LISTENING;
	/* Nobody should release to one that does so itself (R4). */
	bool ready = fit && !listens && election->phase != ELECTION_RELEASING &&
		     !time_reached(e->now, e->lease);
	bool claimed = state != STATE_ACTIVE && election->epoch != 0 &&
		       election->epoch == election->epoch_seen;

	return (struct heartbeat_group){.id = e->conf->groups[group].id,
		.worth = e->groups[group].health.worth,
		.state = (uint8_t)state,
		.flags = (uint16_t)((ready ? HEARTBEAT_GROUP_ELIGIBLE : 0) |
				    (fit && listens ? HEARTBEAT_GROUP_LISTENING : 0) |
				    (election->wants ? HEARTBEAT_GROUP_WANT : 0) |
				    (claimed ? HEARTBEAT_GROUP_CLAIMED : 0) |
				    (health_is_impaired(e, group) ? HEARTBEAT_GROUP_IMPAIRED : 0) |
				    policy_flags(e, group, state)),
		.grantee = HEARTBEAT_GRANTEE_NONE,
		.renewed = state == STATE_ACTIVE
				   ? collision_renewed(election->epoch, election->claim)
				   : 0,
		.epoch = state == STATE_ACTIVE ? election->epoch : election->epoch_seen};
}

/* R11: who answers for the addresses, and until when it would if we were dead. */
static void fill_fence(const struct engine *e, struct heartbeat *h)
{
	h->fence_margin_us = e->fenced ? (uint32_t)(e->conf->node.margin_ns / NS_PER_US) : 0;
	for (size_t i = 0; i < e->conf->device_count && h->mac_count < HEARTBEAT_MACS_MAX; i++)
		if (devices_carry_shared(e, i))
			memcpy(h->macs[h->mac_count++], e->devices[i].state.mac, MAC_SIZE);
}

static void fill_groups(const struct engine *e, struct heartbeat *h)
{
	h->group_count = (uint8_t)e->conf->group_count;
	for (size_t g = 0; g < h->group_count; g++) {
		h->groups[g] = beat_group(e, g);
		if (h->groups[g].state == STATE_ACTIVE)
			h->groups[g].grantee = grantee_index(h, e->groups[g].election.grantee);
	}
}

/* Without news, the name and the fence need not be said each time either: 2.9. */
static bool is_brief(struct engine *e, const struct heartbeat *h)
{
	uint64_t standing = id_hash(ID_SEED, h->macs, h->mac_count * sizeof(h->macs[0]));

	standing = id_hash(standing, &h->fence_margin_us, sizeof(h->fence_margin_us));
	if (standing == e->standing_told && h->table.change_count == 0 &&
		h->table.request_count == 0 && time_is_never(e->answer_at) &&
		e->briefs < BRIEFS_MAX) {
		e->briefs++;
		return true;
	}
	e->standing_told = standing;
	e->briefs = 0;
	return false;
}

static void leave_standing_out(struct heartbeat *h)
{
	h->name[0] = '\0';
	h->fence_margin_us = 0;
	h->mac_count = 0;
}

static void fill(struct engine *e, struct heartbeat *h, uint64_t sequence, bool leaving)
{
	const struct conf_node *node = &e->conf->node;

	heartbeat_clear(h);
	h->id = e->identity.id;
	h->nonce = e->identity.nonce;
	h->sequence = sequence;
	h->interval_us = (uint32_t)(node->interval_ns / NS_PER_US);
	h->tolerance_us = (uint32_t)(pause_announced_ns(e) / NS_PER_US);
	h->address = devices_real_address(e);
	h->leaving = leaving;
	fill_fence(e, h);
	text_copy(h->name, sizeof(h->name), node->name);
	h->heard_count = fill_heard(e, h);
	h->no_groups = h->table.present = e->own.in_use;
	if (!e->own.in_use)
		fill_groups(e, h);
	if (!leaving)
		tables_fill(
			e, &h->table, heartbeat_room(h, HEARTBEAT_SIZE_MAX) / TABLE_REQUEST_SIZE);
	if (!e->own.in_use)
		return;
	h->table.present = !leaving; /* that it leaves is enough for all groups */
	if (leaving)
		return;
	own_fill(e, h);
	if (is_brief(e, h))
		leave_standing_out(h);
}

static void fill_leaving(struct engine *e, struct heartbeat *h, uint64_t sequence)
{
	fill(e, h, sequence, true);
	for (size_t g = 0; g < h->group_count; g++) {
		h->groups[g].state = STATE_SHUTDOWN;
		h->groups[g].flags = 0;
		h->groups[g].grantee = HEARTBEAT_GRANTEE_NONE;
	}
}

/* R6: the keeper keeps a last heartbeat that says that we are gone. It is made anew when those who
 * must believe it change. Its sequence number is above all that we shall ever use. */
static void update_will(struct engine *e, struct effects *out)
{
	struct heartbeat *h = &e->heartbeat;
	struct ip address = devices_real_address(e);
	uint64_t of = id_hash(ID_SEED, &address, sizeof(address));

	for (size_t i = 0; i < e->peer_count; i++)
		of = id_hash(of, &e->peers[i].peer.nonce, sizeof(uint64_t));
	of = of != 0 ? of : 1;
	if (of == e->will_of)
		return;
	e->will_of = of;
	fill_leaving(e, h, UINT64_MAX);
	struct effect *effect = effect_add(out, EFFECT_KEEPER);
	effect->keeper.verb = CHANNEL_WILL;
	effect->keeper.index = effect->keeper.second = 0;
	effect->keeper.number = 0;
	effect->keeper.payload = e->will;
	effect->keeper.payload_size =
		heartbeat_encode(h, e->conf->node.cluster_tag, &e->key, e->will);
}

/*
 * R9: whoever is heard but does not hear us gets it by unicast too, and goes on getting it until it
 * is certain to hear what is sent to all; else it would lose us again and again. That shows in its
 * echo: the copies sent to the deaf go out first and have odd sequence numbers, those sent to all
 * even ones.
 */
/* R11: so does a holder that is not heard any more. */
static bool gets_a_copy(const struct engine *e, const struct peer_record *p)
{
	return p->called || (p->deaf && peers_is_audible(e, p));
}

static bool mark_the_deaf(struct engine *e)
{
	bool any = false;

	for (size_t i = 0; i < e->peer_count; i++) {
		struct peer_record *p = &e->peers[i];

		if (p->source.family == IP_NONE)
			continue;
		if (!p->deaf && peers_is_audible(e, p) && !peers_hears_of_late(e, p)) {
			p->deaf = true;
			p->deaf_since = e->now;
			p->deaf_sequence = (uint32_t)e->sequence;
		}
		any = any || gets_a_copy(e, p);
	}
	return any;
}

static void send_to_the_deaf(struct engine *e, uint8_t *bytes, struct effects *out)
{
	struct heartbeat *h = &e->heartbeat;
	size_t size;

	if (!mark_the_deaf(e))
		return;
	h->sequence = e->sequence - 1;
	size = heartbeat_encode(h, e->conf->node.cluster_tag, &e->key, bytes);
	h->sequence = e->sequence;
	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];

		if (!gets_a_copy(e, p))
			continue;
		struct effect *effect = effect_add(out, EFFECT_SEND_TO);
		effect->send.bytes = bytes;
		effect->send.size = size;
		effect->send.to = p->source;
		metrics_count(&e->metrics, METRIC_HEARTBEATS_SENT_UNICAST);
	}
}

/* Keeps the sequence number of about one tolerance ago: what an echo must reach to be fresh. */
static void rotate_challenge(struct engine *e)
{
	if (time_between(e->sequence_rotated, e->now) < e->conf->node.max_tolerance_ns)
		return;
	e->sequence_rotated = e->now;
	e->sequence_recent = e->sequence_newer;
	e->sequence_newer = e->sequence;
}

/* R8: who hears that we are not to be waited for so long any more will not; from before that on the
 * lease must not count on it. */
static void shorten_lease(struct engine *e, struct effects *out)
{
	ha_time most = time_add(e->now, pause_granted_ns(e) - e->conf->node.margin_ns);

	e->lease_earned = time_min(e->lease_earned, most);
	if (e->lease.ns <= most.ns)
		return;
	e->lease = most;
	effect_add(out, EFFECT_LEASE)->lease = most;
}

static void send_one(
	struct engine *e, bool leaving, struct datagram_pair *bytes, struct effects *out)
{
	struct heartbeat *h = &e->heartbeat;
	size_t size;

	e->sequence += 2; /* even; the odd one before it is for the deaf */
	if (leaving)
		fill_leaving(e, h, e->sequence);
	else
		fill(e, h, e->sequence, false);
	send_to_the_deaf(e, bytes->to_deaf, out);
	size = heartbeat_encode(h, e->conf->node.cluster_tag, &e->key, bytes->to_all);
	struct effect *effect = effect_add(out, EFFECT_SEND);
	effect->send.bytes = bytes->to_all;
	effect->send.size = size;
	effect->send.to = (struct ip){0};
}

/* What does not fit one datagram follows at once in others, as many as one step may send; and then
 * after the least distance of two heartbeats, so that nobody's socket overflows. */
static void speak(struct engine *e, bool leaving, struct effects *out)
{
	size_t sent = 0;

	shorten_lease(e, out);
	rotate_challenge(e);
	do
		send_one(e, leaving, &e->datagrams[sent++], out);
	while (!leaving && own_has_more(e) && sent < SENDS_MAX);
	e->beat_last = e->now;
	e->beat_soon = !leaving && own_has_more(e);
	if (!time_is_never(e->answer_at))
		e->answered = e->now; /* this one answers as well */
	e->answer_at = TIME_NEVER;
}

void beat_due(struct engine *e, struct effects *out)
{
	bool regular = time_reached(e->now, e->beat_at);
	bool early = (e->beat_soon || time_reached(e->now, e->answer_at)) &&
		     time_between(e->beat_last, e->now) >= SPACING_NS;

	if (!regular && !early)
		return;
	if (regular)
		metrics_time(&e->metrics, METRIC_BEAT_LATENESS, time_between(e->beat_at, e->now));
	if (regular)
		e->beat_at = time_add(e->now, e->conf->node.interval_ns);
	if (!devices_can_send(e)) {
		e->beat_soon = false;
		e->answer_at = TIME_NEVER;
		return;
	}
	speak(e, false, out);
	update_will(e, out);
}

void beat_now(struct engine *e, struct effects *out)
{
	e->beat_at = time_add(e->now, e->conf->node.interval_ns);
	speak(e, false, out);
}

void beat_last(struct engine *e, struct effects *out)
{
	if (devices_can_send(e))
		speak(e, true, out);
}

/* R7: what the keeper has not yet taken down must not be served on a fresh lease, as it would be
 * when a node wakes up, or when its keeper does not. */
void beat_lease(struct engine *e, struct effects *out)
{
	ha_time lease = time_min(e->lease_earned, releases_limit(e));
	bool releasing = lease.ns != e->lease_earned.ns;

	if (lease.ns == e->lease.ns || (releasing && lease.ns < e->lease.ns))
		return;
	e->lease = lease;
	effect_add(out, EFFECT_LEASE)->lease = e->lease;
}

/* R7: sending is what extends the lease, and it counts from before the sending. */
void beat_sent(struct engine *e, struct effects *out)
{
	const struct conf_node *node = &e->conf->node;

	e->sent++;
	metrics_count(&e->metrics, METRIC_HEARTBEATS_SENT);
	measure_told(e);
	e->lease_earned = time_add(e->beat_last, pause_granted_ns(e) - node->margin_ns);
	beat_lease(e, out);
	if (e->send_failing) {
		e->send_failing = false;
		effect_report(e, out, REPORT_NODE, REPORT_NOTICE, "heartbeats can be sent again");
	}
}

/* What was to be said is not said yet, and the lease is running: it is tried again sooner than the
 * next heartbeat is due. */
static int64_t retry_ns(int64_t interval_ns)
{
	int64_t part = interval_ns / RETRIES_PER_INTERVAL;

	return part < RETRY_MAX_NS ? part : RETRY_MAX_NS;
}

void beat_failed(struct engine *e, int error, struct effects *out)
{
	metrics_count(&e->metrics, METRIC_SEND_FAILURES);
	if (!e->send_failing)
		effect_report(e, out, REPORT_NODE, REPORT_ERROR,
			"heartbeats cannot be sent: %s; check the interface and the firewall",
			strerror(error));
	e->send_failing = true;
	e->send_error = error;
	e->beat_at = time_min(e->beat_at, time_add(e->now, retry_ns(e->conf->node.interval_ns)));
}

ha_time beat_deadline(const struct engine *e)
{
	ha_time early = e->beat_soon ? TIME_ORIGIN : e->answer_at;

	return time_min(e->beat_at, time_max(early, time_add(e->beat_last, SPACING_NS)));
}
