/* SPDX-License-Identifier: ISC */
/*
 * frames: what a keeper and a kernel say to neighbours, by ARP for IPv4 addresses and by neighbour
 * discovery for IPv6 ones. Of the latter a solicitation goes to the multicast group of its target,
 * so that nobody else sees it; and who asks from :: (duplicate address detection) is answered to
 * all, with the override flag.
 */
#include <string.h>

#include "base/assert.h"
#include "sim/invariants.h"
#include "sim/world.h"
#include "wire/arp.h"
#include "wire/nd.h"

#define ETHERNET_ARP_TARGET_IP 38
#define IPV6_SOURCE            22 /* in an Ethernet frame */
#define IPV6_DESTINATION       38
#define IPV6_SIZE              16
#define ICMPV6                 54
#define ICMPV6_CHECKSUM        56
#define ICMPV6_FLAGS           58
#define FLAG_SOLICITED         0x40
#define NEXT_HEADER_ICMPV6     58
#define STRANGER_MAC           0x66, 0x66, 0, 0, 0, 0x66

static struct frame frame_about(
	const struct world *w, const struct node *n, enum frame_kind kind, size_t address)
{
	struct frame f = {.kind = kind, .from = node_index(w, n), .router = n->forwards};

	memcpy(f.mac, node_mac(n), MAC_SIZE);
	if (kind == FRAME_PROBE)
		f.target = n->conf.addresses[address].ip;
	else
		f.sender = n->conf.addresses[address].ip;
	return f;
}

void frames_announce(struct world *w, struct node *n, size_t address)
{
	struct frame f = frame_about(w, n, FRAME_ANNOUNCEMENT, address);

	invariant_announced(w, n, address);
	lan_frame_to_all(w, &f);
}

/* The clients are the neighbours that it knows. */
void frames_ask(struct world *w, struct node *n, size_t address, size_t target)
{
	struct frame f = frame_about(w, n, FRAME_REQUEST, address);

	if (target >= w->client_count)
		return;
	invariant_announced(w, n, address);
	f.target = *client_address(&w->clients[target], f.sender.family);
	lan_frame_to_all(w, &f);
}

void frames_tell_targets(struct world *w, struct node *n, size_t address)
{
	for (size_t t = 0; t < w->client_count && t < TARGETS_MAX; t++) {
		struct note note = {
			.verb = CHANNEL_TARGET, .index = (uint16_t)address, .second = (uint16_t)t};

		frames_ask(w, n, address, t);
		note.frame.target =
			*client_address(&w->clients[t], n->conf.addresses[address].ip.family);
		keeper_notes(w, n, &note, w->now);
	}
}

void frames_probe(struct world *w, struct node *n, size_t address)
{
	const struct ip *ip = &n->conf.addresses[address].ip;
	struct frame f = frame_about(w, n, FRAME_PROBE, address);
	struct note note = {.verb = CHANNEL_FRAME,
		.frame = {.kind = ip->family == IP_V4 ? FRAME_REPLY : FRAME_ANNOUNCEMENT,
			.mac = {STRANGER_MAC},
			.sender = *ip,
			.target = *ip}};

	lan_frame_to_all(w, &f);
	if (ip_equal(&w->stranger, ip))
		keeper_notes(w, n, &note, time_add(w->now, 2 * w->delay_ns));
}

void frames_answer(struct world *w, struct node *n, const struct frame *f, size_t address)
{
	struct frame reply = frame_about(w, n, FRAME_REPLY, address);

	if (!node_serves(w, n, n->conf.addresses[address].group))
		return;
	if (f->kind == FRAME_PROBE && reply.sender.family == IP_V6) {
		reply.kind = FRAME_ANNOUNCEMENT;
		lan_frame_to_all(w, &reply);
		return;
	}
	reply.target = f->sender;
	lan_frame_to(w, f->from, &reply);
}

bool frames_concern(const struct frame *f, const struct ip *shared)
{
	bool answers = f->kind == FRAME_REPLY && ip_equal(shared, &f->target);

	/* A probe has no sender, and the answer to one is about its target. A solicitation is for
	 * nobody but its target. */
	if (f->kind == FRAME_PROBE || (f->kind == FRAME_REQUEST && f->sender.family == IP_V6))
		return false;
	return answers || ip_equal(shared, &f->sender);
}

/* --- as bytes */

static uint32_t sum_up(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	return sum;
}

/* RFC 4443 section 2.3. */
static void seal(uint8_t frame[ND_FRAME_SIZE])
{
	size_t size = ND_FRAME_SIZE - ICMPV6;
	uint32_t sum = NEXT_HEADER_ICMPV6 + (uint32_t)size;

	frame[ICMPV6_CHECKSUM] = frame[ICMPV6_CHECKSUM + 1] = 0;
	sum += sum_up(frame + IPV6_SOURCE, (size_t)2 * IPV6_SIZE) + sum_up(frame + ICMPV6, size);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	frame[ICMPV6_CHECKSUM] = (uint8_t)(~sum >> 8);
	frame[ICMPV6_CHECKSUM + 1] = (uint8_t)~sum;
}

static size_t encode_nd(const struct frame *f, uint8_t *bytes)
{
	if (f->kind == FRAME_REQUEST) {
		nd_encode_request(bytes, f->mac, &f->sender, &f->target);
		return ND_FRAME_SIZE;
	}
	nd_encode_announcement(bytes, f->mac, &f->sender, f->router);
	if (f->kind == FRAME_REPLY) {
		memcpy(bytes + IPV6_DESTINATION, f->target.bytes, IPV6_SIZE);
		bytes[ICMPV6_FLAGS] |= FLAG_SOLICITED;
		seal(bytes);
	}
	return ND_FRAME_SIZE;
}

size_t frames_encode(const struct frame *f, uint8_t bytes[CHANNEL_FRAME_MAX])
{
	const struct ip *target = f->target.family != IP_NONE ? &f->target : &f->sender;

	assert(f->kind != FRAME_PROBE);
	if (f->sender.family == IP_V6)
		return encode_nd(f, bytes);
	if (f->kind == FRAME_REPLY)
		arp_encode_announcement_reply(bytes, f->mac, &f->sender);
	else
		arp_encode_announcement_request(bytes, f->mac, &f->sender);
	memcpy(bytes + ETHERNET_ARP_TARGET_IP, target->bytes, 4);
	return ARP_FRAME_SIZE;
}
