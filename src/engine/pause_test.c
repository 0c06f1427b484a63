/* SPDX-License-Identifier: ISC */
/* Making room for the next engine, and going on where the last one left off (R8). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fixture.h"
#include "wire/record.h"

/* R8: what the engine leaves is taken up by a fresh one, after @gap_ms. */
static bool succeed(const char *text, int64_t gap_ms)
{
	static uint8_t record[65536];
	static struct conf_diagnostics wrong;
	struct engine_identity identity = {.id = OWN_ID, .nonce = OWN_NONCE + 1};
	struct engine_event event = {.kind = ENGINE_START};
	size_t size;
	bool adopted;

	assert_int_equal(count_kind(EFFECT_PAUSED), 1);
	size = engine_save(engine, record, engine_record_size(engine));
	assert_true(size > 0);
	conf_free(&conf);
	assert_true(conf_parse(text, strlen(text), "alpha", &conf, &wrong));
	free(engine);
	engine = malloc(engine_size(&conf));
	assert_non_null(engine);
	now_ns += gap_ms * NS_PER_MS;
	engine_init(engine, &conf, identity, &no_key);
	adopted = engine_adopt(engine, (ha_time){now_ns}, record, size);
	forget();
	step(&event);
	return adopted;
}

static void become_active_beside_beta(struct heartbeat *beta)
{
	become_active();
	*beta = peer_heartbeat(0xbe, 1);
	hear(beta);
	run_ms(10);
	beta->sequence++;
	hear(beta);
	forget();
}

/* Patience counts only when every live peer was heard to know of it. */
static void test_pause_waits_to_be_heard(void **state)
{
	struct heartbeat beta;

	(void)state;
	become_active_beside_beta(&beta);
	beta.heard[0].sequence = (uint32_t)last_sent.sequence;
	keeper_says(CHANNEL_PAUSE, 0, 0, 5 * NS_PER_S);
	run_ms(5);
	assert_int_equal(last_sent.tolerance_us, 5000000);
	assert_int_equal(count_kind(EFFECT_PAUSED), 0);
	beta.sequence++;
	hear(&beta); /* what it has heard is older */
	assert_int_equal(count_kind(EFFECT_PAUSED), 0);
	assert_true(last_lease() < now_ns + 350 * NS_PER_MS);
	beta.sequence++;
	beta.heard[0].sequence = (uint32_t)last_sent.sequence;
	hear(&beta);
	assert_int_equal(count_kind(EFFECT_PAUSED), 1);
	assert_int_equal(last_lease(), now_ns + 5 * NS_PER_S - 350 * NS_PER_MS / 32);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 0);
	forget();
	run_ms(1000);
	assert_int_equal(log_count, 0); /* not another word */
}

static void test_pause_does_not_wait_for_ever(void **state)
{
	struct heartbeat beta;

	(void)state;
	become_active_beside_beta(&beta);
	keeper_says(CHANNEL_PAUSE, 0, 0, 5 * NS_PER_S);
	for (int n = 0; n < 5; n++) {
		assert_int_equal(count_kind(EFFECT_PAUSED), n == 4); /* after 350 ms */
		run_ms(100);
		beta.sequence++;
		hear(&beta); /* it lives, and does not say that it knows */
	}
	assert_int_equal(count_kind(EFFECT_PAUSED), 1);
	assert_true(last_lease() < now_ns + 350 * NS_PER_MS);
}

static void test_adoption_moves_nothing(void **state)
{
	struct heartbeat before, beta;
	struct metrics metrics;

	(void)state;
	become_active_beside_beta(&beta);
	keeper_says(CHANNEL_PAUSE, 0, 0, 5 * NS_PER_S);
	run_ms(5);
	beta.sequence++;
	beta.heard[0].sequence = (uint32_t)last_sent.sequence;
	hear(&beta);
	before = last_sent;
	metrics = *engine_metrics(engine);
	assert_true(succeed(ONE_GROUP, 4000));
	assert_memory_equal(engine_metrics(engine), &metrics, sizeof(metrics));
	assert_true(metrics.counters[METRIC_HEARTBEATS_SENT] > 0);
	assert_int_equal(count_keeper(CHANNEL_READY), 1);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 1);
	tell_device(0, true, true, "10.0.0.1");
	/* Not before it knows its devices, and its fence. */
	assert_int_equal(count_kind(EFFECT_SEND), 0);
	keeper_says(CHANNEL_FENCE, 0, 1, CHANNEL_FENCE_BPF);
	assert_true(last_sent.fence_margin_us > 0);
	assert_int_equal(last_sent.nonce, before.nonce);
	assert_true(last_sent.sequence > before.sequence);
	assert_int_equal(last_sent.tolerance_us, 350000);
	assert_int_equal(last_sent.groups[0].state, STATE_ACTIVE);
	assert_int_equal(last_sent.groups[0].epoch, before.groups[0].epoch);
	assert_int_equal(last_sent.heard_count, 1);
	run_ms(100);
	assert_int_equal(count_keeper(CHANNEL_ANNOUNCE), 1);
	assert_int_equal(count_keeper(CHANNEL_PROBE), 0);
	assert_int_equal(count_kind(EFFECT_HOOK), 0);
	assert_null(find_report(REPORT_STATE));
	assert_null(find_report(REPORT_PEER)); /* beta was not silent: nobody listened */
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.groups[0].transitions, 1);
	assert_true(status.peers[0].live && status.peers[0].hears_me);
}

