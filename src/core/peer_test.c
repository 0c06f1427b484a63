/* SPDX-License-Identifier: ISC */
#include "core/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define INTERVAL_NS      (100 * NS_PER_MS)
#define TOLERANCE_NS     (350 * NS_PER_MS)
#define MAX_TOLERANCE_NS (10 * NS_PER_S)

/* Boots of the peer. */
enum { FIRST = 0xa1, SECOND = 0xb2, THIRD = 0xc3, FOURTH = 0xd4, FIFTH = 0xe5, SIXTH = 0xf6 };

/* We have sent 120 heartbeats, 20 of them lately. */
static const struct peer_challenge CHALLENGE = {.recent = 100, .latest = 120};

static ha_time at(int64_t ms)
{
	return (ha_time){ms * NS_PER_MS};
}

/* A packet that does not name us: of a peer that does not hear us, or a recording. */
static struct peer_packet plain(uint64_t nonce, uint64_t sequence)
{
	return (struct peer_packet){.nonce = nonce,
		.sequence = sequence,
		.interval_ns = INTERVAL_NS,
		.tolerance_ns = TOLERANCE_NS};
}

/* A packet that names our present boot and our packet @echo. */
static struct peer_packet naming(uint64_t nonce, uint64_t sequence, uint32_t echo)
{
	struct peer_packet packet = plain(nonce, sequence);

	packet.names_us = true;
	packet.echo = echo;
	return packet;
}

static enum peer_verdict hear(struct peer *p, int64_t ms, struct peer_packet packet)
{
	return peer_hear(p, at(ms), &packet, &CHALLENGE, MAX_TOLERANCE_NS);
}

/* A live peer of the boot FIRST, last heard at 1000 ms with the sequence number 50. */
static struct peer live_peer(void)
{
	struct peer p = peer_init(7);

	assert_int_equal(hear(&p, 1000, naming(FIRST, 50, 120)), PEER_NEW_BOOT);
	assert_true(peer_is_live(&p, at(1000)));
	return p;
}

static void test_counts_when_proven(void **state)
{
	struct peer p = peer_init(7);

	(void)state;
	assert_int_equal(hear(&p, 1000, plain(FIRST, 1)), PEER_NEW_BOOT);
	assert_false(peer_is_live(&p, at(1000)));
	assert_int_equal(hear(&p, 1010, naming(FIRST, 2, 120)), PEER_ACCEPTED);
	assert_true(peer_is_live(&p, at(1010)));
	/* It goes on counting while it does not hear us: a one-way link is no death. */
	assert_int_equal(hear(&p, 1020, plain(FIRST, 3)), PEER_ACCEPTED);
	assert_true(peer_is_live(&p, at(1020)));
	assert_false(peer_hears_us(&p, TOLERANCE_NS));
}

static void test_lives_for_its_own_tolerance(void **state)
{
	struct peer p = live_peer();

	(void)state;
	assert_int_equal(peer_silence_deadline(&p).ns, at(1350).ns);
	assert_true(peer_is_live(&p, at(1349)));
	assert_false(peer_is_live(&p, at(1350)));
	assert_int_equal(hear(&p, 2000, plain(FIRST, 51)), PEER_ACCEPTED);
	assert_true(peer_is_live(&p, at(2349)));
}

static void test_announced_tolerance_is_bounded(void **state)
{
	struct peer p = peer_init(7);
	struct peer_packet packet = naming(FIRST, 1, 120);

	(void)state;
	packet.tolerance_ns = 3600 * NS_PER_S;
	assert_int_equal(hear(&p, 0, packet), PEER_NEW_BOOT);
	assert_true(peer_is_live(&p, at(9999)));
	assert_false(peer_is_live(&p, at(10000)));
}

static void test_within_a_boot_the_sequence_grows(void **state)
{
	struct peer p = live_peer(), before = p;

	(void)state;
	assert_int_equal(hear(&p, 1100, naming(FIRST, 50, 120)), PEER_DUPLICATE);
	assert_int_equal(hear(&p, 1100, naming(FIRST, 49, 120)), PEER_REPLAYED);
	assert_int_equal(hear(&p, 1100, naming(FIRST, 1, 120)), PEER_REPLAYED);
	assert_memory_equal(&p, &before, sizeof(p));
	assert_int_equal(hear(&p, 5000, naming(FIRST, 49, 120)), PEER_REPLAYED);
	assert_false(peer_is_live(&p, at(5000)));
	assert_int_equal(hear(&p, 5000, naming(FIRST, UINT64_MAX, 120)), PEER_ACCEPTED);
	assert_int_equal(hear(&p, 5001, naming(FIRST, 51, 120)), PEER_REPLAYED);
}

