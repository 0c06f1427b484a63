/* SPDX-License-Identifier: ISC */
#include "wire/arp.h"

#include "base/assert.h"
#include "wire/bytes.h"

#define ETHERTYPE_OF_ARP  0x0806
#define ETHERTYPE_OF_IPV4 0x0800
#define HARDWARE_ETHERNET 1
#define IPV4_SIZE         4

static const uint8_t BROADCAST[MAC_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t ZERO[MAC_SIZE];

static void encode(uint8_t *frame, const struct arp *arp)
{
	struct writer w = writer_init(frame, ARP_FRAME_SIZE);

	writer_bytes(&w, arp->destination, MAC_SIZE);
	writer_bytes(&w, arp->source, MAC_SIZE);
	writer_u16(&w, ETHERTYPE_OF_ARP);
	writer_u16(&w, HARDWARE_ETHERNET);
	writer_u16(&w, ETHERTYPE_OF_IPV4);
	writer_u8(&w, MAC_SIZE);
	writer_u8(&w, IPV4_SIZE);
	writer_u16(&w, arp->operation);
	writer_bytes(&w, arp->sender_mac, MAC_SIZE);
	writer_bytes(&w, arp->sender.bytes, IPV4_SIZE);
	writer_bytes(&w, arp->target_mac, MAC_SIZE);
	writer_bytes(&w, arp->target.bytes, IPV4_SIZE);
	assert(!w.failed && w.used == ARP_FRAME_SIZE);
}

/* Every form that we send is a broadcast, so that it reaches whoever remembers the old holder. */
static void encode_broadcast(uint8_t *frame, enum arp_operation operation, const uint8_t *mac,
	const struct ip *sender, const uint8_t *target_mac, const struct ip *target)
{
	struct arp arp = {
		.operation = (uint16_t)operation,
		.sender = *sender,
		.target = *target,
	};

	assert(target->family == IP_V4);
	memcpy(arp.destination, BROADCAST, MAC_SIZE);
	memcpy(arp.source, mac, MAC_SIZE);
	memcpy(arp.sender_mac, mac, MAC_SIZE);
	memcpy(arp.target_mac, target_mac, MAC_SIZE);
	encode(frame, &arp);
}

void arp_encode_announcement_request(
	uint8_t frame[ARP_FRAME_SIZE], const uint8_t mac[MAC_SIZE], const struct ip *address)
{
	encode_broadcast(frame, ARP_REQUEST, mac, address, ZERO, address);
}

void arp_encode_announcement_reply(
	uint8_t frame[ARP_FRAME_SIZE], const uint8_t mac[MAC_SIZE], const struct ip *address)
{
	encode_broadcast(frame, ARP_REPLY, mac, address, mac, address);
}

void arp_encode_request(uint8_t frame[ARP_FRAME_SIZE], const uint8_t mac[MAC_SIZE],
	const struct ip *address, const struct ip *peer)
{
	encode_broadcast(frame, ARP_REQUEST, mac, address, ZERO, peer);
}

void arp_encode_probe(
	uint8_t frame[ARP_FRAME_SIZE], const uint8_t mac[MAC_SIZE], const struct ip *address)
{
	static const struct ip nobody = {.family = IP_V4};

	encode_broadcast(frame, ARP_REQUEST, mac, &nobody, ZERO, address);
}

static struct ip read_ip(struct reader *r)
{
	uint8_t bytes[IPV4_SIZE];

	reader_bytes(r, bytes, sizeof(bytes));
	return ip_from_v4(bytes);
}

bool arp_decode(const uint8_t *frame, size_t size, struct arp *ret_arp)
{
	struct reader r = reader_init(frame, size);
	struct arp arp;
	bool ethernet_ipv4;

	reader_bytes(&r, arp.destination, MAC_SIZE);
	reader_bytes(&r, arp.source, MAC_SIZE);
	ethernet_ipv4 = reader_u16(&r) == ETHERTYPE_OF_ARP;
	ethernet_ipv4 &= reader_u16(&r) == HARDWARE_ETHERNET;
	ethernet_ipv4 &= reader_u16(&r) == ETHERTYPE_OF_IPV4;
	ethernet_ipv4 &= reader_u8(&r) == MAC_SIZE;
	ethernet_ipv4 &= reader_u8(&r) == IPV4_SIZE;
	arp.operation = reader_u16(&r);
	reader_bytes(&r, arp.sender_mac, MAC_SIZE);
	arp.sender = read_ip(&r);
	reader_bytes(&r, arp.target_mac, MAC_SIZE);
	arp.target = read_ip(&r);
	if (r.failed || !ethernet_ipv4)
		return false;
	if (arp.operation != ARP_REQUEST && arp.operation != ARP_REPLY)
		return false;
	*ret_arp = arp;
	return true;
}
