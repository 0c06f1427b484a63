/* SPDX-License-Identifier: ISC */
/* The lease of a node whose keeper takes groups down, by the fence that is in force (R7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/fixture.h"

/* R7: a node that wakes up must not serve on a fresh lease what its keeper has still to take down.
 */
static void test_no_lease_while_the_keeper_releases(void **state)
{
	(void)state;
	become_active();
	keeper_answers = false;
	keeper_says(CHANNEL_EXPIRED, 0, 0, 1);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 1);
	forget();
	run_ms(300);
	assert_true(count_kind(EFFECT_SEND) >= 2);
	assert_int_equal(count_kind(EFFECT_LEASE), 0);
	keeper_answers = true;
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	assert_int_equal(count_kind(EFFECT_LEASE), 1);
	run_ms(100);
	assert_true(count_kind(EFFECT_LEASE) > 1);
}

/* Two groups are given up, one 100 ms after the other, and the keeper is slow. */
static void give_two_up(enum channel_fence fence)
{
	begin("[node]\nname = alpha\ninterface = eth0\n"
	      "[group one]\naddress = 192.168.1.100/24\n"
	      "[group two]\naddress = 192.168.1.101/24\n"
	      "[group three]\naddress = 192.168.1.102/24\n");
	keeper_says(CHANNEL_FENCE, 0, fence == CHANNEL_FENCE_BPF, fence);
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	keeper_answers = false;
	for (uint16_t g = 0; g < 2; g++) {
		struct engine_health health = {.group = g, .ineligible = true, .reason = "ill"};
		struct engine_event event = {.kind = ENGINE_HEALTH, .health = &health};

		step(&event);
		run_ms(100);
	}
	assert_true(
		engine_holds(engine, 2) && !engine_holds(engine, 0) && !engine_holds(engine, 1));
}

static void test_the_lease_follows_the_oldest_release(void **state)
{
	int64_t first, second;

	(void)state;
	give_two_up(CHANNEL_FENCE_WATCHDOG);
	first = last_lease();
	forget();
	run_ms(100);
	assert_int_equal(count_kind(EFFECT_LEASE), 0); /* however many heartbeats are sent */
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	second = last_lease();
	assert_in_range(second - first, 90 * NS_PER_MS, 110 * NS_PER_MS);
	forget();
	run_ms(50);
	assert_int_equal(count_kind(EFFECT_LEASE), 0);
	keeper_says(CHANNEL_RELEASED, 1, 0, 0);
	assert_true(last_lease() > second + 90 * NS_PER_MS);
	assert_true(engine_holds(engine, 2));
}

static void test_a_fence_for_each_group_needs_no_such_limit(void **state)
{
	(void)state;
	give_two_up(CHANNEL_FENCE_BPF);
	forget();
	run_ms(1000);
	assert_true(last_lease() > now_ns + 200 * NS_PER_MS);
	assert_true(engine_holds(engine, 2));
}

static void test_fence_in_force(void **state)
{
	(void)state;
	become_active();
	assert_string_equal(status.fence, "watchdog");
	keeper_says(CHANNEL_FENCE, 0, 1, CHANNEL_FENCE_BPF);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_string_equal(status.fence, "bpf");
}

/* The fence that comes in force limits the lease more: it is not extended, and never made shorter.
 */
static void test_a_lease_is_not_taken_back(void **state)
{
	(void)state;
	give_two_up(CHANNEL_FENCE_BPF);
	run_ms(1000);
	forget();
	keeper_says(CHANNEL_FENCE, 0, 0, CHANNEL_FENCE_WATCHDOG);
	run_ms(100);
	assert_int_equal(count_kind(EFFECT_LEASE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_lease_while_the_keeper_releases),
		TEST(test_the_lease_follows_the_oldest_release),
		TEST(test_a_fence_for_each_group_needs_no_such_limit),
		TEST(test_fence_in_force),
		TEST(test_a_lease_is_not_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
