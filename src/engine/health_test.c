/* SPDX-License-Identifier: ISC */
/* What health makes of worth and eligibility. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fixture.h"

static void test_health(void **state)
{
	const struct heartbeat_group *said = &last_sent.groups[0];

	(void)state;
	become_active();
	tell_health(50, false, false);
	assert_int_equal(said->worth, 50);
	assert_int_equal(said->flags & HEARTBEAT_GROUP_IMPAIRED, 0);
	assert_int_equal(status.groups[0].worth, 50);
	assert_int_equal(status.groups[0].configured_worth, 100);
	assert_non_null(strstr(status.groups[0].reason,
		"worth 100, lowered by 50: check nginx fails: connection refused"));
	tell_health(100, true, false);
	assert_int_equal(said->worth, 100);
	assert_int_equal(said->flags, HEARTBEAT_GROUP_ELIGIBLE | HEARTBEAT_GROUP_IMPAIRED);
	assert_true(status.groups[0].impaired && status.groups[0].eligible);
	assert_int_equal(said->state, STATE_ACTIVE); /* nobody else could hold it */
	tell_health(100, false, true);
	assert_int_equal(said->flags & HEARTBEAT_GROUP_ELIGIBLE, 0);
	assert_int_equal(said->state, STATE_STANDBY);
	tell_health(100, false, false);
	run_ms(1000);
	assert_int_equal(said->state, STATE_ACTIVE);
	tell_health(0, false, false);
	assert_int_equal(said->state, STATE_STANDBY);
	assert_false(status.groups[0].eligible);
}

static void test_a_worth_that_is_raised(void **state)
{
	(void)state;
	become_active();
	tell_health(150, false, false);
	assert_non_null(strstr(reason_of(0), "worth 100, raised to 150"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_health),
		TEST(test_a_worth_that_is_raised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
