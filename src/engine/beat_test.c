/* SPDX-License-Identifier: ISC */
/* What heartbeats bring about: the lease that each earns, and the will that repeats the last (R6,
 * R7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fixture.h"

/* R7: from before the sending, less the margin of 350 ms / 32; only if it was sent. */
static void test_lease(void **state)
{
	int64_t until_ns = 0;

	(void)state;
	become_active();
	run_ms(100);
	for (size_t i = 0; i < log_count; i++)
		if (log_list[i].kind == EFFECT_LEASE)
			until_ns = log_list[i].lease.ns;
	assert_true(until_ns > now_ns + 200 * NS_PER_MS);
	assert_int_equal(
		(until_ns - (350 * NS_PER_MS - 350 * NS_PER_MS / 32) - START_NS) % NS_PER_MS, 0);
	sending_works = false;
	forget();
	run_ms(320);
	for (size_t i = 0; i < log_count; i++)
		assert_int_not_equal(log_list[i].kind, EFFECT_LEASE);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 0);
	run_ms(100);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 1);
}

static void test_will(void **state)
{
	struct heartbeat h;

	(void)state;
	become_active();
	assert_int_equal(last_will.id, OWN_ID);
	assert_int_equal(last_will.nonce, OWN_NONCE);
	assert_true(last_will.sequence == UINT64_MAX); /* above all that it will ever send itself */
	assert_true(last_will.leaving);
	assert_int_equal(last_will.groups[0].state, STATE_SHUTDOWN);
	assert_int_equal(last_will.groups[0].flags, 0);
	run_ms(5000);
	assert_int_equal(count_keeper(CHANNEL_WILL), 0); /* not anew for each heartbeat */
	h = peer_heartbeat(7, 1);
	hear(&h);
	run_ms(100);
	assert_int_equal(count_keeper(CHANNEL_WILL), 1); /* the newcomer must find itself in it */
	assert_int_equal(last_will.heard[0].nonce, h.nonce);
}

static void test_heartbeats_without_multicast(void **state)
{
	struct ip v6;

	(void)state;
	assert_true(ip_parse("fd00::1", &v6));
	begin("[node]\nname = alpha\ninterface = eth0\nmulticast = none\npeer = fd00::2\n"
	      "[group web]\naddress = 192.168.1.100/24\n");
	tell_device(0, true, true, "fd00::1");
	run_ms(1000);
	assert_true(ip_equal(&last_sent.address, &v6));
	begin("[node]\nname = alpha\ninterface = eth0\nmulticast = none\npeer = 10.0.0.2\n"
	      "[group web]\naddress = 192.168.1.100/24\n");
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	assert_int_equal(last_sent.address.family, IP_V4);
}

static bool is_warned_of_lifetimes(void)
{
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	for (size_t i = 0; i < status.warning_count; i++)
		if (strstr(status.warnings[i], "address lifetimes"))
			return true;
	return false;
}

static void test_a_fence_that_closes_late(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_FENCE, 0, 0, CHANNEL_FENCE_LIFETIME);
	assert_true(is_warned_of_lifetimes());
	keeper_says(CHANNEL_FENCE, 0, 1, CHANNEL_FENCE_LIFETIME);
	assert_false(is_warned_of_lifetimes());
	keeper_says(CHANNEL_RENEWED, 0, 0, 1); /* the driver's */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lease),
		TEST(test_will),
		TEST(test_heartbeats_without_multicast),
		TEST(test_a_fence_that_closes_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
