/* SPDX-License-Identifier: ISC */
/* What one engine answers to events. How engines get on with each other is told in tests/trace. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "engine/fixture.h"

#define LARGEST_ADDRESSES 256

static void test_claims_alone(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	assert_int_equal(log_list[0].keeper.verb, CHANNEL_READY);
	tell_device(0, true, true, "10.0.0.1");
	assert_int_equal(last_sent.id, OWN_ID); /* at once, not after an interval */
	assert_int_equal(last_sent.groups[0].flags, HEARTBEAT_GROUP_LISTENING);
	run_ms(349);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 0);
	assert_int_equal(count_keeper(CHANNEL_PROBE), 4); /* RFC 5227 while it listens */
	run_ms(2);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 1);
	assert_int_equal(last_sent.groups[0].state, STATE_ACTIVE);
	assert_int_equal(last_sent.groups[0].epoch, 1);
}

static void test_stops_in_order(void **state)
{
	struct engine_event stop = {.kind = ENGINE_STOP};
	size_t sends = 0;

	(void)state;
	become_active();
	keeper_answers = false;
	step(&stop);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 1);
	for (size_t i = 0; i < log_count; i++)
		assert_int_not_equal(log_list[i].kind, EFFECT_STOPPED);
	forget();
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	assert_true(last_sent.leaving);
	assert_int_equal(last_sent.groups[0].state, STATE_SHUTDOWN);
	for (size_t i = 0; i < log_count; i++) {
		sends += log_list[i].kind == EFFECT_SEND;
		if (log_list[i].kind == EFFECT_STOPPED)
			assert_int_equal(sends, 1); /* everybody was told before */
	}
	assert_int_equal(log_list[log_count - 1].kind, EFFECT_STOPPED);
	forget();
	run_ms(0);
	step(&stop);
	assert_int_equal(log_count, 0); /* the end is the end */
	assert_true(time_is_never(engine_deadline(engine)));
}

static void test_a_keeper_that_errs(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_HELD, 1, 0, 1);
	keeper_says(CHANNEL_RELEASED, 60000, 0, 0);
	keeper_says(CHANNEL_REMOVED, 256, 0, 0);
	keeper_says(CHANNEL_HOLD_FAILED, 0, 60000, EPERM); /* nothing was asked */
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	keeper_says(CHANNEL_WILL, 0, 0, 0);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.groups[0].state, STATE_ACTIVE);
}

static void test_held_of_an_earlier_claim(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	keeper_answers = false;
	tell_device(0, true, true, "10.0.0.1");
	run_ms(360);
	keeper_says(CHANNEL_HELD, 0, 0, 7);
	assert_int_equal(last_sent.groups[0].state, STATE_STANDBY);
	keeper_says(CHANNEL_HELD, 0, 0, 1);
	run_ms(1);
	assert_int_equal(last_sent.groups[0].state, STATE_ACTIVE);
}

/* The largest configuration: all groups, all addresses, a command for each change. */
static const char *largest(void)
{
	static char text[64 * 1024];
	struct text t = text_init(text, sizeof(text));
	unsigned address = 0;

	text_add(&t, "[node]\nname = alpha\ninterface = eth0\n");
	for (unsigned g = 0; g < HEARTBEAT_GROUPS_MAX; g++) {
		text_add(&t, "[group g%u]\non-change = /bin/true\n", g);
		for (unsigned i = 0;
			i < (g == 0 ? LARGEST_ADDRESSES - HEARTBEAT_GROUPS_MAX + 1 : 1);
			i++, address++)
			text_add(&t, "address = 10.1.%u.%u/16\n", address / 200, 1 + address % 200);
	}
	assert_int_equal(address, LARGEST_ADDRESSES);
	return text;
}

/* Effects that must not be lost always fit: whatever happens to all groups at once. */
static void test_effects_fit(void **state)
{
	struct engine_event stop = {.kind = ENGINE_STOP};
	struct heartbeat h;

	(void)state;
	most_effects = 0;
	begin(largest());
	tell_device(0, true, true, "10.0.0.1");
	run_ms(360);
	assert_int_equal(count_keeper(CHANNEL_HOLD), HEARTBEAT_GROUPS_MAX);
	forget();
	h = peer_heartbeat(7, 1);
	h.group_count = HEARTBEAT_GROUPS_MAX;
	for (size_t g = 0; g < HEARTBEAT_GROUPS_MAX; g++)
		h.groups[g] = (struct heartbeat_group){.id = conf.groups[g].id,
			.worth = (uint16_t)(g == 0 ? 1 : 60000),
			.state = STATE_ACTIVE,
			.flags = HEARTBEAT_GROUP_ELIGIBLE,
			.grantee = HEARTBEAT_GRANTEE_NONE,
			.epoch = 1};
	hear(&h); /* wins the first group's addresses back to us, and takes all others */
	assert_int_equal(count_keeper(CHANNEL_RELEASE), HEARTBEAT_GROUPS_MAX - 1);
	forget();
	tell_device(0, true, false, "10.0.0.1");
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 1);
	forget();
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	assert_int_equal(count_keeper(CHANNEL_HOLD), HEARTBEAT_GROUPS_MAX);
	forget();
	step(&stop);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), HEARTBEAT_GROUPS_MAX);
	assert_int_equal(log_list[log_count - 1].kind, EFFECT_STOPPED);
	assert_true(most_effects > EFFECTS_MAX / 2); /* the test does reach for the bound */
	assert_true(most_effects <= EFFECTS_MAX);
}

/* Memory is for what is configured, not for what could be. */
static void test_memory_follows_the_configuration(void **state)
{
	size_t one;

	(void)state;
	begin(ONE_GROUP);
	one = engine_size(&conf);
	assert_true(one < 64 * 1024);
	begin(largest());
	assert_true(engine_size(&conf) > 2 * one);
}

static void test_announcements_left_out_come_later(void **state)
{
	bool announced[LARGEST_ADDRESSES] = {false};

	(void)state;
	begin(largest());
	tell_device(0, true, true, "10.0.0.1");
	run_ms(360);
	forget();
	run_ms(30); /* the step of 20 ms */
	for (size_t i = 0; i < log_count; i++)
		if (log_list[i].kind == EFFECT_KEEPER &&
			log_list[i].keeper.verb == CHANNEL_ANNOUNCE)
			announced[log_list[i].keeper.index] = true;
	for (size_t a = 0; a < LARGEST_ADDRESSES; a++)
		assert_true(announced[a]);
}

static void test_the_service_manager_stops_it(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_STOP, 0, 0, 0);
	assert_int_equal(count_kind(EFFECT_STOPPED), 1);
	assert_false(engine_holds(engine, 0));
	assert_false(engine_holds(engine, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_claims_alone),
		TEST(test_stops_in_order),
		TEST(test_a_keeper_that_errs),
		TEST(test_held_of_an_earlier_claim),
		TEST(test_effects_fit),
		TEST(test_memory_follows_the_configuration),
		TEST(test_announcements_left_out_come_later),
		TEST(test_the_service_manager_stops_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
