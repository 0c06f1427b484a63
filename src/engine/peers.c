/* SPDX-License-Identifier: ISC */
#include "engine/peers.h"

#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "engine/addresses.h"
#include "engine/attention.h"
#include "engine/effects.h"
#include "engine/explain.h"
#include "engine/measure.h"
#include "engine/node.h"
#include "engine/own.h"
#include "engine/paths.h"
#include "engine/sticky.h"
#include "engine/tables.h"

/* The same refusal is told at most this often; the counters count all of them. */
#define DROP_TOLD_EVERY_NS (60 * NS_PER_S)
/* A record of a peer that has been silent this long makes room for another one. */
#define FORGET_AFTER_NS      (60 * NS_PER_S)
#define ANSWERS_PER_INTERVAL 8

struct peer_record *peers_find(struct engine *e, uint64_t id)
{
	for (size_t i = 0; i < e->peer_count; i++)
		if (e->peers[i].peer.id == id)
			return &e->peers[i];
	return NULL;
}

bool peers_include(const struct engine *e, const struct ip *ip)
{
	for (size_t i = 0; i < e->peer_count; i++)
		if (ip_equal(&e->peers[i].address, ip) || ip_equal(&e->peers[i].source, ip))
			return true;
	return false;
}

const char *peers_name(const struct engine *e, uint64_t id)
{
	for (size_t i = 0; i < e->peer_count; i++)
		if (e->peers[i].peer.id == id)
			return e->peers[i].name;
	return "another node";
}

bool peers_is_audible(const struct engine *e, const struct peer_record *p)
{
	return !p->peer.leaving && !time_reached(e->now, peer_silence_deadline(&p->peer));
}

bool peers_is_forgettable(const struct engine *e, const struct peer_record *p)
{
	return time_between(p->peer.heard, e->now) > FORGET_AFTER_NS && !p->answers &&
	       time_reached(e->now, peer_silence_deadline(&p->peer));
}

/* Nothing is wrong yet with a heartbeat that got lost. */
bool peers_hears_of_late(const struct engine *e, const struct peer_record *p)
{
	const struct conf_node *node = &e->conf->node;
	int64_t two_missed_ns = node->interval_ns * 9 / 4;

	return peer_hears_us(
		&p->peer, two_missed_ns < node->tolerance_ns ? two_missed_ns : node->tolerance_ns);
}

/* A new record, or that of a peer that is long gone; NULL if all are in use. */
static struct peer_record *find_room(struct engine *e)
{
	if (e->peer_count < PEERS_MAX)
		return &e->peers[e->peer_count++];
	for (size_t i = 0; i < e->peer_count; i++)
		if (peers_is_forgettable(e, &e->peers[i]))
			return &e->peers[i];
	return NULL;
}

/* The peer's record; NULL if it has none and there is no room for it. */
static struct peer_record *find_or_add(struct engine *e, uint64_t id)
{
	struct peer_record *p = peers_find(e, id);

	if (p)
		return p;
	p = find_room(e);
	if (p) {
		*p = (struct peer_record){.peer = peer_init(id), .entries = p->entries};
		tables_forget(e, p);
	}
	return p;
}

static const char *drop_advice(enum heartbeat_drop drop)
{
	switch (drop) {
	case HEARTBEAT_DROP_HOP_LIMIT: return "not sent on this link (TTL below 255)";
	case HEARTBEAT_DROP_VERSION:
		return "another major version of the protocol; upgrade the older one";
	case HEARTBEAT_DROP_FOREIGN:
		return "another cluster; give each its own multicast group or port";
	case HEARTBEAT_DROP_UNAUTHENTICATED: return "no tag; that node has no key-file";
	case HEARTBEAT_DROP_UNKNOWN_KEY: return "signed with another key; compare the key files";
	case HEARTBEAT_DROP_FORGED: return "its tag is wrong: forged or damaged";
	case HEARTBEAT_DROP_DUPLICATE_ID:
		return "another node uses this node's id; give each a name of its own";
	case HEARTBEAT_DROP_TABLE_FULL: return "more nodes than one cluster can have";
	case HEARTBEAT_DROP_OVERSIZED:
	case HEARTBEAT_DROP_MALFORMED:
	case HEARTBEAT_DROP_NOT_OURS:
	case HEARTBEAT_DROP_OLD_BOOT:
	case HEARTBEAT_DROP_REPLAYED: break;
	case HEARTBEAT_ACCEPTED:
	case HEARTBEAT_DROP_OWN:
	case HEARTBEAT_DROP_DUPLICATE:
	case HEARTBEAT_DROP_REASONS: return NULL; /* nothing to worry about */
	}
	return heartbeat_drop_name(drop);
}

