/* SPDX-License-Identifier: ISC */
/* Tables of many groups, which travel as changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fixture.h"
#include "engine/views.h"

/* A table that no heartbeat holds as a whole. */
static void test_many_groups(void **state)
{
	(void)state;
	begin(groups_and_addresses(128, 1));
	keeper_says(CHANNEL_HELD, 60000, 0, 1);
	keeper_says(CHANNEL_REMOVED, 60000, 0, 0);
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	for (size_t g = 0; g < 128; g++)
		assert_true(engine_holds(engine, g));
}

/* Somebody asks an earlier boot of this node for the rest of its table. */
static void test_a_request_to_an_earlier_boot(void **state)
{
	struct heartbeat h;

	(void)state;
	begin(groups_and_addresses(128, 1));
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1050);
	h = peer_heartbeat(0xc3, 1);
	h.table.request_count = 1;
	h.table.requests[0] = (struct table_request){.id = OWN_ID, .nonce = OWN_NONCE + 1};
	hear(&h);
	forget();
	run_ms(5);
	assert_int_equal(count_kind(EFFECT_SEND), 0);
}

/* beta, which has a table: this many versions, of which the heartbeat tells those after @base. */
static struct heartbeat table_heartbeat(
	uint64_t id, uint64_t sequence, uint32_t version, uint32_t base, bool tells)
{
	struct heartbeat h = peer_heartbeat(id, sequence);

	h.no_groups = true;
	h.table =
		(struct table){.present = true, .version = version, .base = base, .last = version};
	if (tells) {
		h.table.change_count = 1;
		h.table.changes[0] = (struct table_change){.id = conf.groups[0].id,
			.worth = 50,
			.state = STATE_ACTIVE,
			.flags = HEARTBEAT_GROUP_ELIGIBLE,
			.grantee = 0x1234, /* somebody else */
			.epoch = 9};
		h.table.digest = table_digest(&h.table.changes[0]);
	}
	return h;
}

static enum node_state state_at_beta(void)
{
	struct view_group group;

	return views_group(engine, 1, 0, &group) ? group.state : 0;
}

static void test_a_table_is_told_anew(void **state)
{
	static uint8_t record[65536];
	struct heartbeat h;

	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	h = table_heartbeat(0xc3, 1, 2, 0, true);
	hear(&h);
	h.sequence++;
	hear(&h);
	assert_int_equal(state_at_beta(), STATE_ACTIVE);
	assert_true(engine_save(engine, record, sizeof(record)) > 0);
	h.sequence++;
	h.table.digest++; /* something was overlooked */
	hear(&h);
	run_ms(60);
	assert_int_equal(last_sent.table.request_count, 1);
	h = table_heartbeat(0xc3, 9, 1, 0, false); /* a table without the group */
	hear(&h);
	h.sequence++;
	hear(&h);
	assert_int_equal(state_at_beta(), 0);
}

/* One that never tells does not keep a group from being served. */
static void test_a_table_that_is_never_told(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	for (uint64_t i = 1; i < 20; i++, run_ms(100)) {
		struct heartbeat h = table_heartbeat(0xc3, i, 5, 4, false);

		hear(&h);
		if (i == 5) {
			assert_int_equal(count_keeper(CHANNEL_HOLD), 0);
			assert_string_equal(next_of(0), "takes it");
		}
	}
	assert_int_equal(count_keeper(CHANNEL_HOLD), 1);
}

static void test_not_all_are_asked_at_once(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	for (uint64_t id = 0; id < TABLE_REQUESTS_MAX + 2; id++) {
		struct heartbeat h = table_heartbeat(0xc3 + id, 1, 5, 4, false);

		hear(&h);
	}
	run_ms(20);
	assert_int_equal(last_sent.table.request_count, 2); /* the rest, by the next heartbeat */
}

static void test_only_what_has_room_is_asked_for(void **state)
{
	static char text[16 * 1024];

	(void)state;
	(void)snprintf(text, sizeof(text), "[node]\nname = %063d\ninterface = eth0\n%s", 0,
		strstr(groups_and_addresses(HEARTBEAT_GROUPS_MAX, 1), "[group"));
	begin(text);
	tell_device(0, true, true, "10.0.0.1");
	for (uint64_t id = 0; id < PEERS_MAX; id++) {
		struct heartbeat h = table_heartbeat(0xc3 + id, 1, 5, 4, false);

		hear(&h);
	}
	run_ms(20);
	assert_int_equal(last_sent.heard_count, PEERS_MAX);
	assert_true(last_sent.table.request_count < TABLE_REQUESTS_MAX);
}

/* A large table is begun anew only so often, whoever asks. */
static void test_a_large_table_is_not_told_to_each(void **state)
{
	struct heartbeat h;

	(void)state;
	begin(groups_and_addresses(300, 1));
	tell_device(0, true, true, "10.0.0.1");
	for (int i = 0; i < 100; i++, forget())
		run_ms(10);
	h = peer_heartbeat(0xc3, 1);
	h.table.request_count = 1;
	h.table.requests[0] = (struct table_request){.id = OWN_ID, .nonce = OWN_NONCE, .have = 1};
	hear(&h);
	h.sequence++;
	run_ms(2);
	hear(&h);
	h.sequence++;
	hear(&h);
	assert_true(count_kind(EFFECT_SEND) > 0);
	forget();
	run_ms(5);
	assert_true(count_kind(EFFECT_SEND) < 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_many_groups),
		TEST(test_a_request_to_an_earlier_boot),
		TEST(test_a_table_is_told_anew),
		TEST(test_a_table_that_is_never_told),
		TEST(test_not_all_are_asked_at_once),
		TEST(test_only_what_has_room_is_asked_for),
		TEST(test_a_large_table_is_not_told_to_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