static void test_adoption_comes_too_late(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(5);
	assert_false(succeed(ONE_GROUP, 2000));
	assert_int_equal(count_keeper(CHANNEL_HOLD), 0);
	tell_device(0, true, true, "10.0.0.1");
	assert_int_equal(last_sent.nonce, OWN_NONCE + 1);
	assert_int_equal(last_sent.groups[0].flags, HEARTBEAT_GROUP_LISTENING);
}

/* Groups are known by their name, wherever they stand; a new one listens. */
static void test_adoption_by_other_configuration(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(5);
	assert_true(succeed("[node]\nname = alpha\ninterface = eth0\n"
			    "[group mail]\naddress = 192.168.1.101/24\n"
			    "[group web]\naddress = 192.168.1.100/24\nworth = 0\n",
		10));
	assert_int_equal(count_keeper(CHANNEL_HOLD), 1);
	assert_int_equal(log_list[2].keeper.index, 1);
	keeper_says(CHANNEL_FENCE, 0, 0, CHANNEL_FENCE_WATCHDOG);
	tell_device(0, true, true, "10.0.0.1");
	assert_int_equal(last_sent.groups[0].flags, HEARTBEAT_GROUP_LISTENING);
	/* Nobody else could take it: a worth of 0 is obeyed. */
	run_ms(1000);
	assert_int_equal(last_sent.groups[0].state, STATE_ACTIVE);
	assert_int_equal(last_sent.groups[1].state, STATE_STANDBY);
}

/* A group that the next engine will not have is handed over first; nobody is here, so given up. */
static void test_retired_group_is_left(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_RETIRE, 0, 0, 0);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 1);
	run_ms(5);
	assert_int_equal(last_sent.groups[0].state, STATE_SHUTDOWN);
	keeper_says(CHANNEL_RESUME, 0, 0, 0);
	run_ms(1000);
	assert_int_equal(last_sent.groups[0].state, STATE_ACTIVE);
	assert_int_equal(last_sent.groups[0].epoch, 2);
}

/* A changed list of addresses that cannot be configured: nothing of the group is up any more. */
static void test_adopted_group_cannot_be_held(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(5);
	keeper_answers = false;
	assert_true(succeed(ONE_GROUP, 10));
	keeper_says(CHANNEL_FENCE, 0, 0, CHANNEL_FENCE_WATCHDOG);
	tell_device(0, true, true, "10.0.0.1");
	keeper_says(CHANNEL_HOLD_FAILED, 0, 0, EPERM);
	run_ms(5);
	assert_int_equal(last_sent.groups[0].state, STATE_STANDBY);
	assert_int_equal(last_sent.groups[0].flags & HEARTBEAT_GROUP_ELIGIBLE, 0);
}

static void test_what_stops_makes_no_room(void **state)
{
	struct engine_event stop = {.kind = ENGINE_STOP};

	(void)state;
	become_active();
	keeper_answers = false;
	step(&stop);
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(3000);
	assert_int_equal(count_kind(EFFECT_PAUSED), 0);
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	assert_int_equal(count_kind(EFFECT_STOPPED), 1);
}

/* No device is told before what the last engine left has passed. */
static void test_adoption_without_devices_ends_with_the_lease(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(5);
	assert_true(succeed(ONE_GROUP, 10));
	run_ms(3000);
	assert_true(time_is_never(engine_deadline(engine)));
	assert_int_equal(count_kind(EFFECT_SEND), 0);
	keeper_says(CHANNEL_FENCE, 0, 0, CHANNEL_FENCE_WATCHDOG);
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	assert_int_equal(last_sent.groups[0].state, STATE_ACTIVE);
}