static void drop(struct engine *e, const struct engine_event *event, enum heartbeat_drop reason,
	struct effects *out)
{
	const char *advice = drop_advice(reason);
	char source[IP_TEXT_SIZE];

	e->dropped[reason]++;
	if (!advice || (e->drop_told[reason].ns != 0 &&
			       time_between(e->drop_told[reason], e->now) < DROP_TOLD_EVERY_NS))
		return;
	e->drop_told[reason] = e->now;
	effect_report(e, out, REPORT_DROP, REPORT_WARNING,
		"datagrams from %s are refused: %s (%llu so far)",
		ip_format(&event->datagram.source, source), advice,
		(unsigned long long)e->dropped[reason]);
}

static struct peer_packet packet_of(const struct engine *e, const struct heartbeat *h)
{
	struct peer_packet packet = {.nonce = h->nonce,
		.sequence = h->sequence,
		.interval_ns = h->interval_us * NS_PER_US,
		.tolerance_ns = h->tolerance_us * NS_PER_US,
		.leaving = h->leaving};

	for (size_t i = 0; i < h->heard_count; i++) {
		const struct heartbeat_heard *heard = &h->heard[i];

		if (heard->id != e->identity.id || heard->nonce != e->identity.nonce)
			continue;
		packet.names_us = true;
		packet.echo = heard->sequence;
		packet.echo_age_ns = heard->age_ms * NS_PER_MS;
	}
	return packet;
}

static bool grants_us(
	const struct engine *e, const struct heartbeat *h, const struct heartbeat_group *g)
{
	return g->grantee != HEARTBEAT_GRANTEE_NONE && h->heard[g->grantee].id == e->identity.id &&
	       h->heard[g->grantee].nonce == e->identity.nonce;
}

static void take_groups(struct engine *e, const struct heartbeat *h, struct peer_record *p)
{
	tables_forget(e, p);
	attention_mark_all(e);
	for (size_t i = 0; i < h->group_count; i++) {
		int own = conf_group_by_id(e->conf, h->groups[i].id);

		if (own < 0)
			continue;
		if (p->peer.proven)
			election_learn_epoch(&e->groups[own].election, h->groups[i].epoch);
		p->entries[own] = (struct peer_entry){.present = true,
			.state = h->groups[i].state,
			.flags = h->groups[i].flags,
			.renewed = h->groups[i].renewed,
			.grantee = grants_us(e, h, &h->groups[i]) ? e->mark : 0,
			.worth = h->groups[i].worth,
			.epoch = h->groups[i].epoch};
		p->table.active += h->groups[i].state == STATE_ACTIVE;
	}
	p->holds = p->table.active > 0;
}

/* Whoever does not know us yet learns of us at once, and finds itself in our list: its proof.
 * Bounded, because recordings of unknown boots ask for it too. */
static void answer(struct engine *e)
{
	ha_time next = time_add(e->answered, e->conf->node.interval_ns / ANSWERS_PER_INTERVAL);

	e->answer_at = time_max(e->now, next);
}

/* An even echo, newer than its deafness: see send_to_the_deaf(). Serial arithmetic, RFC 1982. */
static void review_deafness(struct peer_record *p, const struct peer_packet *packet)
{
	if (p->deaf && packet->names_us && packet->echo % 2 == 0 &&
		(int32_t)(packet->echo - p->deaf_sequence) > 0)
		p->deaf = false;
}

static void take_heard(const struct heartbeat *h, struct peer_record *p)
{
	p->hears_count = h->heard_count;
	for (size_t i = 0; i < h->heard_count; i++)
		p->hears[i] =
			(struct peer_heard){.id = h->heard[i].id, .age_ms = h->heard[i].age_ms};
}

