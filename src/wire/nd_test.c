/* SPDX-License-Identifier: ISC */
/* Frames written out byte by byte after RFC 4861 sections 4.3, 4.4 and 4.6.1, and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/nd.h"

#define CHECKSUM_OFFSET 56

/* clang-format off */
static const uint8_t MAC[MAC_SIZE] = {0x02, 0x00, 0x5e, 0x10, 0x20, 0x30};
static const struct ip ADDRESS = {
	.family = IP_V6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [14] = 0x01, [15] = 0x00}};
static const struct ip PEER = {.family = IP_V6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x01}};

static const uint8_t ANNOUNCEMENT[ND_FRAME_SIZE] = {
	0x33, 0x33, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 0x86, 0xdd,
	0x60, 0, 0, 0, 0, 32, 58, 255,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x00,
	0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01,
	136, 0, 0xf8, 0xec, 0xa0, 0, 0, 0,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x00,
	2, 1, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30,
};
static const uint8_t REQUEST[ND_FRAME_SIZE] = {
	0x33, 0x33, 0xff, 0x00, 0x00, 0x01, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 0x86, 0xdd,
	0x60, 0, 0, 0, 0, 32, 58, 255,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x00,
	0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff, 0x00, 0x00, 0x01,
	135, 0, 0x9c, 0xea, 0, 0, 0, 0,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x01,
	1, 1, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30,
};
static const uint8_t PROBE[ND_PROBE_FRAME_SIZE] = {
	0x33, 0x33, 0xff, 0x00, 0x01, 0x00, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 0x86, 0xdd,
	0x60, 0, 0, 0, 0, 24, 58, 255,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff, 0x00, 0x01, 0x00,
	135, 0, 0x4a, 0xef, 0, 0, 0, 0,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x00,
};
/* clang-format on */

static void the_three_forms_are_as_the_rfcs_draw_them(void **state)
{
	uint8_t frame[ND_FRAME_SIZE];

	(void)state;
	nd_encode_announcement(frame, MAC, &ADDRESS, true);
	assert_memory_equal(frame, ANNOUNCEMENT, sizeof(frame));
	nd_encode_request(frame, MAC, &ADDRESS, &PEER);
	assert_memory_equal(frame, REQUEST, sizeof(frame));
	nd_encode_probe(frame, MAC, &ADDRESS);
	assert_memory_equal(frame, PROBE, ND_PROBE_FRAME_SIZE);
}

static void the_router_flag_is_as_told(void **state)
{
	uint8_t frame[ND_FRAME_SIZE];
	struct nd nd;

	(void)state;
	for (int router = 0; router <= 1; router++) {
		nd_encode_announcement(frame, MAC, &ADDRESS, router);
		assert_true(nd_decode(frame, sizeof(frame), &nd));
		assert_int_equal(nd.router, router);
		assert_true(nd.override_flag);
		assert_false(nd.solicited);
	}
}

static void frames_are_read_back(void **state)
{
	struct nd nd;

	(void)state;
	assert_true(nd_decode(ANNOUNCEMENT, sizeof(ANNOUNCEMENT), &nd));
	assert_int_equal(nd.type, ND_ADVERTISEMENT);
	assert_memory_equal(nd.source_mac, MAC, MAC_SIZE);
	assert_true(nd.has_link_address);
	assert_memory_equal(nd.link_address, MAC, MAC_SIZE);
	assert_true(ip_equal(&nd.target, &ADDRESS));
	assert_true(nd_decode(REQUEST, sizeof(REQUEST), &nd));
	assert_int_equal(nd.type, ND_SOLICITATION);
	assert_true(ip_equal(&nd.source, &ADDRESS));
	assert_true(ip_equal(&nd.target, &PEER));
	assert_true(nd_decode(PROBE, sizeof(PROBE), &nd));
	assert_true(ip_is_unspecified(&nd.source));
	assert_false(nd.has_link_address);
}

static void every_truncation_is_refused(void **state)
{
	struct nd nd;

	(void)state;
	for (size_t size = 0; size < ND_FRAME_SIZE; size++) {
		uint8_t exact[ND_FRAME_SIZE];

		memcpy(exact, ANNOUNCEMENT, size);
		assert_false(nd_decode(exact, size, &nd));
	}
}

