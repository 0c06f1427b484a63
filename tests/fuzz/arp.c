/* SPDX-License-Identifier: ISC */
/* fuzz_arp: ARP frames. One that says what a request of ours says is ours byte for byte, and
 * whatever we make of what it says is understood. */
#include "fuzz/fuzz.h"
#include "wire/arp.h"

static struct arp decode(const uint8_t *frame)
{
	struct arp arp;

	assert(arp_decode(frame, ARP_FRAME_SIZE, &arp));
	return arp;
}

static void check_own_forms(const struct arp *arp)
{
	static const struct ip nobody = {.family = IP_V4};
	uint8_t frame[ARP_FRAME_SIZE];
	struct arp own;

	arp_encode_announcement_request(frame, arp->sender_mac, &arp->sender);
	own = decode(frame);
	assert(own.operation == ARP_REQUEST && ip_equal(&own.target, &arp->sender));
	arp_encode_announcement_reply(frame, arp->sender_mac, &arp->sender);
	own = decode(frame);
	assert(own.operation == ARP_REPLY && ip_equal(&own.sender, &arp->sender));
	assert(memcmp(own.target_mac, arp->sender_mac, MAC_SIZE) == 0);
	arp_encode_probe(frame, arp->sender_mac, &arp->target);
	own = decode(frame);
	assert(ip_equal(&own.sender, &nobody) && ip_equal(&own.target, &arp->target));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t frame[ARP_FRAME_SIZE];
	struct arp arp, own;

	if (!arp_decode(bytes, size, &arp))
		return 0;
	assert(size >= ARP_FRAME_SIZE);
	assert(arp.sender.family == IP_V4 && arp.target.family == IP_V4);
	check_own_forms(&arp);
	arp_encode_request(frame, arp.sender_mac, &arp.sender, &arp.target);
	own = decode(frame);
	if (memcmp(&own, &arp, sizeof(arp)) == 0)
		assert(memcmp(frame, bytes, ARP_FRAME_SIZE) == 0);
	return 0;
}
