/* SPDX-License-Identifier: ISC */
/* What is counted and timed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/fixture.h"

static const struct histogram *timing(enum metric_timing which)
{
	return &engine_metrics(engine)->timings[which];
}

static void test_a_takeover_is_counted_and_timed(void **state)
{
	const struct metrics *m;
	const struct report *r;

	(void)state;
	begin(ONE_GROUP);
	m = engine_metrics(engine);
	keeper_answers = false;
	tell_device(0, true, true, "10.0.0.1");
	run_ms(400);
	assert_int_equal(m->counters[METRIC_CLAIMS], 1);
	assert_int_equal(timing(METRIC_TAKEOVER_UP)->count, 0);
	forget();
	keeper_says(CHANNEL_HELD, 0, 0, 1);
	run_ms(10);
	assert_int_equal(timing(METRIC_TAKEOVER_UP)->count, 1);
	assert_in_range(timing(METRIC_TAKEOVER_UP)->max_ns, 1, 400 * NS_PER_MS);
	assert_int_equal(timing(METRIC_TAKEOVER_TOLD)->count, 1);
	assert_int_equal(m->transitions[ELECTION_VACANT], 1);
	r = find_report(REPORT_STATE);
	assert_non_null(r);
	assert_string_equal(r->cause, "vacant");
	assert_int_equal(r->took_us, timing(METRIC_TAKEOVER_UP)->max_ns / NS_PER_US);
	assert_true(r->lasted_us >= 350000 && r->silence_us == 0);
}

static void test_late_heartbeats_are_seen(void **state)
{
	struct engine_event timer = {.kind = ENGINE_TIMER};

	(void)state;
	become_active();
	assert_true(timing(METRIC_BEAT_LATENESS)->count > 5);
	assert_true(timing(METRIC_BEAT_LATENESS)->max_ns == 0);
	now_ns = engine_deadline(engine).ns + 30 * NS_PER_MS;
	step(&timer);
	assert_true(timing(METRIC_BEAT_LATENESS)->max_ns == 30 * NS_PER_MS);
	assert_int_equal(engine_metrics(engine)->counters[METRIC_STALLS], 1);
}

static void test_jitter_of_a_peer(void **state)
{
	struct engine_peer p;

	(void)state;
	become_active();
	assert_false(engine_peer(engine, 0, &p));
	for (uint64_t i = 1; i <= 4; i++) {
		struct heartbeat h = peer_heartbeat(0xc3, i);

		hear_by(2, &h);
		run_ms(i == 3 ? 10 : 130); /* the fourth comes early: it says nothing */
	}
	assert_true(engine_peer(engine, 0, &p));
	assert_string_equal(p.name, "beta");
	assert_int_equal(p.jitter->count, 2);
	assert_true(p.jitter->max_ns == 30 * NS_PER_MS);
	assert_false(engine_peer(engine, 1, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_takeover_is_counted_and_timed),
		TEST(test_late_heartbeats_are_seen),
		TEST(test_jitter_of_a_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
