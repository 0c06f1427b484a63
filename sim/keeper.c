/* SPDX-License-Identifier: ISC */
/*
 * keeper: what ha-keeper does, after src/keeper/session.c: it carries out one request after the
 * other, refuses to hold anything once the lease has passed, and takes everything down when the
 * lease passes while something is held.
 */
#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "sim/invariants.h"
#include "sim/world.h"
#include "wire/arp.h"

#define ETHERNET_ARP_SENDER_MAC 22
#define ETHERNET_ARP_TARGET_IP  38
#define STRANGER_MAC            0x66, 0x66, 0, 0, 0, 0x66

/* The keeper does one thing after the other. */
static ha_time done_at(const struct world *w, struct node *n)
{
	n->keeper_busy_until = time_add(time_max(w->now, n->keeper_busy_until), KEEPER_TAKES_NS);
	return n->keeper_busy_until;
}

static void send_note(struct world *w, struct node *n, const struct note *note, ha_time at)
{
	struct happening h;

	schedule_prepare(&h, HAPPENS_NOTE)->note = *note;
	schedule(w, &h, node_index(w, n), time_max(at, n->keeper_stalled_until));
}

static void says(
	struct world *w, struct node *n, enum channel_verb verb, size_t index, uint64_t number)
{
	struct note note = {.verb = verb, .index = (uint16_t)index, .number = number};

	send_note(w, n, &note, w->now);
}

static struct frame frame_about(
	const struct world *w, const struct node *n, enum frame_kind kind, size_t address)
{
	struct frame f = {.kind = kind, .from = node_index(w, n)};

	memcpy(f.mac, node_mac(n), MAC_SIZE);
	if (kind == FRAME_PROBE)
		f.target = n->conf.addresses[address].ip;
	else
		f.sender = n->conf.addresses[address].ip;
	return f;
}

static bool lease_has_passed(const struct world *w, const struct node *n)
{
	return time_reached(node_clock(n, w->now), n->lease);
}

static void announce(struct world *w, struct node *n, size_t address)
{
	struct frame f = frame_about(w, n, FRAME_ANNOUNCEMENT, address);

	invariant_announced(w, n, address);
	lan_frame_to_all(w, &f);
}

/* The clients are the neighbours that it knows. */
static void ask(struct world *w, struct node *n, size_t address, size_t target)
{
	struct frame f = frame_about(w, n, FRAME_REQUEST, address);

	if (target >= w->client_count)
		return;
	invariant_announced(w, n, address);
	f.target = w->clients[target].address;
	lan_frame_to_all(w, &f);
}

static void tell_targets(struct world *w, struct node *n, size_t address)
{
	for (size_t t = 0; t < w->client_count && t < TARGETS_MAX; t++) {
		struct note note = {.verb = CHANNEL_TARGET,
			.index = (uint16_t)address,
			.second = (uint16_t)t,
			.payload_size = IP_WIRE_SIZE};

		ask(w, n, address, t);
		ip_to_wire(&w->clients[t].address, note.payload);
		send_note(w, n, &note, w->now);
	}
}

static void probe(struct world *w, struct node *n, size_t address)
{
	const struct ip *ip = &n->conf.addresses[address].ip;
	struct frame f = frame_about(w, n, FRAME_PROBE, address);

	lan_frame_to_all(w, &f);
	if (ip_equal(&w->stranger, ip)) {
		struct note note = {.verb = CHANNEL_FRAME, .payload_size = ARP_FRAME_SIZE};

		arp_encode_announcement_reply(note.payload, (const uint8_t[]){STRANGER_MAC}, ip);
		send_note(w, n, &note, time_add(w->now, 2 * w->delay_ns));
	}
}

static void restore(struct world *w, struct node *n, size_t address)
{
	n->held[n->conf.addresses[address].group].missing = false;
	announce(w, n, address);
}

static void plan(
	struct world *w, struct node *n, enum happening_kind kind, size_t group, uint64_t number)
{
	struct happening h;

	schedule_prepare(&h, kind)->note =
		(struct note){.index = (uint16_t)group, .number = number};
	schedule(w, &h, node_index(w, n), done_at(w, n));
}

static void told_to_hold(struct world *w, struct node *n, size_t group, uint64_t epoch)
{
	n->held[group].asked = true;
	n->held[group].asked_at = w->now;
	n->held[group].expired = false;
	n->held[group].epoch = n->held[group].last_epoch = epoch;
	plan(w, n, HAPPENS_HELD, group, epoch);
}

/* Requests about single addresses are carried out at once: they take no time that matters. */
void keeper_told(struct world *w, struct node *n, const struct effect *effect)
{
	size_t index = effect->keeper.index;
	char text[IP_TEXT_SIZE];

	if (effect->keeper.verb == CHANNEL_HOLD && n->succession.takes_up && n->held[index].up) {
		says(w, n, CHANNEL_HELD, index, effect->keeper.number); /* R8: it was held before */
		return;
	}
	invariant_asked(w, n, effect->keeper.verb, index, effect->keeper.number);
	if (effect->keeper.verb == CHANNEL_HOLD)
		n->said_yes[index] = false;
	switch (effect->keeper.verb) {
	case CHANNEL_HOLD: told_to_hold(w, n, index, effect->keeper.number); break;
	case CHANNEL_RELEASE:
		n->held[index].asked = false;
		n->held[index].expired = n->held[index].expired || lease_has_passed(w, n);
		plan(w, n, HAPPENS_RELEASED, index, 0);
		break;
	case CHANNEL_RESTORE: restore(w, n, index); break;
	case CHANNEL_ANNOUNCE:
		if (w->shows_announcements)
			world_tell(w, "%s announces %s", n->name,
				ip_format(&n->conf.addresses[index].ip, text));
		announce(w, n, index);
		break;
	case CHANNEL_REQUEST: ask(w, n, index, effect->keeper.second); break;
	case CHANNEL_PROBE: probe(w, n, index); break;
	case CHANNEL_WILL:
		n->will = (struct datagram){
			.size = effect->keeper.payload_size, .hop_limit = HEARTBEAT_HOP_LIMIT};
		memcpy(n->will.bytes, effect->keeper.payload, n->will.size);
		break;
	default: break;
	}
}

