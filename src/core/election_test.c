/* SPDX-License-Identifier: ISC */
/* When a node listens, claims and lets go: R1, R2, R7, R11, and what the keeper says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fixture.h"

static void test_rank(void **state)
{
	static const struct {
		uint16_t worth_a;
		const char *address_a;
		uint64_t id_a;
		uint16_t worth_b;
		const char *address_b;
		uint64_t id_b;
	} cases[] = {
		/* a outranks b */
		{2, "10.0.0.9", 9, 1, "10.0.0.1", 1},
		{65535, "10.0.0.9", 9, 0, "10.0.0.1", 1},
		{1, "10.0.0.9", 9, 1, "10.0.0.10", 1},
		{1, "9.0.0.0", 9, 1, "10.0.0.1", 1},
		{1, "10.0.0.9", 9, 1, NULL, 1}, /* has lost its address */
		{1, "10.0.0.1", 9, 1, "::1", 1},
		{1, "10.0.0.1", 1, 1, "10.0.0.1", 9},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct election_rank a = rank(cases[i].worth_a, cases[i].address_a, cases[i].id_a);
		struct election_rank b = rank(cases[i].worth_b, cases[i].address_b, cases[i].id_b);

		assert_true(election_outranks(&a, &b));
		assert_false(election_outranks(&b, &a));
		assert_false(election_outranks(&a, &a));
		b.impaired = true;
		assert_true(election_outranks(&a, &b));
		a.impaired = true; /* of two that are impaired the one that is less bad */
		assert_true(election_outranks(&a, &b));
		b.impaired = false;
		assert_false(election_outranks(&a, &b));
		assert_true(election_outranks(&b, &a));
	}
}

static void test_r1_listens_for_a_tolerance(void **state)
{
	(void)state;
	input.listen_ns = 3500 * NS_PER_MS; /* what the slowest peer announces */
	assert_int_equal(election_deadline(&election, &input).ns, at(3500).ns);
	evaluate(3499);
	expect_nothing();
	evaluate(3500);
	assert_int_equal(election.phase, ELECTION_STANDBY);
	expect_output(false, false, false, true); /* others learn that it is eligible */
}

static void test_r1_a_stall_is_no_listening(void **state)
{
	(void)state;
	election_credit_stall(&election, at(2000), 1900 * NS_PER_MS);
	evaluate(2000);
	assert_int_equal(election.phase, ELECTION_LISTENING);
	assert_int_equal(election_deadline(&election, &input).ns, at(2250).ns);
	evaluate(2250);
	assert_int_equal(election.phase, ELECTION_STANDBY);
	election_credit_stall(&election, at(3000), 100 * NS_PER_MS);
	assert_int_equal(election.phase, ELECTION_STANDBY);
}

static void test_r1_listens_again(void **state)
{
	(void)state;
	listen_to_the_end();
	election_listen(&election, at(1000));
	evaluate(1349);
	assert_int_equal(election.phase, ELECTION_LISTENING);
	evaluate(1350);
	evaluate(1351);
	assert_true(output.hold);
	/* What is held is not affected. */
	event(1352, ELECTION_HELD);
	election_listen(&election, at(1353));
	assert_int_equal(election.phase, ELECTION_ACTIVE);
}

/* R2: of nodes that start together the worthiest claims, if it does not start over and over. */
static void test_r2_waits_for_a_worthier_listener(void **state)
{
	struct election_rival *r = add_rival(110, HIGHER);

	(void)state;
	r->eligible = false;
	r->listens = true;
	listen_to_the_end();
	evaluate(2 * TOLERANCE_MS - 1);
	assert_int_equal(election.phase, ELECTION_STANDBY);
	evaluate(2 * TOLERANCE_MS);
	assert_true(output.hold);
}

static void test_r2_does_not_wait_for_others(void **state)
{
	struct election_rival *r = add_rival(90, LOWER);

	(void)state;
	r->eligible = false;
	r->listens = true;
	listen_to_the_end();
	evaluate(351);
	assert_true(output.hold); /* that one is less worthy */
}