/* What a heartbeat without news leaves out. */
static void take_standing(const struct heartbeat *h, struct peer_record *p)
{
	if (h->name[0] != '\0') {
		text_copy(p->name, sizeof(p->name), h->name);
		p->fence_margin_ns = h->fence_margin_us * NS_PER_US;
		p->mac_count = h->mac_count;
		memcpy(p->macs, h->macs, sizeof(p->macs));
	} else if (p->name[0] == '\0') {
		struct text name = text_init(p->name, sizeof(p->name));

		text_add(&name, "node-%08x", (unsigned)h->id);
	}
}

static void take_heartbeat(
	struct engine *e, const struct engine_event *event, struct peer_record *p, bool new_boot)
{
	const struct heartbeat *h = &e->heartbeat;

	e->received++;
	metrics_count(&e->metrics, METRIC_HEARTBEATS_RECEIVED);
	p->received++;
	p->source = event->datagram.source;
	p->address = h->address;
	if (new_boot)
		tables_forget(e, p);
	if (h->table.present)
		tables_take(e, h, p);
	else if (!h->no_groups)
		take_groups(e, h, p);
	own_asked(e, h);
	take_heard(h, p);
	p->called = p->answers = false;
	take_standing(h, p);
	/* It misses ours: an answer at once keeps it from taking over (R9, R11). */
	if (!p->deaf && !peers_hears_of_late(e, p))
		answer(e);
	if (new_boot) {
		p->was_hearing = true;
		answer(e);
	}
}

static void judge(struct engine *e, const struct engine_event *event, struct effects *out)
{
	const struct heartbeat *h = &e->heartbeat;
	struct peer_challenge challenge = {.recent = e->sequence_recent, .latest = e->sequence};
	struct peer_packet packet = packet_of(e, h);
	struct peer_record *p = find_or_add(e, h->id);
	bool proven_before, audible_before;
	ha_time heard_before;

	if (!p) {
		drop(e, event, HEARTBEAT_DROP_TABLE_FULL, out);
		return;
	}
	proven_before = p->peer.proven;
	audible_before = peers_is_audible(e, p);
	heard_before = p->peer.heard;
	enum peer_verdict verdict =
		peer_hear(&p->peer, e->now, &packet, &challenge, e->conf->node.max_tolerance_ns);
	switch (verdict) {
	case PEER_NEW_BOOT: take_heartbeat(e, event, p, true); break;
	case PEER_ACCEPTED:
		measure_arrival(p, heard_before);
		take_heartbeat(e, event, p, false);
		break;
	case PEER_DUPLICATE: drop(e, event, HEARTBEAT_DROP_DUPLICATE, out); break;
	case PEER_REPLAYED: drop(e, event, HEARTBEAT_DROP_REPLAYED, out); break;
	case PEER_OLD_BOOT: drop(e, event, HEARTBEAT_DROP_OLD_BOOT, out); break;
	case PEER_UNPROVEN: answer(e); break;
	}
	if (verdict == PEER_NEW_BOOT || verdict == PEER_ACCEPTED || verdict == PEER_DUPLICATE)
		paths_heard(e, p, event->datagram.interface_index);
	if (verdict == PEER_NEW_BOOT || verdict == PEER_ACCEPTED) {
		review_deafness(p, &packet);
		p->echo = packet.names_us ? packet.echo : p->echo;
	}
	if (verdict == PEER_NEW_BOOT || (verdict == PEER_ACCEPTED && !audible_before))
		p->heard_since = e->now;
	/* It has proven itself to us: our next heartbeat proves us to it, and need not wait. */
	if (p->peer.proven && !proven_before)
		answer(e);
}

void peers_hear(struct engine *e, const struct engine_event *event, struct effects *out)
{
	const struct heartbeat *h = &e->heartbeat;
	enum heartbeat_drop reason = heartbeat_decode(event->datagram.bytes, event->datagram.size,
		event->datagram.hop_limit, e->conf->node.cluster_tag, &e->key, &e->heartbeat);

	if (reason == HEARTBEAT_ACCEPTED && h->id == e->identity.id)
		reason = h->nonce == e->identity.nonce ? HEARTBEAT_DROP_OWN
						       : HEARTBEAT_DROP_DUPLICATE_ID;
	if (reason != HEARTBEAT_ACCEPTED)
		drop(e, event, reason, out);
	else
		judge(e, event, out);
}

