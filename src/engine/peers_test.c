/* SPDX-License-Identifier: ISC */
/* Whose heartbeats are heard, and whose are dropped, with which advice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fixture.h"

static void test_another_node_with_its_id(void **state)
{
	struct heartbeat h;

	(void)state;
	become_active();
	h = peer_heartbeat(OWN_ID, 5);
	for (int i = 0; i < 3; i++)
		hear(&h);
	assert_non_null(find_report(REPORT_DROP));
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.dropped[HEARTBEAT_DROP_DUPLICATE_ID], 3);
	assert_int_equal(status.peer_count, 0);
	forget();
	run_ms(59000);
	hear(&h);
	assert_null(find_report(REPORT_DROP)); /* told at most once a minute */
	run_ms(2000);
	hear(&h);
	assert_non_null(find_report(REPORT_DROP));
	h.nonce = OWN_NONCE; /* its own datagram, come back */
	hear(&h);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.dropped[HEARTBEAT_DROP_OWN], 1);
}

static void test_as_many_peers_as_there_is_room(void **state)
{
	struct heartbeat h;

	(void)state;
	become_active();
	for (uint64_t id = 1; id <= PEERS_MAX + 1; id++) {
		h = peer_heartbeat(id, 1);
		hear(&h);
	}
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.peer_count, PEERS_MAX);
	assert_int_equal(status.dropped[HEARTBEAT_DROP_TABLE_FULL], 1);
	run_ms(100);
	assert_int_equal(last_sent.heard_count, PEERS_MAX);
	run_ms(61000); /* they are silent, and one makes room */
	hear(&h);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.dropped[HEARTBEAT_DROP_TABLE_FULL], 1);
	assert_int_equal(status.peer_count, PEERS_MAX);
}

static void test_drops_are_counted(void **state)
{
	static const uint8_t noise[2] = {'n', 'o'};
	struct engine_event event = {.kind = ENGINE_DATAGRAM,
		.datagram = {
			.bytes = noise, .size = sizeof(noise), .hop_limit = HEARTBEAT_HOP_LIMIT}};

	(void)state;
	become_active();
	step(&event);
	event.datagram.hop_limit = 64;
	step(&event);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.dropped[HEARTBEAT_DROP_NOT_OURS], 1);
	assert_int_equal(status.dropped[HEARTBEAT_DROP_HOP_LIMIT], 1);
	assert_int_equal(status.received, 0);
}

static void test_a_grant_to_somebody_else(void **state)
{
	static uint8_t record[65536];
	struct heartbeat h;

	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	for (uint64_t i = 1; i < 5; i++, run_ms(100)) {
		h = peer_heartbeat(0xc3, i);
		h.heard[h.heard_count++] =
			(struct heartbeat_heard){.id = 0xd4, .nonce = 7, .age_ms = 20};
		h.group_count = 2;
		h.groups[0] = (struct heartbeat_group){.id = conf.groups[0].id,
			.worth = 50,
			.state = STATE_ACTIVE,
			.flags = HEARTBEAT_GROUP_ELIGIBLE,
			.grantee = 1,
			.epoch = 9};
		h.groups[1] = h.groups[0];
		h.groups[1].id++; /* which is not configured here */
		if (i == 3) {
			h.groups[0].grantee = 0; /* that was another boot of this node */
			h.heard[0].nonce++;
		}
		hear(&h);
	}
	assert_true(engine_save(engine, record, sizeof(record)) > 0);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 0);
}

static void test_what_is_dropped_with_advice(void **state)
{
	uint8_t bytes[HEARTBEAT_SIZE_MAX];
	struct engine_event event = {.kind = ENGINE_DATAGRAM,
		.datagram = {.bytes = bytes, .hop_limit = HEARTBEAT_HOP_LIMIT}};
	struct heartbeat h;

	(void)state;
	become_active();
	h = peer_heartbeat(0xc3, 1);
	event.datagram.source = h.address;
	event.datagram.size = heartbeat_encode(&h, conf.node.cluster_tag + 1, &no_key, bytes);
	step(&event);
	assert_non_null(strstr(find_report(REPORT_DROP)->text, "another cluster"));
	forget();
	run_ms(61000);
	event.datagram.size = heartbeat_encode(&h, conf.node.cluster_tag, &no_key, bytes);
	bytes[2]++;
	step(&event);
	assert_non_null(strstr(find_report(REPORT_DROP)->text, "another major version"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_another_node_with_its_id),
		TEST(test_as_many_peers_as_there_is_room),
		TEST(test_drops_are_counted),
		TEST(test_a_grant_to_somebody_else),
		TEST(test_what_is_dropped_with_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