/* An outage is not made longer by somebody who has just started. */
static void test_r2_does_not_wait_after_a_holder(void **state)
{
	struct election_rival *holder = add_rival(90, LOWER);
	struct election_rival *listener = add_rival(110, HIGHER);

	(void)state;
	holder->active = true;
	listener->eligible = false;
	listener->listens = true;
	listen_to_the_end();
	evaluate(351);
	assert_false(output.hold);
	holder->active = false;
	evaluate(352);
	assert_true(output.hold);
}

/* R2: when a STANDBY node claims, as one table. */
static void test_r2_claim(void **state)
{
	static const struct {
		const char *what;
		bool eligible, lease;
		uint16_t rival_worth; /* 0: none */
		bool rival_eligible, rival_active;
		bool claims;
	} cases[] = {
		{"alone", true, true, 0, false, false, true},
		{"alone but not eligible", false, true, 0, false, false, false},
		{"alone but without a lease", true, false, 0, false, false, false},
		{"worthier than the other", true, true, 90, true, false, true},
		{"the other is worthier", true, true, 110, true, false, false},
		{"equal, but the lower address", true, true, 100, true, false, true},
		{"the worthier one is not eligible", true, true, 110, false, false, true},
		{"a less worthy one is ACTIVE", true, true, 90, true, true, false},
		{"one that is not eligible is still ACTIVE", true, true, 110, false, true, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(state);
		listen_to_the_end();
		input.eligible = cases[i].eligible;
		input.lease = cases[i].lease ? TIME_NEVER : at(360);
		if (cases[i].rival_worth > 0) {
			struct election_rival *r = add_rival(cases[i].rival_worth, LOWER);

			r->eligible = cases[i].rival_eligible;
			r->active = cases[i].rival_active;
		}
		evaluate(360);
		if (output.hold != cases[i].claims ||
			(election.phase == ELECTION_TAKING) != cases[i].claims)
			fail_msg("%s", cases[i].what);
	}
}

static void test_r2_epoch_is_above_all_seen(void **state)
{
	struct election_rival *r = add_rival(90, LOWER);

	(void)state;
	r->epoch = 41;
	evaluate(10);
	forget_rivals();
	listen_to_the_end();
	evaluate(351);
	assert_true(output.hold);
	assert_int_equal(election.epoch, 42);
	assert_false(output.tell); /* ACTIVE is said when the addresses are up */
	event(352, ELECTION_HELD);
	assert_true(output.tell);
	assert_int_equal(election.epoch, 42);
}

static void test_r2_impossible_epochs_are_not_learned(void **state)
{
	struct election_rival *r = add_rival(90, LOWER);

	(void)state;
	r->epoch = UINT64_MAX;
	listen_to_the_end();
	evaluate(351);
	assert_true(output.hold);
	assert_int_equal(election.epoch, 1);
}

static void test_r2_causes(void **state)
{
	struct election_rival *r;

	(void)state;
	r = add_rival(110, HIGHER);
	r->active = true;
	listen_to_the_end();
	evaluate(400);
	forget_rivals();
	evaluate(500);
	assert_true(output.hold);
	assert_int_equal(election.cause, ELECTION_HOLDER_SILENT);
	assert_int_equal(election.cause_peer, HIGHER);

	begin(state);
	r = add_rival(110, HIGHER);
	r->active = true;
	listen_to_the_end();
	evaluate(400);
	r->active = r->eligible = false;
	evaluate(500);
	assert_true(output.hold);
	assert_int_equal(election.cause, ELECTION_HOLDER_RESIGNED);

	begin(state);
	listen_to_the_end();
	evaluate(400);
	assert_int_equal(election.cause, ELECTION_VACANT);
	assert_int_equal(election.cause_peer, 0);
}

/* Whoever held it before us is not the cause when it is free again after us. */
static void test_r2_cause_after_own_holding(void **state)
{
	struct election_rival *r = add_rival(110, HIGHER);

	(void)state;
	r->active = true;
	listen_to_the_end();
	evaluate(400);
	forget_rivals();
	evaluate(500);
	event(501, ELECTION_HELD);
	assert_int_equal(election.cause, ELECTION_HOLDER_SILENT);
	input.eligible = false;
	evaluate(600);
	event(601, ELECTION_RELEASED);
	input.eligible = true;
	evaluate(602);
	assert_true(output.hold);
	assert_int_equal(election.cause, ELECTION_VACANT);
}

/* What happens while the keeper configures the addresses. */
static void test_taking(void **state)
{
	static const struct {
		const char *what;
		bool eligible, can_serve, stopping, lease, releases;
		enum election_cause cause;
	} cases[] = {
		{"nothing", true, true, false, true, false, ELECTION_VACANT},
		{"not eligible any more, but able: it offers the group when it has it", false, true,
			false, true, false, ELECTION_VACANT},
		{"its link fails", false, false, false, true, true, ELECTION_CANNOT_SERVE},
		{"it stops", false, true, true, true, true, ELECTION_STOPPING},
		{"its lease passes", true, true, false, false, true, ELECTION_LEASE_PASSED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(state);
		listen_to_the_end();
		evaluate(351);
		assert_int_equal(election.phase, ELECTION_TAKING);
		input.eligible = cases[i].eligible;
		input.can_serve = cases[i].can_serve;
		input.stopping = cases[i].stopping;
		input.lease = cases[i].lease ? TIME_NEVER : at(352);
		evaluate(352);
		if (output.release != cases[i].releases || election.cause != cases[i].cause)
			fail_msg("%s", cases[i].what);
	}
}

static void test_hold_failed(void **state)
{
	(void)state;
	listen_to_the_end();
	evaluate(351);
	event(352, ELECTION_FAILED);
	assert_int_equal(election.phase, ELECTION_STANDBY);
	assert_int_equal(election.cause, ELECTION_HOLD_FAILED);
	expect_output(false, false, false, true);
	event(353, ELECTION_HELD); /* too late to mean anything */
	assert_int_equal(election.phase, ELECTION_STANDBY);
}

static void test_r5_stops_in_every_phase(void **state)
{
	(void)state;
	input.stopping = true;
	evaluate(10);
	assert_int_equal(election.phase, ELECTION_SHUTDOWN);

	begin(state);
	listen_to_the_end();
	input.stopping = true;
	evaluate(351);
	assert_int_equal(election.phase, ELECTION_SHUTDOWN);

	begin(state);
	listen_to_the_end();
	evaluate(351);
	input.stopping = true;
	evaluate(352);
	assert_true(output.release);
	event(353, ELECTION_HELD); /* overtaken by the release */
	assert_int_equal(election.phase, ELECTION_RELEASING);
	event(354, ELECTION_RELEASED);
	assert_int_equal(election.phase, ELECTION_SHUTDOWN);
	assert_true(time_is_never(election_deadline(&election, &input)));
}

static void test_r7_lease(void **state)
{
	(void)state;
	become_active();
	input.lease = at(700);
	assert_int_equal(election_deadline(&election, &input).ns, at(700).ns);
	evaluate(699);
	expect_nothing();
	evaluate(700);
	assert_true(output.release);
	assert_int_equal(election.cause, ELECTION_LEASE_PASSED);
	input.lease = TIME_NEVER; /* it can send again */
	event(701, ELECTION_RELEASED);
	assert_int_equal(election.phase, ELECTION_LISTENING);
	evaluate(1050);
	expect_nothing();
	evaluate(1051);
	assert_int_equal(election.phase, ELECTION_STANDBY);
}

static void test_r7_the_lease_passes_while_it_releases(void **state)
{
	(void)state;
	become_active();
	input.lease = at(700);
	input.stopping = false;
	input.eligible = input.can_serve = false;
	evaluate(600);
	assert_int_equal(election.phase, ELECTION_RELEASING);
	assert_false(election.listen_again);
	evaluate(700); /* the node did not run, or the keeper took long */
	assert_true(election.listen_again);
	event(701, ELECTION_RELEASED);
	assert_int_equal(election.phase, ELECTION_LISTENING);
}

static void test_r7_the_lease_had_passed_when_it_heard_of_its_release(void **state)
{
	(void)state;
	become_active();
	input.lease = at(700);
	input.eligible = input.can_serve = false;
	evaluate(600);
	assert_int_equal(election.phase, ELECTION_RELEASING);
	event(701, ELECTION_RELEASED); /* the first that it reads after it did not run */
	assert_int_equal(election.phase, ELECTION_LISTENING);
}

static void test_r7_the_watchdog_saw_it(void **state)
{
	(void)state;
	become_active();
	event(500, ELECTION_EXPIRED);
	assert_true(output.release);
	assert_int_equal(election.cause, ELECTION_LEASE_PASSED);
	event(501, ELECTION_EXPIRED); /* once is enough */
	expect_nothing();
	event(502, ELECTION_RELEASED);
	assert_int_equal(election.phase, ELECTION_LISTENING);
}

/* Each change of state has its own cause, not that of what follows. */
static void test_a_release_is_told_before_the_next_claim(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(110, HIGHER);
	r->active = true;
	evaluate(400);
	forget_rivals();
	event(401, ELECTION_RELEASED);
	assert_int_equal(election.phase, ELECTION_STANDBY);
	assert_int_equal(election.cause, ELECTION_COLLISION);
	evaluate(401);
	assert_int_equal(election.phase, ELECTION_TAKING);
}

/* R11: it is not heard, and answers. */
static void test_r11_a_silent_holder_that_answers_keeps_it(void **state)
{
	(void)state;
	add_rival(200, HIGHER)->active = true;
	listen_to_the_end();
	evaluate(351);
	expect_nothing();
	forget_rivals();
	input.answered = true;
	evaluate(700);
	expect_nothing();
	assert_int_equal(election.phase, ELECTION_STANDBY);
	input.answered = false;
	evaluate(800);
	assert_true(output.hold);
	assert_int_equal(election.cause, ELECTION_HOLDER_SILENT);
}

static void test_r2_claims_before_it_is_settled(void **state)
{
	(void)state;
	input.settled = false;
	listen_to_the_end();
	evaluate(351);
	assert_true(output.hold);
}

static void test_an_impossible_claim_is_not_outbid(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(10, LOWER);
	r->claimed = true;
	r->epoch = UINT64_C(1) << 63;
	evaluate(400);
	assert_int_equal(election.epoch, 1);
	assert_int_equal(election.epoch_rival, 0);
}

/* What the keeper says at another time than it should changes nothing. */
static void test_events_out_of_turn(void **state)
{
	static const enum election_event events[] = {
		ELECTION_HELD, ELECTION_FAILED, ELECTION_RELEASED, ELECTION_EXPIRED};

	(void)state;
	listen_to_the_end();
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		event(360, events[i]);
		expect_nothing();
		assert_int_equal(election.phase, ELECTION_STANDBY);
	}
	evaluate(361);
	event(362, ELECTION_EXPIRED);
	assert_int_equal(election.phase, ELECTION_RELEASING);
	assert_true(output.release && election.unheld);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rank),
		TEST(test_r1_listens_for_a_tolerance),
		TEST(test_r1_a_stall_is_no_listening),
		TEST(test_r1_listens_again),
		TEST(test_r2_waits_for_a_worthier_listener),
		TEST(test_r2_does_not_wait_for_others),
		TEST(test_r2_does_not_wait_after_a_holder),
		TEST(test_r2_claim),
		TEST(test_r2_epoch_is_above_all_seen),
		TEST(test_r2_impossible_epochs_are_not_learned),
		TEST(test_r2_causes),
		TEST(test_r2_cause_after_own_holding),
		TEST(test_taking),
		TEST(test_hold_failed),
		TEST(test_r5_stops_in_every_phase),
		TEST(test_r7_lease),
		TEST(test_r7_the_lease_passes_while_it_releases),
		TEST(test_r7_the_lease_had_passed_when_it_heard_of_its_release),
		TEST(test_r7_the_watchdog_saw_it),
		TEST(test_a_release_is_told_before_the_next_claim),
		TEST(test_r11_a_silent_holder_that_answers_keeps_it),
		TEST(test_r2_claims_before_it_is_settled),
		TEST(test_an_impossible_claim_is_not_outbid),
		TEST(test_events_out_of_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