void peers_credit_stall(struct engine *e, int64_t stall_ns)
{
	for (size_t i = 0; i < e->peer_count; i++) {
		struct peer_record *p = &e->peers[i];

		/* One that was silent before is not live again because we are late. */
		if (!time_reached(e->deadline, peer_silence_deadline(&p->peer)))
			peer_credit_stall(&p->peer, e->now, stall_ns);
		paths_credit_stall(e, p, stall_ns);
		if (stall_ns >= e->conf->node.interval_ns)
			p->heard_since = e->now; /* it has not heard us either */
	}
}

static void report_peer(struct engine *e, struct effects *out, const struct peer_record *p,
	enum report_level level, const char *what)
{
	char address[IP_TEXT_SIZE];
	struct report *r = effect_report(e, out, REPORT_PEER, level, "%s (%s) %s", p->name,
		ip_format(&p->address, address), what);

	if (r)
		text_copy(r->peer, sizeof(r->peer), p->name);
}

static void review_presence(struct engine *e, struct peer_record *p, struct effects *out)
{
	bool live = peer_is_live(&p->peer, e->now);
	char silence[DURATION_TEXT_SIZE], text[128];
	struct text t = text_init(text, sizeof(text));

	if (live == p->was_live)
		return;
	p->was_live = live;
	if (live) {
		report_peer(e, out, p, REPORT_NOTICE, "is here");
	} else if (p->peer.leaving) {
		report_peer(e, out, p, REPORT_NOTICE, "has left");
	} else if (!p->peer.proven) {
		report_peer(e, out, p, REPORT_NOTICE, "has started anew");
	} else {
		metrics_count(&e->metrics, METRIC_PEERS_LOST);
		explain_duration(time_between(p->peer.heard, e->now), silence, sizeof(silence));
		text_add(&t, "is gone: silent for %s", silence);
		report_peer(e, out, p, REPORT_WARNING, text);
		sticky_lost_sight(e, out);
	}
}

/* Clients may have followed somebody else while a peer did not hear us: docs/protocol.md section 8.
 */
static void announce_all(struct engine *e, struct effects *out)
{
	for (size_t g = 0; g < e->conf->group_count; g++)
		if (e->groups[g].election.phase == ELECTION_ACTIVE)
			addresses_announce(e, g, out);
}

static void review_hearing(struct engine *e, struct peer_record *p, struct effects *out)
{
	int64_t tolerance_ns = e->conf->node.tolerance_ns;
	/* A peer that has just come or returned, or just missed one, is given a tolerance to hear
	 * us. */
	bool hears =
		(peer_hears_us(&p->peer, tolerance_ns) ||
			(p->was_hearing && time_between(p->heard_since, e->now) < tolerance_ns)) &&
		(!p->deaf ||
			(p->was_hearing && time_between(p->deaf_since, e->now) < tolerance_ns));

	if (!peers_is_audible(e, p) || hears == p->was_hearing)
		return;
	p->was_hearing = hears;
	if (hears) {
		report_peer(e, out, p, REPORT_NOTICE, "hears this node again");
		announce_all(e, out);
	} else {
		report_peer(e, out, p, REPORT_WARNING,
			"is heard but does not hear this node; it gets heartbeats by unicast too");
	}
}

void peers_review(struct engine *e, struct effects *out)
{
	for (size_t i = 0; i < e->peer_count; i++) {
		review_presence(e, &e->peers[i], out);
		review_hearing(e, &e->peers[i], out);
		paths_review(e, &e->peers[i], out);
	}
}

ha_time peers_deadline(const struct engine *e)
{
	ha_time deadline = TIME_NEVER;

	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];

		if (peers_is_audible(e, p))
			deadline = time_min(deadline, peer_silence_deadline(&p->peer));
		deadline = time_min(deadline, paths_deadline(e, p));
	}
	return deadline;
}
