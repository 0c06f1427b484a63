/* SPDX-License-Identifier: ISC */
#include "fuzz/hostile.h"

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "wire/arp.h"
#include "wire/nd.h"

#define NODES 40 /* more than PEERS_MAX: the table must be able to overflow */

/* FLAG_NAMES_US is what makes a heartbeat count: it names our boot and a recent number of ours. */
#define FLAG_NAMES_US 0x01
#define FLAG_LEAVING  0x02
#define FLAG_REPLAYED 0x04
#define FLAG_EXTREME  0x08
#define FLAG_OUR_ID   0x10
#define FLAG_V6       0x20
#define FLAG_TABLE    0x40 /* its groups travel as changes */
#define FLAG_DIGEST   0x80 /* and their digest is right, if that is all of them */

static void deliver(struct subject *s, const uint8_t *bytes, size_t size, uint8_t node)
{
	struct engine_event event = {.kind = ENGINE_DATAGRAM};

	event.datagram.bytes = bytes;
	event.datagram.size = size;
	event.datagram.hop_limit = HEARTBEAT_HOP_LIMIT;
	event.datagram.source = ip_from_v4((const uint8_t[]){10, 0, 0, node});
	subject_step(s, &event);
}

static void fill_header(
	const struct subject *s, struct reader *r, struct heartbeat *h, uint8_t node, uint8_t flags)
{
	h->id = flags & FLAG_OUR_ID ? s->identity.id : UINT64_C(0x1000) + node;
	h->nonce = UINT64_C(0x100) + reader_u8(r) % 4;
	/* Time makes a number that grows, as a real node's does. */
	h->sequence = flags & FLAG_REPLAYED ? reader_u8(r) : (uint64_t)(s->now.ns / NS_PER_US);
	h->interval_us = 100000;
	h->tolerance_us = 350000;
	h->leaving = flags & FLAG_LEAVING;
	h->address = ip_from_v4((const uint8_t[]){10, 0, 0, node});
	if (flags & FLAG_V6)
		h->address = ip_from_v6((const uint8_t[16]){0xfd, [15] = node});
	text_copy(h->name, sizeof(h->name), "hostile");
	if (flags & FLAG_EXTREME) {
		h->interval_us = reader_u32(r);
		h->tolerance_us = reader_u32(r);
		h->sequence = reader_u64(r);
	}
}

static void fill_heard(
	const struct subject *s, struct reader *r, struct heartbeat *h, uint8_t flags)
{
	if (!(flags & FLAG_NAMES_US))
		return;
	h->heard_count = 1;
	h->heard[0] = (struct heartbeat_heard){.id = s->identity.id, .nonce = s->identity.nonce};
	h->heard[0].sequence = (uint32_t)s->sequence - reader_u8(r) % 8;
	h->heard[0].age_ms = flags & FLAG_EXTREME ? reader_u32(r) : reader_u8(r);
}

static void fill_group(
	const struct subject *s, struct reader *r, struct heartbeat_group *g, uint8_t heard_count)
{
	uint8_t index = reader_u8(r), kind = reader_u8(r);

	g->id = s->conf->groups[index % s->conf->group_count].id;
	g->state = (uint8_t)(STATE_STANDBY + kind % 3);
	g->flags = (uint16_t)(kind >> 2 & HEARTBEAT_GROUP_FLAGS);
	g->grantee = kind & 0x10 && heard_count > 0 ? 0 : HEARTBEAT_GRANTEE_NONE;
	g->worth = reader_u8(r);
	g->epoch = kind & 0x20 ? reader_u64(r) : reader_u8(r);
}

static void fill_table(const struct subject *s, struct reader *r, struct table *t, uint8_t flags)
{
	t->present = true;
	t->base = reader_u8(r);
	t->change_count = reader_u8(r) % (s->conf->group_count + 1);
	t->last = t->base + t->change_count;
	t->version = t->last + reader_u8(r) % 4;
	for (size_t i = 0; i < t->change_count; i++) {
		struct heartbeat_group g;

		fill_group(s, r, &g, 1);
		t->changes[i] = (struct table_change){.id = g.id + (g.worth == 0xff),
			.worth = g.worth,
			.state = g.state,
			.flags = g.flags,
			.renewed = g.renewed,
			.grantee = g.grantee != HEARTBEAT_GRANTEE_NONE
					   ? table_mark(s->identity.id, s->identity.nonce)
					   : 0,
			.epoch = g.epoch};
		t->digest += flags & FLAG_DIGEST ? table_digest(&t->changes[i]) : 0;
	}
	t->request_count = reader_u8(r) % (TABLE_REQUESTS_MAX + 1);
	for (size_t i = 0; i < t->request_count; i++)
		t->requests[i] = (struct table_request){
			.id = s->identity.id, .nonce = s->identity.nonce, .have = reader_u8(r)};
}

void hostile_heartbeat(struct subject *s, struct reader *r)
{
	static struct heartbeat h;
	uint8_t bytes[HEARTBEAT_SIZE_MAX], node = reader_u8(r) % NODES, flags = reader_u8(r);

	memset(&h, 0, sizeof(h));
	fill_header(s, r, &h, node, flags);
	fill_heard(s, r, &h, flags);
	h.no_groups = flags & FLAG_TABLE;
	if (h.no_groups)
		fill_table(s, r, &h.table, flags);
	else
		h.group_count = reader_u8(r) % (s->conf->group_count + 1);
	for (size_t g = 0; g < h.group_count; g++)
		fill_group(s, r, &h.groups[g], h.heard_count);
	deliver(s, bytes, heartbeat_encode(&h, s->conf->node.cluster_tag, &s->key, bytes), node);
}