static void test_adoption_of_a_conflict(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	for (int i = 0; i < 10; i++, run_ms(50))
		hear_arp(OTHER_MAC, "192.168.1.100", "192.168.1.100", 0);
	assert_non_null(strstr(reason_of(0), "02:00:00:00:00:02"));
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(50);
	assert_true(succeed(ONE_GROUP, 10));
	tell_device(0, true, true, "10.0.0.1");
	/* Who it was is found out anew. */
	assert_string_equal(reason_of(0), "another host uses the address");
}

static void test_a_group_that_goes_is_not_left(void **state)
{
	static uint8_t record[65536];
	struct record_node left;
	struct reader r;
	size_t size;

	(void)state;
	become_active();
	hear_eligible_beta(1, 0);
	keeper_says(CHANNEL_RETIRE, 0, 0, 0);
	run_ms(1000);
	hear_eligible_beta(2, 0);
	size = engine_save(engine, record, sizeof(record));
	assert_true(record_open(record, size, &r, &left));
	assert_int_equal(left.group_count, 0);
	assert_int_equal(left.peer_count, 1);
}

static void test_it_goes_on_after_all(void **state)
{
	uint64_t sequence = 0;

	(void)state;
	become_active();
	run_beside_beta(&sequence, 500);
	keeper_answers = false;
	keeper_says(CHANNEL_RETIRE, 0, 0, 0);
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(50);
	assert_int_equal(count_kind(EFFECT_PAUSED), 0); /* it is being handed over */
	keeper_says(CHANNEL_RESUME, 0, 0, 0);
	run_beside_beta(&sequence, 1000);
	assert_true(engine_holds(engine, 0));
	assert_int_equal(count_kind(EFFECT_PAUSED), 0);
}

/* The lease passes while the last word is on its way. */
static void test_the_last_word_is_said_again(void **state)
{
	struct engine_event sent = {.kind = ENGINE_SENT};

	(void)state;
	become_active();
	keeper_answers = sending_is_answered = false;
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(2);
	keeper_says(CHANNEL_EXPIRED, 0, 0, 1);
	step(&sent);
	assert_int_equal(count_kind(EFFECT_PAUSED), 0);
	sending_is_answered = true;
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	run_ms(2000);
	assert_int_equal(count_kind(EFFECT_PAUSED), 1);
}

static void test_a_sending_that_nobody_confirms(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	sending_is_answered = false;
	tell_device(0, true, true, "10.0.0.1");
	run_ms(2000);
	assert_string_equal(reason_of(0), "heartbeats cannot be sent");
	hear_eligible_beta(1, 50);
	hear_eligible_beta(2, 50);
	assert_string_equal(next_of(0), "takes it as soon as a heartbeat can be sent");
}

/* Who is to acknowledge comes before the devices: the address is announced anew, not where the last
 * engine left off. */
static void test_adoption_with_new_targets(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(5);
	keeper_answers = false;
	assert_true(succeed(ONE_GROUP, 10));
	tell_target(0, "10.0.0.254");
	keeper_says(CHANNEL_HELD, 0, 0, 1);
	keeper_says(CHANNEL_FENCE, 0, 0, CHANNEL_FENCE_WATCHDOG);
	tell_device(0, true, true, "10.0.0.1");
	run_ms(10);
	assert_int_equal(count_keeper(CHANNEL_REQUEST), 1);
}

static void test_a_pause_waits_for_the_keeper(void **state)
{
	(void)state;
	become_active();
	keeper_answers = false;
	tell_health(100, false, true);
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(60000);
	assert_int_equal(count_kind(EFFECT_PAUSED), 0);
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	run_ms(100);
	assert_int_equal(count_kind(EFFECT_PAUSED), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pause_waits_to_be_heard),
		TEST(test_pause_does_not_wait_for_ever),
		TEST(test_adoption_moves_nothing),
		TEST(test_adoption_comes_too_late),
		TEST(test_adoption_by_other_configuration),
		TEST(test_retired_group_is_left),
		TEST(test_adopted_group_cannot_be_held),
		TEST(test_what_stops_makes_no_room),
		TEST(test_adoption_without_devices_ends_with_the_lease),
		TEST(test_adoption_of_a_conflict),
		TEST(test_a_group_that_goes_is_not_left),
		TEST(test_it_goes_on_after_all),
		TEST(test_the_last_word_is_said_again),
		TEST(test_a_sending_that_nobody_confirms),
		TEST(test_adoption_with_new_targets),
		TEST(test_a_pause_waits_for_the_keeper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