static void every_flipped_bit_behind_the_ethernet_header_is_noticed(void **state)
{
	struct nd nd;

	(void)state;
	for (size_t bit = 14 * 8; bit < ND_FRAME_SIZE * 8; bit++) {
		uint8_t frame[ND_FRAME_SIZE];
		bool unprotected = bit / 8 >= 14 && bit / 8 < 18; /* traffic class, flow label */

		memcpy(frame, ANNOUNCEMENT, sizeof(frame));
		frame[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		if (unprotected && bit / 4 != 28)
			assert_true(nd_decode(frame, sizeof(frame), &nd));
		else
			assert_false(nd_decode(frame, sizeof(frame), &nd));
	}
}

/* Puts the right checksum into a frame that was changed, so that the change itself is judged. */
static bool accepts(uint8_t *frame, size_t size)
{
	uint32_t sum = 58 + (uint32_t)(size - 54);
	struct nd nd;

	frame[CHECKSUM_OFFSET] = 0;
	frame[CHECKSUM_OFFSET + 1] = 0;
	frame[19] = (uint8_t)(size - 54);
	for (size_t i = 22; i < size; i++)
		sum += (uint32_t)(i % 2 ? frame[i] : frame[i] << 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	frame[CHECKSUM_OFFSET] = (uint8_t)(~sum >> 8);
	frame[CHECKSUM_OFFSET + 1] = (uint8_t)~sum;
	return nd_decode(frame, size, &nd);
}

static void what_rfc_4861_section_7_1_forbids_is_refused(void **state)
{
	/* one wrong byte each: hop limit, type, code, a multicast target, solicited to a group, an
	 * option without a length, one that is too long */
	static const struct {
		size_t offset;
		uint8_t value;
	} wrong[] = {
		{21, 254}, {54, 133}, {54, 137}, {55, 1}, {62, 0xff}, {58, 0x60}, {79, 0}, {79, 2}};
	uint8_t frame[ND_FRAME_SIZE + 8];

	(void)state;
	memcpy(frame, ANNOUNCEMENT, ND_FRAME_SIZE);
	assert_true(accepts(frame, ND_FRAME_SIZE));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memcpy(frame, ANNOUNCEMENT, ND_FRAME_SIZE);
		frame[wrong[i].offset] = wrong[i].value;
		assert_false(accepts(frame, ND_FRAME_SIZE));
	}
	/* a solicitation from :: with a source link-layer address, or not to the solicited node */
	memcpy(frame, PROBE, ND_PROBE_FRAME_SIZE);
	memcpy(frame + ND_PROBE_FRAME_SIZE, "\x01\x01\x02\x00\x5e\x10\x20\x30", 8);
	assert_false(accepts(frame, ND_FRAME_SIZE));
	assert_true(accepts(frame, ND_PROBE_FRAME_SIZE));
	frame[53] = 1;
	assert_false(accepts(frame, ND_PROBE_FRAME_SIZE));
	/* from a group */
	memcpy(frame, ANNOUNCEMENT, ND_FRAME_SIZE);
	frame[22] = 0xff;
	assert_false(accepts(frame, ND_FRAME_SIZE));
	/* half of an option's header, and half of a target */
	memcpy(frame, PROBE, ND_PROBE_FRAME_SIZE);
	frame[ND_PROBE_FRAME_SIZE] = 1;
	assert_false(accepts(frame, ND_PROBE_FRAME_SIZE + 1));
	assert_false(accepts(frame, ND_PROBE_FRAME_SIZE - 8));
}

/* RFC 4861 section 7.2.4: what answers a question is solicited, and goes to who asked. */
static void an_answer_to_a_question_is_read(void **state)
{
	uint8_t frame[ND_FRAME_SIZE + 8];
	struct nd nd;

	(void)state;
	memcpy(frame, ANNOUNCEMENT, ND_FRAME_SIZE);
	memcpy(frame + 38, PEER.bytes, 16);
	frame[58] = 0x60;
	assert_true(accepts(frame, ND_FRAME_SIZE));
	assert_true(nd_decode(frame, ND_FRAME_SIZE, &nd));
	assert_true(nd.solicited && nd.override_flag && !nd.router);
	/* A link-layer address of another length says nothing to us. */
	memcpy(frame + ND_FRAME_SIZE - 8, "\x02\x02 16 bytes in all", 16);
	assert_true(accepts(frame, ND_FRAME_SIZE + 8));
	assert_true(nd_decode(frame, ND_FRAME_SIZE + 8, &nd));
	assert_false(nd.has_link_address);
}

static void unknown_options_are_skipped(void **state)
{
	uint8_t frame[ND_FRAME_SIZE + 8];
	struct nd nd;

	(void)state;
	memcpy(frame, ANNOUNCEMENT, ND_FRAME_SIZE - 8);
	memcpy(frame + ND_FRAME_SIZE - 8, "\x0e\x01nonce!", 8); /* RFC 3971 section 5.3.2 */
	memcpy(frame + ND_FRAME_SIZE, ANNOUNCEMENT + ND_FRAME_SIZE - 8, 8);
	assert_true(accepts(frame, sizeof(frame)));
	assert_true(nd_decode(frame, sizeof(frame), &nd));
	assert_true(nd.has_link_address);
	assert_memory_equal(nd.link_address, MAC, MAC_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_forms_are_as_the_rfcs_draw_them),
		cmocka_unit_test(the_router_flag_is_as_told),
		cmocka_unit_test(frames_are_read_back),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(every_flipped_bit_behind_the_ethernet_header_is_noticed),
		cmocka_unit_test(what_rfc_4861_section_7_1_forbids_is_refused),
		cmocka_unit_test(an_answer_to_a_question_is_read),
		cmocka_unit_test(unknown_options_are_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
