/* SPDX-License-Identifier: ISC */
#include "wire/nd.h"

#include "base/assert.h"
#include "wire/bytes.h"

#define ETHERTYPE_OF_IPV6     0x86dd
#define NEXT_HEADER_ICMPV6    58
#define HOP_LIMIT             255
#define IPV6_SIZE             16
#define ICMPV6_OFFSET         54 /* Ethernet 14, IPv6 40 */
#define MESSAGE_SIZE          24 /* ICMPv6 header, flags or reserved, target: RFC 4861 section 4.3 */
#define LINK_OPTION_SIZE      8
#define OPTION_SOURCE_ADDRESS 1
#define OPTION_TARGET_ADDRESS 2

#define FLAG_ROUTER    0x80000000u
#define FLAG_SOLICITED 0x40000000u
#define FLAG_OVERRIDE  0x20000000u

static const struct ip ALL_NODES = {.family = IP_V6, .bytes = {0xff, 0x02, [15] = 1}};
static const struct ip UNSPECIFIED = {.family = IP_V6};

/* RFC 4291 section 2.7.1: ff02::1:ff00:0/104 and the low 24 bits of the address. */
static struct ip solicited_node(const struct ip *target)
{
	struct ip group = {.family = IP_V6, .bytes = {0xff, 0x02, [11] = 1, [12] = 0xff}};

	memcpy(group.bytes + 13, target->bytes + 13, 3);
	return group;
}

/* RFC 1071; @size may be odd. */
static uint32_t sum_words(uint32_t sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	if (size % 2)
		sum += (uint32_t)(bytes[size - 1] << 8);
	return sum;
}

/* The sum over pseudo-header and message (RFC 8200 section 8.1): the checksum to send if the field
 * is zero, and 0 over a message that arrived whole. */