void hostile_datagram(struct subject *s, struct reader *r)
{
	size_t size = reader_u8(r);
	const uint8_t *bytes = reader_take(r, size);

	if (bytes)
		deliver(s, bytes, size, 99);
}

static void send_message(struct subject *s, const struct channel_message *m)
{
	struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = m};

	subject_step(s, &event);
}

void hostile_message(struct subject *s, struct reader *r)
{
	static struct channel_message m;
	uint8_t verb = reader_u8(r), number;

	memset(&m, 0, sizeof(m));
	m.verb = verb & 0x80 ? (enum channel_verb)(verb & 0x0f)
			     : (enum channel_verb)(CHANNEL_HELD + verb % 13);
	m.index = reader_u8(r);
	m.second = reader_u8(r);
	number = reader_u8(r);
	if (number == 0xff)
		m.number = reader_u64(r);
	else if (number % 2 == 0 && m.index < s->conf->group_count)
		m.number = s->groups[m.index].epoch;
	else
		m.number = number;
	if (m.index == 0xff)
		m.index = reader_u16(r);
	if (m.verb == CHANNEL_TARGET) {
		struct ip target = ip_from_v4((const uint8_t[]){10, 0, 0, reader_u8(r)});

		m.payload_size = IP_WIRE_SIZE;
		ip_to_wire(&target, m.payload);
	}
	send_message(s, &m);
}

static size_t write_arp(uint8_t *frame, uint8_t form, const uint8_t *mac, const struct ip *address,
	const struct ip *neighbour)
{
	switch (form % 3) {
	case 0: arp_encode_announcement_reply(frame, mac, address); break;
	case 1: arp_encode_request(frame, mac, address, neighbour); break;
	default: /* a neighbour's answer: only its target matters besides who it is */
		arp_encode_announcement_reply(frame, mac, neighbour);
		memcpy(frame + 38, address->bytes, 4);
	}
	return ARP_FRAME_SIZE;
}

static size_t write_nd(uint8_t *frame, uint8_t form, const uint8_t *mac, const struct ip *address)
{
	if (form % 2) {
		nd_encode_probe(frame, mac, address);
		return ND_PROBE_FRAME_SIZE;
	}
	nd_encode_announcement(frame, mac, address, false);
	return ND_FRAME_SIZE;
}

void hostile_frame(struct subject *s, struct reader *r)
{
	static struct channel_message m;
	uint8_t form = reader_u8(r), which = reader_u8(r), byte = reader_u8(r);
	const struct ip *address = &s->conf->addresses[which % s->conf->address_count].ip;
	const struct ip neighbour = ip_from_v4((const uint8_t[]){10, 0, 0, byte});
	const uint8_t mac[MAC_SIZE] = {2, 0, 0, 0, 0, byte};

	memset(&m, 0, sizeof(m));
	m.verb = CHANNEL_FRAME;
	if (form & 0x80) {
		const uint8_t *bytes = reader_take(r, byte % CHANNEL_FRAME_MAX);

		m.payload_size = bytes ? byte % CHANNEL_FRAME_MAX : 0;
		if (bytes)
			memcpy(m.payload, bytes, m.payload_size);
	} else if (address->family == IP_V4) {
		m.payload_size = (uint16_t)write_arp(m.payload, form, mac, address, &neighbour);
	} else {
		m.payload_size = (uint16_t)write_nd(m.payload, form, mac, address);
	}
	send_message(s, &m);
}

void hostile_device(struct subject *s, struct reader *r)
{
	struct engine_event event = {.kind = ENGINE_DEVICE};
	uint8_t index = reader_u8(r), state = reader_u8(r), own = reader_u8(r);

	event.device.index = index % s->conf->device_count;
	event.device.present = state & 0x01;
	event.device.up = state & 0x02;
	event.device.carrier = state & 0x04;
	event.device.interface_index = event.device.present ? 2u + event.device.index : 0;
	event.device.mac[5] = own;
	if (state & 0x08)
		event.device.v4 = ip_from_v4((const uint8_t[]){10, 0, 0, own});
	if (state & 0x10)
		event.device.v6 = ip_from_v6((const uint8_t[16]){0xfd, [15] = own});
	subject_step(s, &event);
}

void hostile_health(struct subject *s, struct reader *r)
{
	uint8_t group = reader_u8(r), flags = reader_u8(r);
	struct engine_health health = {.group = group,
		.worth = flags & 0x04 ? reader_u16(r) : reader_u8(r),
		.impaired = flags & 0x01,
		.ineligible = flags & 0x02};
	struct engine_event event = {.kind = ENGINE_HEALTH, .health = &health};

	text_copy(health.reason, sizeof(health.reason), flags & 0x08 ? "a check fails" : "");
	subject_step(s, &event);
}

/* Names that exist, names that do not, none. */
static void hostile_name(const struct subject *s, struct reader *r, char ret_name[NAME_SIZE])
{
	uint8_t choice = reader_u8(r);
	struct text t = text_init(ret_name, NAME_SIZE);

	if (choice & 0x80)
		text_add(&t, "%s", s->conf->groups[choice % s->conf->group_count].name);
	else if (choice & 0x40)
		text_add(&t, "%s", s->conf->node.name);
	else if (choice & 0x20)
		text_add(&t, "node-%u", choice & 0x1f);
}

void hostile_request(struct subject *s, struct reader *r)
{
	static const enum control_command commands[] = {
		CONTROL_YIELD, CONTROL_DRAIN, CONTROL_RESUME};
	uint8_t choice = reader_u8(r);
	struct engine_request request = {.token = ++s->asked,
		.asked = {.command = commands[choice % 3], .force = choice & 0x80}};
	struct engine_event event = {.kind = ENGINE_REQUEST, .request = &request};

	hostile_name(s, r, request.asked.group);
	hostile_name(s, r, request.asked.to);
	subject_step(s, &event);
}
