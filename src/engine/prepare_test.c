/* SPDX-License-Identifier: ISC */
/* What has to be done before a claim, and when it fails. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fixture.h"

static void test_a_preparation_of_nothing(void **state)
{
	struct engine_event event = {.kind = ENGINE_PREPARED, .preparation = {.group = 7}};

	(void)state;
	become_active();
	step(&event);
	event.preparation.group = 0;
	step(&event);
	assert_int_equal(log_count, 0);
}

static void test_a_preparation_is_told_of(void **state)
{
	struct engine_event event = {.kind = ENGINE_PREPARED, .preparation = {.error = -ENOENT}};

	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\n"
	      "[group web]\naddress = 192.168.1.100/24\nbefore-active = /bin/true\n");
	tell_device(0, true, true, "10.0.0.1");
	run_ms(400);
	assert_non_null(strstr(reason_of(0), "before-active runs"));
	for (size_t i = 0; i < log_count; i++)
		if (log_list[i].kind == EFFECT_HOOK)
			event.preparation.run = log_list[i].hook.preparation;
	event.preparation.run++; /* that is none that was asked for */
	step(&event);
	assert_non_null(strstr(reason_of(0), "before-active runs"));
	event.preparation.run--;
	step(&event);
	assert_non_null(strstr(reason_of(0), "could not be run, or was killed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_preparation_of_nothing),
		TEST(test_a_preparation_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
