/* SPDX-License-Identifier: ISC */
/* The filter programs, run by the kernel itself: attached to one end of a pair of Unix datagram
 * sockets, into which frames are put. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "keeper/capture.h"
#include "wire/arp.h"
#include "wire/channel.h"
#include "wire/nd.h"

#define ND_SOURCE      22
#define ND_DESTINATION 38

static const uint8_t MAC[MAC_SIZE] = {2, 0, 0, 0, 0, 1};

static struct ip ip_of(const char *text)
{
	struct ip ip = {0};

	assert_true(ip_parse(text, &ip));
	return ip;
}

static struct conf *conf_with(const char *const *addresses, size_t count)
{
	struct conf *c = calloc(1, sizeof(*c) + ADDRESSES_MAX * sizeof(*c->addresses));

	assert_non_null(c);
	c->addresses = (void *)(c + 1);
	for (size_t i = 0; i < count; i++)
		c->addresses[c->address_count++].ip = ip_of(addresses[i]);
	return c;
}

/* How many bytes of @frame the program lets through. */
static size_t passed(const struct capture_program *p, const uint8_t *frame, size_t size)
{
	const struct sock_fprog program = {.len = p->length, .filter = (void *)p->code};
	uint8_t out[256];
	ssize_t got;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_int_equal(
		setsockopt(ends[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
	(void)send(ends[0], frame, size, 0); /* fails when the filter drops it */
	got = recv(ends[1], out, sizeof(out), 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return got > 0 ? (size_t)got : 0;
}

static bool arp_passes(
	const struct conf *c, enum arp_operation operation, const char *sender, const char *target)
{
	struct capture_program *p = malloc(sizeof(*p));
	struct ip from = ip_of(sender), to = ip_of(target);
	uint8_t frame[ARP_FRAME_SIZE];
	bool passes;

	assert_non_null(p);
	capture_arp_program(c, &(size_t){0}, p);
	arp_encode_request(frame, MAC, &from, &to);
	frame[21] = (uint8_t)operation;
	passes = passed(p, frame, sizeof(frame)) == sizeof(frame);
	frame[19] = 16; /* not IPv4 */
	assert_int_equal(passed(p, frame, sizeof(frame)), 0);
	free(p);
	return passes;
}

static void arp_frames_of_shared_addresses_pass(void **state)
{
	static const char *const shared[] = {"10.0.0.1", "fd00::1", "10.0.0.2"};
	struct conf *c = conf_with(shared, 3);

	(void)state;
	assert_true(arp_passes(c, ARP_REQUEST, "10.0.0.1", "10.0.0.9"));
	assert_true(arp_passes(c, ARP_REPLY, "10.0.0.2", "10.0.0.9"));
	assert_true(arp_passes(c, ARP_REPLY, "10.0.0.9", "10.0.0.1"));
	assert_false(arp_passes(c, ARP_REQUEST, "10.0.0.9", "10.0.0.1"));
	assert_false(arp_passes(c, ARP_REQUEST, "10.0.0.9", "10.0.0.8"));
	assert_false(arp_passes(c, ARP_REPLY, "10.0.0.9", "10.0.0.8"));
	free(c);
}

/* Whether any of the programs for @c passes the frame. */
static bool nd_frame_passes(const struct conf *c, const uint8_t *frame, size_t size)
{
	struct capture_program *p = malloc(sizeof(*p));
	bool passes = false;

	assert_non_null(p);
	for (size_t from = 0; from < c->address_count;) {
		capture_nd_program(c, &from, p);
		passes |= passed(p, frame, size) > 0;
	}
	free(p);
	return passes;
}

static bool nd_passes(const struct conf *c, enum nd_type type, const char *source,
	const char *destination, const char *target)
{
	struct ip from = ip_of(source), to = ip_of(destination), about = ip_of(target);
	uint8_t frame[ND_FRAME_SIZE];

	nd_encode_announcement(frame, MAC, &about, false);
	frame[54] = (uint8_t)type;
	memcpy(frame + ND_SOURCE, from.bytes, 16);
	memcpy(frame + ND_DESTINATION, to.bytes, 16);
	return nd_frame_passes(c, frame, sizeof(frame));
}

static void nd_messages_of_shared_addresses_pass(void **state)
{
	/* alike in all words but one */
	static const char *const shared[] = {
		"fd00:0:1::1", "10.0.0.1", "fd00:0:2::1", "fd00::1:0:1"};
	struct conf *c = conf_with(shared, 4);

	(void)state;
	for (size_t i = 0; i < 4; i += i == 0 ? 2 : 1) {
		assert_true(nd_passes(c, ND_ADVERTISEMENT, "fe80::9", "ff02::1", shared[i]));
		assert_true(nd_passes(c, ND_ADVERTISEMENT, "fe80::9", shared[i], "fe80::9"));
		assert_true(nd_passes(c, ND_SOLICITATION, shared[i], "ff02::1", "fd00::9"));
		assert_true(nd_passes(c, ND_SOLICITATION, "::", "ff02::1", shared[i]));
		/* somebody merely wants to talk to it */
		assert_false(nd_passes(c, ND_SOLICITATION, "fd00::9", "ff02::1", shared[i]));
		assert_false(nd_passes(c, ND_ADVERTISEMENT, shared[i], "ff02::1", "fd00::9"));
	}
	assert_false(nd_passes(c, ND_ADVERTISEMENT, "fe80::9", "fd00::1", "fd00::1"));
	assert_false(nd_passes(c, ND_ADVERTISEMENT, "fe80::9", "fe80::1", "fd00:0:3::1"));
	assert_false(nd_passes(c, ND_SOLICITATION, "::", "ff02::1", "fd00:0:1::2"));
	assert_false(nd_passes(c, ND_SOLICITATION, "::1", "ff02::1", shared[0]));
	assert_false(nd_passes(c, ND_SOLICITATION, "fd00::", "ff02::1", shared[0]));
	free(c);
}

static void other_messages_and_forwarded_ones_do_not_pass(void **state)
{
	static const char *const shared[] = {"fd00::1"};
	struct conf *c = conf_with(shared, 1);
	struct ip about = ip_of(shared[0]);
	uint8_t frame[ND_FRAME_SIZE];

	(void)state;
	nd_encode_announcement(frame, MAC, &about, false);
	assert_true(nd_frame_passes(c, frame, sizeof(frame)));
	for (size_t size = 0; size < 78; size++)
		assert_false(nd_frame_passes(c, frame, size));
	frame[21] = 254;
	assert_false(nd_frame_passes(c, frame, sizeof(frame)));
	frame[21] = 255;
	frame[20] = 17;
	assert_false(nd_frame_passes(c, frame, sizeof(frame)));
	frame[20] = 58;
	frame[54] = 134; /* a router advertisement */
	assert_false(nd_frame_passes(c, frame, sizeof(frame)));
	free(c);
}

static void the_most_addresses_fit(void **state)
{
	struct conf *c = conf_with(NULL, 0);

	(void)state;
	for (size_t i = 0; i < ADDRESSES_MAX; i++) {
		c->addresses[i].ip = ip_of("fd00::");
		c->addresses[i].ip.bytes[14] = (uint8_t)i;
	}
	c->address_count = ADDRESSES_MAX;
	assert_true(nd_passes(c, ND_ADVERTISEMENT, "fe80::9", "ff02::1", "fd00::"));
	assert_true(nd_passes(c, ND_ADVERTISEMENT, "fe80::9", "ff02::1", "fd00::ff00"));
	assert_true(nd_passes(c, ND_SOLICITATION, "::", "ff02::1", "fd00::c700"));
	assert_false(nd_passes(c, ND_ADVERTISEMENT, "fe80::9", "ff02::1", "fd00::ff01"));
	for (size_t i = 0; i < ADDRESSES_MAX; i++) {
		c->addresses[i].ip = ip_of("10.0.0.0");
		c->addresses[i].ip.bytes[3] = (uint8_t)i;
	}
	assert_true(arp_passes(c, ARP_REPLY, "10.9.0.1", "10.0.0.255"));
	assert_false(arp_passes(c, ARP_REPLY, "10.9.0.1", "10.9.0.2"));
	free(c);
}

static void each_of_many_is_found_and_nothing_between_them(void **state)
{
	enum { COUNT = 200 };
	struct conf *c = conf_with(NULL, 0);
	char text[IP_TEXT_SIZE];

	(void)state;
	c->address_count = COUNT;
	for (size_t i = 0; i < COUNT; i++) { /* not in order, every second one */
		c->addresses[i].ip = ip_of("10.0.0.0");
		c->addresses[i].ip.bytes[2] = (uint8_t)(i * 37 % COUNT / 100);
		c->addresses[i].ip.bytes[3] = (uint8_t)(i * 37 % COUNT % 100 * 2);
	}
	for (size_t i = 0; i < COUNT; i++) {
		struct ip ip = c->addresses[i].ip;

		assert_true(arp_passes(c, ARP_REQUEST, ip_format(&ip, text), "10.9.0.1"));
		ip.bytes[3]++;
		assert_false(arp_passes(c, ARP_REQUEST, ip_format(&ip, text), "10.9.0.1"));
	}
	for (size_t i = 0; i < COUNT; i++) { /* of ten networks, so that last words are equal */
		c->addresses[i].ip = ip_of("fd00::");
		c->addresses[i].ip.bytes[7] = (uint8_t)(i % 10);
		c->addresses[i].ip.bytes[15] = (uint8_t)(i / 10 * 3);
	}
	for (size_t i = 0; i < COUNT; i++) {
		struct ip ip = c->addresses[i].ip;

		assert_true(
			nd_passes(c, ND_ADVERTISEMENT, "fe80::9", "ff02::1", ip_format(&ip, text)));
		ip.bytes[15]++;
		assert_false(
			nd_passes(c, ND_ADVERTISEMENT, "fe80::9", "ff02::1", ip_format(&ip, text)));
	}
	free(c);
}

static void long_frames_are_cut(void **state)
{
	static const char *const shared[] = {"fd00::1"};
	struct conf *c = conf_with(shared, 1);
	struct capture_program *p = malloc(sizeof(*p));
	struct ip about = ip_of(shared[0]);
	uint8_t frame[200] = {0};
	size_t from = 0;

	(void)state;
	assert_non_null(p);
	nd_encode_announcement(frame, MAC, &about, false);
	capture_nd_program(c, &from, p);
	assert_int_equal(passed(p, frame, sizeof(frame)), CHANNEL_FRAME_MAX);
	free(p);
	free(c);
}

/* Of the neighbours that checks ask, the answers and nothing else. */
static void answers_of_neighbours_pass(void **state)
{
	const struct ip list[] = {
		ip_of("10.0.0.1"), ip_of("fd00::1"), ip_of("10.0.0.2"), ip_of("fd00::1:0:0:2")};
	static const char *const others[] = {"10.0.0.3", "fd00::2", "fd00::2:0:0:2", "fd01::1"};
	struct capture_program *arp = malloc(sizeof(*arp)), *nd = malloc(sizeof(*nd));
	uint8_t frame[ND_FRAME_SIZE];

	(void)state;
	assert_non_null(arp);
	assert_non_null(nd);
	capture_answers_program(list, 4, IP_V4, arp);
	capture_answers_program(list, 4, IP_V6, nd);
	for (size_t i = 0; i < 4; i++) {
		struct ip asked = list[i], other = ip_of(others[i]);

		if (asked.family == IP_V4) {
			arp_encode_announcement_reply(frame, MAC, &asked);
			assert_true(passed(arp, frame, ARP_FRAME_SIZE) > 0);
			arp_encode_announcement_request(frame, MAC, &asked);
			assert_int_equal(passed(arp, frame, ARP_FRAME_SIZE), 0);
		} else {
			nd_encode_announcement(frame, MAC, &asked, false);
			assert_true(passed(nd, frame, ND_FRAME_SIZE) > 0);
			nd_encode_request(frame, MAC, &asked, &asked);
			assert_int_equal(passed(nd, frame, ND_FRAME_SIZE), 0);
		}
		if (other.family == IP_V4) {
			arp_encode_announcement_reply(frame, MAC, &other);
			assert_int_equal(passed(arp, frame, ARP_FRAME_SIZE), 0);
		} else {
			nd_encode_announcement(frame, MAC, &other, false);
			assert_int_equal(passed(nd, frame, ND_FRAME_SIZE), 0);
		}
	}
	capture_answers_program(list, 0, IP_V4, arp);
	arp_encode_announcement_reply(frame, MAC, &list[0]);
	assert_int_equal(passed(arp, frame, ARP_FRAME_SIZE), 0);
	free(arp);
	free(nd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp_frames_of_shared_addresses_pass),
		cmocka_unit_test(nd_messages_of_shared_addresses_pass),
		cmocka_unit_test(other_messages_and_forwarded_ones_do_not_pass),
		cmocka_unit_test(the_most_addresses_fit),
		cmocka_unit_test(each_of_many_is_found_and_nothing_between_them),
		cmocka_unit_test(long_frames_are_cut),
		cmocka_unit_test(answers_of_neighbours_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