static void take_down(struct world *w, struct node *n, size_t group)
{
	if (!n->held[group].up)
		return;
	n->held[group].up = false;
	n->held[group].down_at = w->now;
	n->up_count--;
	invariant_changed(w, n, group);
}

static void bring_up(struct world *w, struct node *n, size_t group)
{
	const struct conf_group *g = &n->conf.groups[group];
	struct held *held = &n->held[group];

	if (!held->up)
		n->up_count++;
	held->up = true;
	held->missing = false;
	held->up_at = w->now;
	invariant_changed(w, n, group);
	for (size_t a = g->address_first; a < (size_t)g->address_first + g->address_count; a++) {
		announce(w, n, a);
		tell_targets(w, n, a);
	}
}

void keeper_start(struct node *n)
{
	for (size_t g = 0; g < WORLD_GROUPS_MAX; g++)
		n->held[g] = (struct held){.refuses = n->held[g].refuses};
	n->sequence_recent = n->sequence_newer = 0;
	n->up_count = 0;
	n->keeper_busy_until = n->lease = n->last_sent = n->last_sent_world = TIME_ORIGIN;
	n->will.size = 0;
	memset(n->yielded, 0, sizeof(n->yielded));
}

void keeper_holds(struct world *w, struct node *n, size_t group, uint64_t epoch)
{
	if (lease_has_passed(w, n)) {
		n->held[group].expired = true;
		take_down(w, n, group);
		says(w, n, CHANNEL_EXPIRED, group, 0);
	} else if (n->held[group].refuses) {
		says(w, n, CHANNEL_HOLD_FAILED, group, EPERM);
	} else {
		bring_up(w, n, group);
		says(w, n, CHANNEL_HELD, group, epoch);
	}
}

void keeper_releases(struct world *w, struct node *n, size_t group)
{
	take_down(w, n, group);
	says(w, n, CHANNEL_RELEASED, group, 0);
}

void keeper_forgets(struct world *w, struct node *n)
{
	for (size_t g = 0; g < n->conf.group_count; g++) {
		take_down(w, n, g);
		n->held[g].asked = false;
	}
}

void keeper_cleans_up(struct world *w, struct node *n)
{
	n->dying = true;
	plan(w, n, HAPPENS_WILL, 0, 0);
}

/* R6: first the addresses, then the word. */
void keeper_sends_will(struct world *w, struct node *n)
{
	struct packet *p;

	keeper_forgets(w, n);
	n->dying = false;
	n->will.source = node_address(n);
	if (n->will.size > 0) {
		p = lan_packet(w, n, &n->will);
		p->boot--; /* in the name of the one that died */
		(void)lan_read_packet(p, n);
		lan_multicast(w, n, p);
		lan_drop_packet(w, p);
	}
	if (n->start_next)
		node_start(w, n);
}

/* The frames that its capture programs let pass, for each address of its list. */
void keeper_passes_frame(struct world *w, struct node *n, const struct frame *f)
{
	struct note note = {.verb = CHANNEL_FRAME, .payload_size = ARP_FRAME_SIZE};

	if (f->kind == FRAME_REPLY) {
		arp_encode_announcement_reply(note.payload, f->mac, &f->sender);
		memcpy(note.payload + ETHERNET_ARP_TARGET_IP, f->target.bytes, 4);
	} else {
		arp_encode_announcement_request(note.payload, f->mac, &f->sender);
		memcpy(note.payload + ETHERNET_ARP_TARGET_IP,
			f->target.family != IP_NONE ? f->target.bytes : f->sender.bytes, 4);
	}
	send_note(w, n, &note, w->now);
}

void keeper_tells_fence(struct world *w, struct node *n)
{
	struct note note = {.verb = CHANNEL_FENCE,
		.second = n->fenced,
		.number = n->fenced ? CHANNEL_FENCE_BPF : CHANNEL_FENCE_WATCHDOG};

	send_note(w, n, &note, w->now);
}

void keeper_tells_to_stop(struct world *w, struct node *n)
{
	says(w, n, CHANNEL_STOP, 0, 0);
}

void keeper_tells_to_pause(struct world *w, struct node *n, int64_t patience_ns)
{
	says(w, n, CHANNEL_PAUSE, 0, (uint64_t)patience_ns);
}

void keeper_tells_missing(struct world *w, struct node *n)
{
	for (size_t g = 0; g < n->conf.group_count; g++)
		if (n->held[g].up && n->held[g].missing)
			says(w, n, CHANNEL_REMOVED, n->conf.groups[g].address_first, 0);
}

void keeper_remove_address(struct world *w, struct node *n, size_t address)
{
	n->held[n->conf.addresses[address].group].missing = true;
	says(w, n, CHANNEL_REMOVED, address, 0);
}

ha_time keeper_deadline(const struct node *n)
{
	if (n->up_count == 0 || n->dying)
		return TIME_NEVER;
	return time_max(node_world_time(n, n->lease), n->keeper_stalled_until);
}

void keeper_watchdog(struct world *w, struct node *n)
{
	for (size_t g = 0; g < n->conf.group_count; g++) {
		if (!n->held[g].up)
			continue;
		n->held[g].expired = true;
		take_down(w, n, g);
		says(w, n, CHANNEL_EXPIRED, g, 0);
	}
}