static uint16_t checksum(
	const uint8_t *source, const uint8_t *destination, const uint8_t *message, size_t size)
{
	uint32_t sum = (uint32_t)size + NEXT_HEADER_ICMPV6;

	sum = sum_words(sum, source, IPV6_SIZE);
	sum = sum_words(sum, destination, IPV6_SIZE);
	sum = sum_words(sum, message, size);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Writes @nd to the multicast group that is its destination; with the link-layer address option if
 * nd->has_link_address. */
static void encode(uint8_t *frame, size_t size, const struct nd *nd)
{
	struct writer w = writer_init(frame, size);
	uint32_t flags = (nd->router ? FLAG_ROUTER : 0) | (nd->override_flag ? FLAG_OVERRIDE : 0);
	size_t payload = size - ICMPV6_OFFSET;

	assert(nd->target.family == IP_V6 && ip_is_multicast(&nd->destination));
	writer_u16(&w, 0x3333); /* RFC 2464 section 7 */
	writer_bytes(&w, nd->destination.bytes + 12, 4);
	writer_bytes(&w, nd->source_mac, MAC_SIZE);
	writer_u16(&w, ETHERTYPE_OF_IPV6);
	writer_u32(&w, 0x60000000);
	writer_u16(&w, (uint16_t)payload);
	writer_u8(&w, NEXT_HEADER_ICMPV6);
	writer_u8(&w, HOP_LIMIT);
	writer_bytes(&w, nd->source.bytes, IPV6_SIZE);
	writer_bytes(&w, nd->destination.bytes, IPV6_SIZE);
	writer_u8(&w, nd->type);
	writer_u8(&w, 0);
	writer_u16(&w, 0); /* the checksum's place */
	writer_u32(&w, flags);
	writer_bytes(&w, nd->target.bytes, IPV6_SIZE);
	if (nd->has_link_address) {
		writer_u8(&w, nd->type == ND_SOLICITATION ? OPTION_SOURCE_ADDRESS
							  : OPTION_TARGET_ADDRESS);
		writer_u8(&w, 1);
		writer_bytes(&w, nd->link_address, MAC_SIZE);
	}
	assert(!w.failed && w.used == size);

	struct writer field = writer_init(frame + ICMPV6_OFFSET + 2, 2);

	writer_u16(&field,
		checksum(nd->source.bytes, nd->destination.bytes, frame + ICMPV6_OFFSET, payload));
}

void nd_encode_announcement(uint8_t frame[ND_FRAME_SIZE], const uint8_t mac[MAC_SIZE],
	const struct ip *address, bool router)
{
	struct nd nd = {
		.type = ND_ADVERTISEMENT,
		.source = *address,
		.destination = ALL_NODES,
		.target = *address,
		.router = router,
		.override_flag = true,
		.has_link_address = true,
	};

	memcpy(nd.source_mac, mac, MAC_SIZE);
	memcpy(nd.link_address, mac, MAC_SIZE);
	encode(frame, ND_FRAME_SIZE, &nd);
}

void nd_encode_request(uint8_t frame[ND_FRAME_SIZE], const uint8_t mac[MAC_SIZE],
	const struct ip *address, const struct ip *peer)
{
	struct nd nd = {
		.type = ND_SOLICITATION,
		.source = *address,
		.destination = solicited_node(peer),
		.target = *peer,
		.has_link_address = true,
	};

	memcpy(nd.source_mac, mac, MAC_SIZE);
	memcpy(nd.link_address, mac, MAC_SIZE);
	encode(frame, ND_FRAME_SIZE, &nd);
}

void nd_encode_probe(
	uint8_t frame[ND_PROBE_FRAME_SIZE], const uint8_t mac[MAC_SIZE], const struct ip *address)
{
	struct nd nd = {
		.type = ND_SOLICITATION,
		.source = UNSPECIFIED,
		.destination = solicited_node(address),
		.target = *address,
	};

	memcpy(nd.source_mac, mac, MAC_SIZE);
	encode(frame, ND_PROBE_FRAME_SIZE, &nd);
}

static struct ip read_ip(struct reader *r)
{
	uint8_t bytes[IPV6_SIZE];

	reader_bytes(r, bytes, sizeof(bytes));
	return ip_from_v6(bytes);
}

/* The options behind the target. False if one has no length or passes the end: RFC 4861 section 4.6
 * wants the whole message discarded. */
static bool read_options(struct reader *r, struct nd *nd)
{
	uint8_t wanted =
		nd->type == ND_SOLICITATION ? OPTION_SOURCE_ADDRESS : OPTION_TARGET_ADDRESS;

	while (r->left > 0 && !r->failed) {
		uint8_t type = reader_u8(r);
		size_t size = (size_t)reader_u8(r) * 8;
		const uint8_t *body;

		if (size == 0)
			return false;
		body = reader_take(r, size - 2);
		if (body && type == wanted && size == LINK_OPTION_SIZE) {
			nd->has_link_address = true;
			memcpy(nd->link_address, body, MAC_SIZE);
		}
	}
	return !r->failed;
}

/* RFC 4861 sections 7.1.1 and 7.1.2, what concerns addresses and flags. */
static bool is_consistent(const struct nd *nd)
{
	if (ip_is_multicast(&nd->target) || ip_is_multicast(&nd->source))
		return false;
	if (nd->type == ND_ADVERTISEMENT)
		return !(nd->solicited && ip_is_multicast(&nd->destination));
	if (ip_is_unspecified(&nd->source)) {
		struct ip group = solicited_node(&nd->target);

		return ip_equal(&nd->destination, &group) && !nd->has_link_address;
	}
	return true;
}

/* @message: the @size bytes of ICMPv6 payload, whose checksum is right. */
static bool decode_message(const uint8_t *message, size_t size, struct nd *nd)
{
	struct reader r = reader_init(message, size);
	uint32_t flags;

	nd->type = reader_u8(&r);
	if (nd->type != ND_SOLICITATION && nd->type != ND_ADVERTISEMENT)
		return false;
	if (reader_u8(&r) != 0)
		return false;
	(void)reader_u16(&r); /* the checksum */
	flags = reader_u32(&r);
	if (nd->type == ND_ADVERTISEMENT) {
		nd->router = flags & FLAG_ROUTER;
		nd->solicited = flags & FLAG_SOLICITED;
		nd->override_flag = flags & FLAG_OVERRIDE;
	}
	nd->target = read_ip(&r);
	assert(!r.failed); /* nd_decode() has asked for so much */
	return read_options(&r, nd) && is_consistent(nd);
}

bool nd_decode(const uint8_t *frame, size_t size, struct nd *ret_nd)
{
	struct reader r = reader_init(frame, size);
	struct nd nd = {0};
	const uint8_t *message;
	size_t message_size;
	bool icmpv6;

	(void)reader_take(&r, MAC_SIZE);
	reader_bytes(&r, nd.source_mac, MAC_SIZE);
	icmpv6 = reader_u16(&r) == ETHERTYPE_OF_IPV6;
	icmpv6 &= reader_u32(&r) >> 28 == 6;
	message_size = reader_u16(&r);
	icmpv6 &= reader_u8(&r) == NEXT_HEADER_ICMPV6;
	icmpv6 &= reader_u8(&r) == HOP_LIMIT;
	nd.source = read_ip(&r);
	nd.destination = read_ip(&r);
	message = reader_take(&r, message_size);
	if (!message || !icmpv6 || message_size < MESSAGE_SIZE)
		return false;
	if (checksum(nd.source.bytes, nd.destination.bytes, message, message_size) != 0)
		return false;
	if (!decode_message(message, message_size, &nd))
		return false;
	*ret_nd = nd;
	return true;
}
