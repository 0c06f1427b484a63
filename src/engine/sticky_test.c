/* SPDX-License-Identifier: ISC */
/* Whether clients reach this node, and what that decides where two hold a group (R4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fixture.h"

/* A neighbour that answers is no node of the cluster, unless a heartbeat has come from it. */
static void test_nodes_acknowledge_nothing(void **state)
{
	uint8_t bytes[HEARTBEAT_SIZE_MAX];
	struct engine_event event = {.kind = ENGINE_DATAGRAM,
		.datagram = {.bytes = bytes, .hop_limit = HEARTBEAT_HOP_LIMIT}};
	struct heartbeat h;

	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\n"
	      "[group web]\naddress = 192.168.1.100/24\npolicy = sticky\n");
	tell_device(0, true, true, "10.0.0.1");
	run_ms(360);
	h = peer_heartbeat(0xc3, 1);
	assert_true(ip_parse("10.0.0.3", &event.datagram.source));
	event.datagram.size = heartbeat_encode(&h, conf.node.cluster_tag, &no_key, bytes);
	step(&event);
	run_ms(2);
	for (unsigned i = 0; i < 3; i++)
		tell_target(i, (const char *[]){"10.0.0.2", "10.0.0.3", "10.0.0.4"}[i]);
	forget();
	hear_arp(OTHER_MAC, "10.0.0.2", "192.168.1.100", 0);
	hear_arp(OTHER_MAC, "10.0.0.3", "192.168.1.100", 0);
	run_ms(5);
	assert_int_equal(count_kind(EFFECT_SEND), 0);
	hear_arp(OTHER_MAC, "10.0.0.4", "192.168.1.100", 0);
	run_ms(5);
	assert_int_equal(count_kind(EFFECT_SEND), 1); /* that is worth telling the others */
}

static void test_two_that_hold_it(void **state)
{
	(void)state;
	become_active();
	hear_beta(1, STATE_STANDBY, 0);
	hear_beta(2, STATE_ACTIVE, 0);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_non_null(
		strstr(status.warnings[status.warning_count - 1], "another node holds it too"));
	tell_target(0, "10.0.0.4");
	hear_arp(OTHER_MAC, "10.0.0.4", "192.168.1.100", 0); /* it may mean the other one */
	run_ms(50);
	assert_true(engine_holds(engine, 0));
}

/* Whoever has met another holder judges by what it knew then, also when it loses sight of a third
 * node. */
static void test_a_collision_out_of_sight(void **state)
{
	struct heartbeat gamma;

	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\n"
	      "[group web]\naddress = 192.168.1.100/24\npolicy = sticky\n");
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	gamma = peer_heartbeat(0xd4, 1);
	hear(&gamma);
	gamma.sequence++;
	hear(&gamma);
	for (uint64_t i = 1; i < 9; i++, run_ms(100)) /* gamma is silent meanwhile */
		hear_beta(i, i == 1 ? STATE_STANDBY : STATE_ACTIVE, 0);
	assert_true(engine_holds(engine, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nodes_acknowledge_nothing),
		TEST(test_two_that_hold_it),
		TEST(test_a_collision_out_of_sight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
