/* SPDX-License-Identifier: ISC */
/* Frames written out byte by byte after RFC 826, and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/arp.h"

/* clang-format off */
static const uint8_t MAC[MAC_SIZE] = {0x02, 0x00, 0x5e, 0x10, 0x20, 0x30};
static const struct ip ADDRESS = {.family = IP_V4, .bytes = {192, 168, 1, 100}};
static const struct ip PEER = {.family = IP_V4, .bytes = {192, 168, 1, 1}};

static const uint8_t ANNOUNCEMENT_REQUEST[ARP_FRAME_SIZE] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 0x08, 0x06,
	0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01,
	0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 192, 168, 1, 100,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 192, 168, 1, 100,
};
static const uint8_t ANNOUNCEMENT_REPLY[ARP_FRAME_SIZE] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 0x08, 0x06,
	0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x02,
	0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 192, 168, 1, 100,
	0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 192, 168, 1, 100,
};
static const uint8_t REQUEST[ARP_FRAME_SIZE] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 0x08, 0x06,
	0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01,
	0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 192, 168, 1, 100,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 192, 168, 1, 1,
};
static const uint8_t PROBE[ARP_FRAME_SIZE] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 0x08, 0x06,
	0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01,
	0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 0, 0, 0, 0,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 192, 168, 1, 100,
};
/* clang-format on */

static void the_four_forms_are_as_the_rfcs_draw_them(void **state)
{
	uint8_t frame[ARP_FRAME_SIZE];

	(void)state;
	arp_encode_announcement_request(frame, MAC, &ADDRESS);
	assert_memory_equal(frame, ANNOUNCEMENT_REQUEST, sizeof(frame));
	arp_encode_announcement_reply(frame, MAC, &ADDRESS);
	assert_memory_equal(frame, ANNOUNCEMENT_REPLY, sizeof(frame));
	arp_encode_request(frame, MAC, &ADDRESS, &PEER);
	assert_memory_equal(frame, REQUEST, sizeof(frame));
	arp_encode_probe(frame, MAC, &ADDRESS);
	assert_memory_equal(frame, PROBE, sizeof(frame));
}

static void a_frame_is_read_back_with_padding(void **state)
{
	static const uint8_t broadcast[MAC_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint8_t padded[60] = {0}; /* the least that Ethernet carries */
	struct arp arp;

	(void)state;
	memcpy(padded, ANNOUNCEMENT_REPLY, ARP_FRAME_SIZE);
	memset(padded + ARP_FRAME_SIZE, 0xa5, sizeof(padded) - ARP_FRAME_SIZE);
	assert_true(arp_decode(padded, sizeof(padded), &arp));
	assert_int_equal(arp.operation, ARP_REPLY);
	assert_memory_equal(arp.destination, broadcast, MAC_SIZE);
	assert_memory_equal(arp.source, MAC, MAC_SIZE);
	assert_memory_equal(arp.sender_mac, MAC, MAC_SIZE);
	assert_memory_equal(arp.target_mac, MAC, MAC_SIZE);
	assert_true(ip_equal(&arp.sender, &ADDRESS));
	assert_true(ip_equal(&arp.target, &ADDRESS));
	assert_true(arp_decode(REQUEST, sizeof(REQUEST), &arp));
	assert_true(ip_equal(&arp.target, &PEER));
}

static void every_truncation_is_refused(void **state)
{
	struct arp arp;

	(void)state;
	for (size_t size = 0; size < ARP_FRAME_SIZE; size++) {
		uint8_t exact[ARP_FRAME_SIZE];

		memcpy(exact, REQUEST, size);
		assert_false(arp_decode(exact, size, &arp));
	}
}

static void other_hardware_protocol_or_operation_is_refused(void **state)
{
	/* one wrong byte each: ethertype, hardware, protocol, two lengths, operation */
	static const struct {
		size_t offset;
		uint8_t value;
	} wrong[] = {{13, 0x00}, {15, 6}, {16, 0x86}, {18, 8}, {19, 16}, {20, 1}, {21, 0}, {21, 3}};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t frame[ARP_FRAME_SIZE];
		struct arp arp;

		memcpy(frame, REQUEST, sizeof(frame));
		frame[wrong[i].offset] = wrong[i].value;
		assert_false(arp_decode(frame, sizeof(frame), &arp));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_four_forms_are_as_the_rfcs_draw_them),
		cmocka_unit_test(a_frame_is_read_back_with_padding),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(other_hardware_protocol_or_operation_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
