/* SPDX-License-Identifier: ISC */
/* What becomes of requests to yield and to drain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "engine/fixture.h"

static const struct engine_answer *ask(
	enum control_command command, const char *group, const char *to)
{
	struct engine_request request = {.asked.command = command};
	struct engine_event event = {.kind = ENGINE_REQUEST, .request = &request};

	text_copy(request.asked.group, sizeof(request.asked.group), group);
	text_copy(request.asked.to, sizeof(request.asked.to), to);
	forget();
	step(&event);
	for (size_t i = log_count; i-- > 0;)
		if (log_list[i].kind == EFFECT_ANSWER)
			return &log_list[i].answer;
	return NULL;
}

static const struct engine_answer *last_answer(void)
{
	for (size_t i = log_count; i-- > 0;)
		if (log_list[i].kind == EFFECT_ANSWER)
			return &log_list[i].answer;
	return NULL;
}

static void test_a_yield_that_beta_does_not_take(void **state)
{
	const struct engine_answer *a;
	uint64_t sequence = 0;

	(void)state;
	become_active();
	run_beside_beta(&sequence, 500);
	assert_null(ask(CONTROL_YIELD, "web", "beta"));
	run_beside_beta(&sequence, 500);
	a = last_answer();
	assert_non_null(strstr(a->text, "nobody has taken web within"));
	assert_null(ask(CONTROL_YIELD, "web", "beta")); /* which is not granted it again so soon */
	run_beside_beta(&sequence, 4000);
	a = last_answer();
	assert_non_null(a);
	assert_int_equal(a->outcome, CONTROL_FAILED);
	assert_null(ask(CONTROL_DRAIN, "", ""));
	run_beside_beta(&sequence, 5000);
	a = last_answer();
	assert_non_null(a);
	assert_int_equal(a->outcome, CONTROL_FAILED);
}

static void test_a_yield_to_one_without_the_group(void **state)
{
	struct heartbeat h;

	(void)state;
	become_active();
	h = peer_heartbeat(0xc3, 1);
	hear(&h);
	h.sequence++;
	hear(&h);
	assert_string_equal(ask(CONTROL_YIELD, "web", "beta")->text, "beta has no group web");
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_string_equal(status.groups[0].next, "nobody would take over if this node fails");
}

static void test_a_yield_of_what_is_being_released(void **state)
{
	(void)state;
	become_active();
	keeper_answers = false;
	tell_health(100, false, true);
	assert_non_null(strstr(ask(CONTROL_YIELD, "web", "")->text, "is being moved"));
	assert_string_equal(next_of(0), "STANDBY when the addresses are down");
}

static void test_drained_and_stopped(void **state)
{
	struct engine_event stop = {.kind = ENGINE_STOP};
	uint64_t sequence = 0;

	(void)state;
	become_active();
	keeper_answers = false;
	run_beside_beta(&sequence, 500);
	assert_null(ask(CONTROL_DRAIN, "", ""));
	keeper_says(CHANNEL_RETIRE, 0, 0, 0);
	step(&stop);
	run_beside_beta(&sequence, 2000);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 1);
	assert_string_equal(next_of(0), "SHUTDOWN when the addresses are down");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_yield_that_beta_does_not_take),
		TEST(test_a_yield_to_one_without_the_group),
		TEST(test_a_yield_of_what_is_being_released),
		TEST(test_drained_and_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
