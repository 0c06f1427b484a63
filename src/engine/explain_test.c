/* SPDX-License-Identifier: ISC */
/* What people are told: why a group is in its state, and what comes next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fixture.h"

static void test_what_comes_next(void **state)
{
	struct heartbeat h;

	(void)state;
	begin(ONE_GROUP);
	assert_string_equal(next_of(0), "listens as soon as the device is there");
	tell_device(0, false, false, "10.0.0.1");
	assert_string_equal(next_of(0), "listens as soon as the device is up");
	tell_device(0, true, true, "10.0.0.1");
	run_ms(110);
	assert_string_equal(
		next_of(0), "listens for 250 ms more, then takes it unless another should");
	run_ms(500);
	assert_string_equal(next_of(0), "nobody would take over if this node fails");
	h = peer_heartbeat(0xc3, 1);
	h.group_count = 1;
	h.groups[0] = (struct heartbeat_group){.id = conf.groups[0].id,
		.worth = 50,
		.state = STATE_STANDBY,
		.flags = HEARTBEAT_GROUP_ELIGIBLE,
		.grantee = HEARTBEAT_GRANTEE_NONE};
	hear(&h);
	assert_string_equal(next_of(0), "beta would take over if this node fails");
}

static void test_a_better_one_takes_what_nobody_holds(void **state)
{
	struct heartbeat h;

	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	h = peer_heartbeat(0xd4, 1); /* it has no groups */
	hear(&h);
	for (uint64_t i = 1; i < 9; i++, run_ms(100)) {
		hear_eligible_beta(i, 60000);
		h.sequence++;
		hear(&h);
	}
	assert_non_null(strstr(reason_of(0), "beta is worthier"));
	assert_string_equal(next_of(0), "beta takes it; if that one fails, the next");
	assert_int_equal(count_keeper(CHANNEL_HOLD), 0);
}

static void test_nobody_takes_what_it_cannot_tell(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	sending_works = false;
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	assert_string_equal(reason_of(0), "heartbeats cannot be sent: Operation not permitted");
	assert_string_equal(next_of(0), "takes it as soon as a heartbeat can be sent");
}

static void test_a_device_that_was_raised_in_vain(void **state)
{
	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\n"
	      "[group web]\naddress = 192.168.1.100/24 dev eth1\n");
	tell_device(0, true, true, "10.0.0.1");
	tell_device(1, false, false, NULL);
	run_ms(1000);
	tell_device(1, true, true, NULL);
	run_ms(1000);
	keeper_answers = false;
	tell_device(1, true, false, NULL);
	run_ms(40000);
	forget();
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	assert_non_null(strstr(
		find_report(REPORT_STATE)->text, "eth1 has no carrier when it is brought up"));
}

static void test_a_holder_that_does_not_hear_us(void **state)
{
	struct heartbeat h;

	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	for (uint64_t i = 1; i < 9; i++, run_ms(100)) {
		h = peer_heartbeat(0xc3, i);
		if (i > 2)
			h.heard_count = 0;
		h.group_count = 1;
		h.groups[0] = (struct heartbeat_group){.id = conf.groups[0].id,
			.worth = 50,
			.state = STATE_ACTIVE,
			.flags = HEARTBEAT_GROUP_ELIGIBLE,
			.grantee = HEARTBEAT_GRANTEE_NONE,
			.epoch = 9};
		hear(&h);
	}
	assert_string_equal(next_of(0), "takes it over as soon as beta hands it over");
	assert_non_null(strstr(reason_of(0), "it does not hear this node"));
}

static void test_settling_beside_a_sticky_holder(void **state)
{
	struct heartbeat h;

	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\n"
	      "[group web]\naddress = 192.168.1.100/24\nsettle = 30s\n");
	tell_device(0, true, true, "10.0.0.1");
	for (uint64_t i = 1; i < 9; i++, run_ms(100)) {
		h = peer_heartbeat(0xc3, i);
		h.group_count = 1;
		h.groups[0] = (struct heartbeat_group){.id = conf.groups[0].id,
			.worth = 50,
			.state = STATE_ACTIVE,
			.flags = HEARTBEAT_GROUP_ELIGIBLE | HEARTBEAT_GROUP_STICKY,
			.grantee = HEARTBEAT_GRANTEE_NONE,
			.epoch = 9};
		hear(&h);
	}
	assert_string_equal(next_of(0), "would take over if beta fails");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_comes_next),
		TEST(test_a_better_one_takes_what_nobody_holds),
		TEST(test_nobody_takes_what_it_cannot_tell),
		TEST(test_a_device_that_was_raised_in_vain),
		TEST(test_a_holder_that_does_not_hear_us),
		TEST(test_settling_beside_a_sticky_holder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
