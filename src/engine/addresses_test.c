/* SPDX-License-Identifier: ISC */
/* Who acknowledges an address, who else claims it, and probing for it while listening. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fixture.h"
#include "wire/arp.h"

static void test_acknowledgements(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	keeper_answers = false;
	tell_device(0, true, true, "10.0.0.1");
	run_ms(360);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 1);
	tell_target(0, "10.0.0.254");
	tell_target(1, "10.0.0.77");
	tell_target(TARGETS_MAX, "10.0.0.78"); /* more than there is room for */
	keeper_says(CHANNEL_HELD, 0, 0, 1);
	forget();
	run_ms(6);
	assert_int_equal(count_keeper(CHANNEL_REQUEST), 2);
	hear_arp(OTHER_MAC, "10.0.0.254", "192.168.1.100", 0);
	assert_non_null(find_report(REPORT_ACKNOWLEDGED));
	forget();
	hear_arp(OTHER_MAC, "10.0.0.254", "192.168.1.100", 0);
	assert_null(find_report(REPORT_ACKNOWLEDGED)); /* once */
	run_ms(20);
	assert_int_equal(count_keeper(CHANNEL_REQUEST), 1);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.addresses[0].targets, 2);
	assert_int_equal(status.addresses[0].acknowledged, 1);
	hear_arp(OTHER_MAC, "10.0.0.77", "192.168.1.100", 0);
	forget();
	run_ms(10000);
	assert_int_equal(count_keeper(CHANNEL_REQUEST), 0);
	assert_true(count_keeper(CHANNEL_ANNOUNCE) > 0);
}

/* A node that has the address itself (standby = warm) does not answer, and is not asked again. */
static void test_nodes_that_have_it_too(void **state)
{
	struct heartbeat h;

	(void)state;
	begin(ONE_GROUP "standby = warm\n");
	keeper_answers = false;
	keeper_says(CHANNEL_FENCE, 0, 0, CHANNEL_FENCE_NFTABLES);
	tell_device(0, true, true, "10.0.0.1");
	run_ms(360);
	h = peer_heartbeat(0xc3, 1); /* it comes from 10.0.0.2 */
	hear(&h);
	tell_target(0, "10.0.0.2");
	tell_target(1, "10.0.0.77");
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.addresses[0].targets, 2);
	assert_false(status.groups[0].warm);
	assert_non_null(
		strstr(status.warnings[status.warning_count - 1], "needs programs in the kernel"));
	keeper_says(CHANNEL_FENCE, 0, 1, CHANNEL_FENCE_BPF);
	keeper_says(CHANNEL_HELD, 0, 0, 1);
	forget();
	run_ms(6);
	assert_int_equal(count_keeper(CHANNEL_REQUEST), 1); /* of the other one */
	hear_arp(OTHER_MAC, "10.0.0.77", "192.168.1.100", 0);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.addresses[0].targets, 1);
	assert_int_equal(status.addresses[0].acknowledged, 1);
	assert_true(status.groups[0].warm);
	forget();
	run_ms(1000);
	assert_int_equal(count_keeper(CHANNEL_REQUEST), 0);
}

/* RFC 5227 section 2.4: a claim is answered, but not more than once a second. */
static void test_defends_what_it_holds(void **state)
{
	(void)state;
	become_active();
	for (int i = 0; i < 10; i++) { /* far from the schedule's own announcements */
		run_ms(9000);
		forget();
	}
	hear_arp(OWN_MAC, "192.168.1.100", "192.168.1.100", 0);
	hear_arp(OTHER_MAC, "192.168.1.101", "192.168.1.101", 0);
	for (size_t cut = 1; cut <= ARP_FRAME_SIZE; cut++)
		hear_arp(OTHER_MAC, "192.168.1.100", "192.168.1.100", cut);
	assert_int_equal(count_keeper(CHANNEL_ANNOUNCE), 0);
	hear_arp(OTHER_MAC, "192.168.1.100", "192.168.1.100", 0);
	assert_int_equal(count_keeper(CHANNEL_ANNOUNCE), 1);
	assert_non_null(strstr(find_report(REPORT_CONFLICT)->text, "02:00:00:00:00:02"));
	hear_arp(OTHER_MAC, "192.168.1.100", "192.168.1.100", 0);
	assert_int_equal(count_keeper(CHANNEL_ANNOUNCE), 1);
	run_ms(1000);
	forget();
	hear_arp(OTHER_MAC, "192.168.1.100", "192.168.1.100", 0);
	assert_int_equal(count_keeper(CHANNEL_ANNOUNCE), 1);
}

static void test_frames_that_are_none(void **state)
{
	struct channel_message m = {.verb = CHANNEL_FRAME, .payload_size = 60};
	struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = &m};

	(void)state;
	become_active();
	m.payload[12] = 0x86;
	m.payload[13] = 0xdd;
	step(&event);
	assert_int_equal(count_keeper(CHANNEL_ANNOUNCE), 0);
	assert_null(find_report(REPORT_CONFLICT));
}

/* Their probes take longer than listening: each group waits for its turn. */
static void test_many_addresses(void **state)
{
	(void)state;
	begin(groups_and_addresses(2, 1000));
	tell_device(0, true, true, "10.0.0.1");
	for (int i = 0; i < 100; i++, forget())
		run_ms(10);
	assert_true(engine_holds(engine, 0) && engine_holds(engine, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_acknowledgements),
		TEST(test_nodes_that_have_it_too),
		TEST(test_defends_what_it_holds),
		TEST(test_frames_that_are_none),
		TEST(test_many_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