/* The echo proves only if we sent it lately. */
static void test_echo_window(void **state)
{
	static const struct {
		uint64_t recent, latest;
		uint32_t echo;
		bool proves;
	} cases[] = {
		{100, 120, 100, true},
		{100, 120, 120, true},
		{100, 120, 99, false},
		{100, 120, 121, false},
		{0, 1, 1, true},
		{0, 1, 2, false},
		/* our sequence number passes 32 bits */
		{UINT64_C(0xfffffffb), UINT64_C(0x100000005), 0xfffffffb, true},
		{UINT64_C(0xfffffffb), UINT64_C(0x100000005), 0xffffffff, true},
		{UINT64_C(0xfffffffb), UINT64_C(0x100000005), 0, true},
		{UINT64_C(0xfffffffb), UINT64_C(0x100000005), 5, true},
		{UINT64_C(0xfffffffb), UINT64_C(0x100000005), 6, false},
		{UINT64_C(0xfffffffb), UINT64_C(0x100000005), 0xfffffffa, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer p = peer_init(7);
		struct peer_packet packet = naming(FIRST, 1, cases[i].echo);
		struct peer_challenge challenge = {cases[i].recent, cases[i].latest};

		(void)peer_hear(&p, at(0), &packet, &challenge, MAX_TOLERANCE_NS);
		if (p.proven != cases[i].proves || peer_hears_us(&p, 1) != cases[i].proves)
			fail_msg("case %zu", i);
	}
}

static void test_only_proof_replaces_a_live_boot(void **state)
{
	struct peer p = live_peer(), before = p;

	(void)state;
	assert_int_equal(hear(&p, 1100, plain(SECOND, 1000)), PEER_UNPROVEN);
	assert_int_equal(hear(&p, 1100, naming(SECOND, 1000, 99)), PEER_UNPROVEN);
	assert_memory_equal(&p, &before, sizeof(p));
	assert_int_equal(hear(&p, 1100, naming(SECOND, 1, 120)), PEER_NEW_BOOT);
	assert_int_equal(p.nonce, SECOND);
	assert_true(peer_is_live(&p, at(1100)));
}

static void test_a_replaced_boot_never_returns(void **state)
{
	struct peer p = live_peer();

	(void)state;
	assert_int_equal(hear(&p, 1100, naming(SECOND, 1, 120)), PEER_NEW_BOOT);
	assert_int_equal(hear(&p, 1101, naming(FIRST, 51, 120)), PEER_OLD_BOOT);
	/* Nor when its successor is dead, and with packets that we have never heard. */
	assert_int_equal(hear(&p, 60000, naming(FIRST, 52, 120)), PEER_OLD_BOOT);
	assert_false(peer_is_live(&p, at(60000)));
}

static void test_the_last_retired_boots_are_remembered(void **state)
{
	struct peer p = live_peer();

	(void)state;
	assert_int_equal(hear(&p, 1100, naming(SECOND, 1, 120)), PEER_NEW_BOOT);
	assert_int_equal(hear(&p, 1200, naming(THIRD, 1, 120)), PEER_NEW_BOOT);
	assert_int_equal(hear(&p, 1300, naming(FOURTH, 1, 120)), PEER_NEW_BOOT);
	assert_int_equal(hear(&p, 1400, naming(FIFTH, 1, 120)), PEER_NEW_BOOT);
	assert_int_equal(hear(&p, 1500, plain(FIRST, 60)), PEER_OLD_BOOT);
	assert_int_equal(hear(&p, 1500, plain(FOURTH, 60)), PEER_OLD_BOOT);
	assert_int_equal(hear(&p, 1600, naming(SIXTH, 1, 120)), PEER_NEW_BOOT);
	/* The one that was forgotten still has to prove itself. */
	assert_int_equal(hear(&p, 1700, plain(FIRST, 60)), PEER_UNPROVEN);
}

/* A recording of some old boot arrives while the peer is silent, then the peer is back. */
static void test_a_recording_does_not_hide_a_peer_that_returns(void **state)
{
	struct peer p = live_peer();

	(void)state;
	assert_int_equal(hear(&p, 2000, plain(SECOND, 900)), PEER_NEW_BOOT);
	assert_false(peer_is_live(&p, at(2000)));
	assert_int_equal(hear(&p, 2100, naming(FIRST, 51, 120)), PEER_NEW_BOOT);
	assert_true(peer_is_live(&p, at(2100)));
	assert_int_equal(hear(&p, 2200, plain(SECOND, 901)), PEER_UNPROVEN);
	assert_int_equal(hear(&p, 2200, naming(FIRST, 52, 120)), PEER_ACCEPTED);
}

/* A recording of an old boot must not open the door for recordings of the last one. */
static void test_a_recording_does_not_revive_a_dead_peer(void **state)
{
	struct peer p = live_peer();

	(void)state;
	assert_int_equal(hear(&p, 2000, plain(SECOND, 900)), PEER_NEW_BOOT);
	assert_int_equal(hear(&p, 2010, naming(FIRST, 50, 120)), PEER_REPLAYED);
	assert_int_equal(hear(&p, 2010, naming(FIRST, 12, 120)), PEER_REPLAYED);
	assert_int_equal(hear(&p, 2020, plain(THIRD, 900)), PEER_NEW_BOOT);
	assert_int_equal(hear(&p, 2030, naming(FIRST, 50, 120)), PEER_REPLAYED);
	assert_false(peer_is_live(&p, at(2030)));
	/* One that we had not heard is not enough either, unless it answers to us now. */
	assert_int_equal(hear(&p, 2040, plain(FIRST, 60)), PEER_NEW_BOOT);
	assert_false(peer_is_live(&p, at(2040)));
}

/* An unproven boot is displaced without being retired: it may be the true one. */
static void test_a_recording_does_not_hide_a_newcomer(void **state)
{
	struct peer p = peer_init(7);

	(void)state;
	assert_int_equal(hear(&p, 1000, plain(SECOND, 1)), PEER_NEW_BOOT);
	assert_int_equal(hear(&p, 1001, plain(FIRST, 900)), PEER_NEW_BOOT);
	assert_int_equal(hear(&p, 1002, naming(SECOND, 2, 120)), PEER_NEW_BOOT);
	assert_true(peer_is_live(&p, at(1002)));
}

static void test_hears_us_ages(void **state)
{
	struct peer p = peer_init(7);
	struct peer_packet packet = naming(FIRST, 1, 110);

	(void)state;
	packet.echo_age_ns = TOLERANCE_NS - 1;
	assert_int_equal(hear(&p, 1000, packet), PEER_NEW_BOOT);
	assert_true(peer_hears_us(&p, TOLERANCE_NS));
	packet = naming(FIRST, 2, 110);
	packet.echo_age_ns = TOLERANCE_NS;
	assert_int_equal(hear(&p, 1010, packet), PEER_ACCEPTED);
	assert_false(peer_hears_us(&p, TOLERANCE_NS));
	/* What names an old packet of ours says nothing about now, whatever age it claims. */
	packet = naming(FIRST, 3, 10);
	assert_int_equal(hear(&p, 1100, packet), PEER_ACCEPTED);
	assert_false(peer_hears_us(&p, TOLERANCE_NS));
}

static void test_leaving(void **state)
{
	struct peer p = live_peer();
	struct peer_packet packet = naming(FIRST, 51, 120);

	(void)state;
	packet.leaving = true;
	assert_int_equal(hear(&p, 1100, packet), PEER_ACCEPTED);
	assert_false(peer_is_live(&p, at(1100)));
	/* Its next boot need not wait. */
	assert_int_equal(hear(&p, 1110, plain(SECOND, 1)), PEER_NEW_BOOT);
	assert_int_equal(hear(&p, 1120, naming(SECOND, 2, 120)), PEER_ACCEPTED);
	assert_true(peer_is_live(&p, at(1120)));
	assert_int_equal(hear(&p, 1130, plain(FIRST, 52)), PEER_OLD_BOOT);
}

/* R10: what we did not hear while we did not run is not its silence; but nothing is heard in the
 * future. */
static void test_stall_credit(void **state)
{
	struct peer p = live_peer();

	(void)state;
	peer_credit_stall(&p, at(1900), 800 * NS_PER_MS);
	assert_int_equal(peer_silence_deadline(&p).ns, at(2150).ns);
	assert_true(peer_is_live(&p, at(2149)));
	assert_true(peer_hears_us(&p, TOLERANCE_NS));
	peer_credit_stall(&p, at(2000), 5 * NS_PER_S);
	assert_int_equal(peer_silence_deadline(&p).ns, at(2350).ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_when_proven),
		cmocka_unit_test(test_lives_for_its_own_tolerance),
		cmocka_unit_test(test_announced_tolerance_is_bounded),
		cmocka_unit_test(test_within_a_boot_the_sequence_grows),
		cmocka_unit_test(test_echo_window),
		cmocka_unit_test(test_only_proof_replaces_a_live_boot),
		cmocka_unit_test(test_a_replaced_boot_never_returns),
		cmocka_unit_test(test_the_last_retired_boots_are_remembered),
		cmocka_unit_test(test_a_recording_does_not_hide_a_peer_that_returns),
		cmocka_unit_test(test_a_recording_does_not_revive_a_dead_peer),
		cmocka_unit_test(test_a_recording_does_not_hide_a_newcomer),
		cmocka_unit_test(test_hears_us_ages),
		cmocka_unit_test(test_leaving),
		cmocka_unit_test(test_stall_credit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
