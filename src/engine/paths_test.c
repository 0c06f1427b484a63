/* SPDX-License-Identifier: ISC */
/* Several heartbeat interfaces: which of them are told of as lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fixture.h"

/* Three of its intervals, each heartbeat by eth0, and its copy by eth1. */
static void hear_thrice(struct heartbeat *beta, bool both)
{
	for (int i = 0; i < 3; i++) {
		run_ms(100);
		beta->sequence++;
		beta->heard[0].sequence = (uint32_t)last_sent.sequence;
		hear_by(2, beta);
		if (both)
			hear_by(3, beta);
	}
}

static void begin_on_two_paths(struct heartbeat *beta)
{
	begin("[node]\ninterface = eth0\ninterface = eth1\n"
	      "[group web]\naddress = 10.0.0.100/24 dev eth0\n");
	tell_device(0, true, true, "10.0.0.1");
	tell_device(1, true, true, "10.1.0.1");
	run_ms(1000);
	*beta = peer_heartbeat(7, 1);
	hear_thrice(beta, true);
	forget();
}

static void test_a_path_is_lost(void **state)
{
	struct heartbeat beta;

	(void)state;
	begin_on_two_paths(&beta);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_string_equal(status.paths[1].interface, "eth1");
	assert_string_equal(status.paths[1].state, "is up");
	assert_int_equal(status.peers[0].path_heard_ms[1], 0);
	hear_thrice(&beta, false);
	assert_null(find_report(REPORT_PEER)); /* that may be a delay */
	hear_thrice(&beta, false);
	assert_string_equal(find_report(REPORT_PEER)->text, "beta is no longer heard by eth1");
	assert_null(find_report(REPORT_STATE));
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_true(status.peers[0].live);
	assert_int_equal(status.peers[0].path_heard_ms[0], 0);
	assert_int_equal(status.peers[0].path_heard_ms[1], 600);
	assert_non_null(strstr(status.warnings[1], "beta is not heard by eth1"));
	forget();
	hear_thrice(&beta, true);
	assert_string_equal(find_report(REPORT_PEER)->text, "beta is heard again by eth1");
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.warning_count, 1); /* there is no key */
}

/* R10: whoever did not run has not heard by any of them. */
static void test_no_path_is_lost_by_a_stall(void **state)
{
	struct heartbeat beta;

	(void)state;
	begin_on_two_paths(&beta);
	now_ns += 300 * NS_PER_MS;
	hear_thrice(&beta, true);
	assert_null(find_report(REPORT_PEER));
}

/* Its device tells enough, once. */
static void test_a_path_without_carrier(void **state)
{
	struct heartbeat beta;

	(void)state;
	begin_on_two_paths(&beta);
	tell_device(1, true, false, "10.1.0.1");
	hear_thrice(&beta, false);
	hear_thrice(&beta, false);
	assert_null(find_report(REPORT_PEER));
	assert_string_equal(find_report(REPORT_DEVICE)->text, "eth1 has no carrier");
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_string_equal(status.paths[1].state, "has no carrier");
	assert_string_equal(status.warnings[1], "heartbeat interface eth1 has no carrier");
	assert_true(status.groups[0].eligible);
	assert_int_equal(status.groups[0].state, STATE_ACTIVE);
}

static void test_a_path_that_nobody_is_heard_by(void **state)
{
	struct heartbeat beta;

	(void)state;
	begin_on_two_paths(&beta);
	tell_device(1, false, false, NULL);
	beta.sequence++;
	hear_by(3, &beta); /* it was on its way */
	hear_by(77, &beta);
	beta.sequence++;
	hear_by(77, &beta); /* by none of ours */
	hear_thrice(&beta, false);
	assert_null(find_report(REPORT_PEER));
}

/* All paths are silent at once: then the peer is, which is told. */
static void test_a_peer_that_is_silent_on_all_paths(void **state)
{
	struct heartbeat beta;

	(void)state;
	begin_on_two_paths(&beta);
	hear_thrice(&beta, false);
	hear_thrice(&beta, false);
	forget();
	run_ms(2000);
	assert_non_null(strstr(find_report(REPORT_PEER)->text, "is gone"));
}

static void test_a_path_that_does_not_exist(void **state)
{
	struct engine_event gone = {.kind = ENGINE_DEVICE, .device = {.index = 0}};
	struct heartbeat beta;

	(void)state;
	begin_on_two_paths(&beta);
	step(&gone);
	beta.sequence++;
	hear_by(3, &beta);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_true(status.peers[0].live);
	assert_string_equal(status.paths[0].state, "does not exist");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_path_is_lost),
		TEST(test_no_path_is_lost_by_a_stall),
		TEST(test_a_path_without_carrier),
		TEST(test_a_path_that_nobody_is_heard_by),
		TEST(test_a_peer_that_is_silent_on_all_paths),
		TEST(test_a_path_that_does_not_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
