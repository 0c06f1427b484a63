/* SPDX-License-Identifier: ISC */
/* What hooks and people are told of a change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fixture.h"

static void test_hooks(void **state)
{
	const struct engine_hook *hook = NULL;

	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\n[group mail]\naddress = 192.168.1.99\n"
	      "[group web]\naddress = 192.168.1.100/24\non-change = /etc/ha/changed\n");
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	for (size_t i = 0; i < log_count; i++)
		if (log_list[i].kind == EFFECT_HOOK) {
			assert_null(
				hook); /* one change, one run; none for the group without hooks */
			hook = &log_list[i].hook;
		}
	assert_non_null(hook);
	assert_int_equal(hook->group, 1);
	assert_int_equal(hook->state, STATE_ACTIVE);
	assert_int_equal(hook->previous, STATE_STANDBY);
	assert_int_equal(hook->epoch, 1);
	assert_string_equal(hook->holder, "alpha");
	assert_string_equal(hook->reason, "nobody held it");
}

/* Its cause is over before the keeper has taken down what the group had. */
static void test_a_cause_that_is_over_is_explained(void **state)
{
	(void)state;
	become_active();
	keeper_answers = false;
	tell_health(100, false, true);
	tell_health(100, false, false);
	forget();
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	assert_non_null(strstr(find_report(REPORT_STATE)->text, "a check had failed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hooks),
		TEST(test_a_cause_that_is_over_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
