/* SPDX-License-Identifier: ISC */
/* fuzz_nd: neighbour discovery frames, as they come and with a right checksum, which chance would
 * not find. What is accepted obeys RFC 4861 section 7.1, and what we make of it is understood. */
#include "fuzz/fuzz.h"
#include "wire/nd.h"

#define ICMPV6_OFFSET   54
#define CHECKSUM_OFFSET 56
#define ADDRESSES       22 /* source and destination, 32 bytes */
#define ICMPV6          58
#define FRAME_MAX       512

/* RFC 4443 section 2.3, over the pseudo-header's addresses and the message. */
static uint16_t checksum(const uint8_t *frame, size_t size)
{
	uint32_t sum = (uint32_t)(size - ICMPV6_OFFSET) + ICMPV6;

	for (size_t i = ADDRESSES; i < size; i++)
		sum += i % 2 ? frame[i] : (uint32_t)frame[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void check_own_forms(const struct nd *nd)
{
	uint8_t frame[ND_FRAME_SIZE], probe[ND_PROBE_FRAME_SIZE];
	struct nd own;

	if (!ip_is_unspecified(&nd->source)) {
		nd_encode_request(frame, nd->source_mac, &nd->source, &nd->target);
		assert(nd_decode(frame, sizeof(frame), &own));
		assert(ip_equal(&own.source, &nd->source) && ip_equal(&own.target, &nd->target));
	}
	nd_encode_announcement(frame, nd->source_mac, &nd->target, nd->router);
	assert(nd_decode(frame, sizeof(frame), &own));
	assert(own.override_flag && own.router == nd->router && own.has_link_address);
	nd_encode_probe(probe, nd->source_mac, &nd->target);
	assert(nd_decode(probe, sizeof(probe), &own));
	assert(ip_is_unspecified(&own.source) && !own.has_link_address);
}

static void check(const uint8_t *frame, size_t size)
{
	struct nd nd;

	if (!nd_decode(frame, size, &nd))
		return;
	assert(nd.type == ND_SOLICITATION || nd.type == ND_ADVERTISEMENT);
	assert(nd.target.family == IP_V6 && !ip_is_multicast(&nd.target));
	assert(!ip_is_multicast(&nd.source));
	check_own_forms(&nd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t frame[FRAME_MAX];
	size_t payload;
	uint16_t sum;

	check(bytes, size);
	if (size < ICMPV6_OFFSET + 4 || size > sizeof(frame))
		return 0;
	memcpy(frame, bytes, size);
	payload = size - ICMPV6_OFFSET;
	frame[18] = (uint8_t)(payload >> 8);
	frame[19] = (uint8_t)payload;
	memset(frame + CHECKSUM_OFFSET, 0, 2);
	sum = checksum(frame, size);
	frame[CHECKSUM_OFFSET] = (uint8_t)(sum >> 8);
	frame[CHECKSUM_OFFSET + 1] = (uint8_t)sum;
	check(frame, size);
	return 0;
}
