/* SPDX-License-Identifier: ISC */
/*
 * A group on its way from one holder to the next, seen by the one that asks, by the one that
 * grants, and by those that are asked by people: R3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fixture.h"

static void test_r3_asks_the_holder(void **state)
{
	struct election_rival *holder = add_rival(90, LOWER);

	(void)state;
	holder->active = true;
	listen_to_the_end();
	evaluate(360);
	assert_true(election.wants);
	expect_output(false, false, false, true);
	evaluate(361);
	expect_nothing();
	add_rival(110, HIGHER); /* one that is worthier than we comes: it is to ask, not we */
	evaluate(362);
	assert_false(election.wants);
	assert_true(output.tell);
}

static void test_r3_takes_what_is_granted(void **state)
{
	struct election_rival *holder = add_rival(90, LOWER);

	(void)state;
	holder->active = holder->granted_us = true;
	holder->epoch = 7;
	listen_to_the_end();
	evaluate(360);
	assert_true(output.hold);
	assert_int_equal(election.epoch, 8);
	assert_int_equal(election.cause, ELECTION_GRANTED);
	event(361, ELECTION_HELD);
	evaluate(361);
	/* The granter still serves: that is no collision, and no reason to announce. */
	assert_int_equal(election.phase, ELECTION_ACTIVE);
	assert_false(output.announce);
	holder->active = holder->granted_us = false;
	evaluate(363);
	expect_output(false, false, true, true);
	assert_int_equal(election.epoch, 8);
	evaluate(364);
	expect_nothing();
}

static void test_r3_grants_to_one_that_asks(void **state)
{
	static const struct {
		const char *what;
		uint16_t worth;
		bool wants, eligible, hears_us, granted;
	} cases[] = {
		{"worthier and asks", 110, true, true, true, true},
		{"worthier but does not ask", 110, false, true, true, false},
		{"asks but is not worthier", 90, true, true, true, false},
		{"asks but is not eligible", 110, true, false, true, false},
		{"asks but would not hear the grant", 110, true, true, false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct election_rival *r;

		begin(state);
		become_active();
		r = add_rival(cases[i].worth, HIGHER);
		r->wants = cases[i].wants;
		r->eligible = cases[i].eligible;
		r->hears_us = cases[i].hears_us;
		evaluate(400);
		if ((election.grantee == HIGHER) != cases[i].granted ||
			output.tell != cases[i].granted)
			fail_msg("%s", cases[i].what);
		assert_int_equal(election.phase, ELECTION_ACTIVE);
	}
}

static void test_r3_releases_when_the_grantee_serves(void **state)
{
	struct election_rival *r;

	(void)state;
	r = become_granter(110);
	r->active = r->answers = true;
	r->wants = false;
	r->epoch = 2;
	evaluate(410);
	assert_int_equal(election.phase, ELECTION_ACTIVE); /* answers what is on its way */
	expect_nothing();
	assert_int_equal(election_deadline(&election, &input).ns, at(410 + LINGER_MS).ns);
	evaluate(410 + LINGER_MS);
	expect_output(true, false, false, false);
	assert_int_equal(election.cause, ELECTION_HANDED_OVER);
	/* It is still told whom we have granted it to: one of lower rank would take us for a
	 * collision. */
	assert_int_equal(election.grantee, HIGHER);
	event(431, ELECTION_RELEASED);
	assert_int_equal(election.grantee, 0);
	assert_int_equal(election.phase, ELECTION_STANDBY);
	expect_output(false, false, false, true);
}

/* The grantee died while we went on answering: we are the holder, and clients may have followed it.
 */
static void test_r3_resumes_when_the_grantee_is_lost(void **state)
{
	struct election_rival *r;

	(void)state;
	r = become_granter(110);
	r->active = r->answers = true;
	r->epoch = 2;
	evaluate(410);
	forget_rivals();
	evaluate(415);
	assert_int_equal(election.phase, ELECTION_ACTIVE);
	assert_true(output.announce);
	assert_int_equal(election.epoch, 3);
}

/* Two worthier ones ask, one after the other: the second is granted it when the first handover is
 * over. */
static void test_r3_one_handover_after_the_other(void **state)
{
	struct election_rival *granter = add_rival(90, LOWER), *asking = add_rival(110, HIGHER);

	(void)state;
	granter->active = granter->granted_us = true;
	asking->eligible = false;
	listen_to_the_end();
	evaluate(360);
	event(361, ELECTION_HELD);
	asking->eligible = asking->wants = true;
	evaluate(362);
	assert_int_equal(election.grantee, 0);
	granter->active = granter->granted_us = false;
	evaluate(380);
	assert_int_equal(election.grantee, HIGHER);
}

/* One who is granted it meets a third one that holds it and is worthier: it would have to release
 * at once, and be granted it again. */
static void test_r3_no_grant_is_taken_from_a_worthier_holder(void **state)
{
	struct election_rival *granter = add_rival(90, LOWER), *third = add_rival(110, HIGHER);

	(void)state;
	granter->active = granter->granted_us = true;
	third->active = true;
	listen_to_the_end();
	evaluate(360);
	assert_false(output.hold);
	third->hears_us = false; /* R9: it hears no clients either */
	evaluate(361);
	assert_true(output.hold);
}

/* The grantee's claim is heard of before it holds: that is no reason for a newer claim of ours. */
static void test_r3_the_grantee_claims_with_a_later_epoch(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(200, HIGHER);
	r->wants = true;
	evaluate(500);
	assert_int_equal(election.grantee, HIGHER);
	r->epoch = 2;
	evaluate(510);
	assert_int_equal(election.epoch, 1);
	r->active = true;
	evaluate(520);
	assert_int_equal(election.epoch, 1);
}

static void test_r3_grant_lapses(void **state)
{
	(void)state;
	(void)become_granter(110);
	assert_int_equal(election_deadline(&election, &input).ns, at(400 + TOLERANCE_MS).ns);
	evaluate(749);
	expect_nothing();
	evaluate(750);
	assert_int_equal(election.grantee, 0);
	expect_output(false, false, true, true);
	/* No other grant to one that asks for four tolerances. */
	evaluate(750 + 4 * TOLERANCE_MS - 1);
	assert_int_equal(election.grantee, 0);
	evaluate(750 + 4 * TOLERANCE_MS);
	assert_int_equal(election.grantee, HIGHER);
}

/* R11 is about claims: what is offered is taken. */
static void test_r11_a_grant_is_taken_whoever_answers(void **state)
{
	struct election_rival *r = add_rival(50, LOWER);

	(void)state;
	r->active = r->granted_us = true;
	input.answered = true;
	listen_to_the_end();
	evaluate(351);
	assert_true(output.hold);
	assert_int_equal(election.cause, ELECTION_GRANTED);
}

static void test_r3_sticky_moves_by_no_worth(void **state)
{
	struct election_rival *r = add_rival(10, LOWER);

	(void)state;
	input.sticky = r->sticky = true;
	r->active = true;
	listen_to_the_end();
	evaluate(400);
	assert_false(election.wants);
	/* What it has given up on request ranks below us whatever its worth. */
	r->rank.yielded = true;
	evaluate(401);
	assert_true(election.wants);
}

static void test_r3_a_sticky_holder_grants_to_no_worth(void **state)
{
	struct election_rival *r;

	(void)state;
	input.sticky = true;
	become_active();
	r = add_rival(200, HIGHER);
	r->wants = true;
	evaluate(400);
	assert_int_equal(election.grantee, 0);
	input.sticky = false;
	evaluate(401);
	assert_int_equal(election.grantee, HIGHER);
}

static void test_r3_asks_only_when_settled(void **state)
{
	struct election_rival *r = add_rival(10, LOWER);

	(void)state;
	input.settled = false;
	r->active = true;
	listen_to_the_end();
	evaluate(400);
	assert_false(election.wants);
	input.settled = true;
	evaluate(401);
	assert_true(election.wants);
}

/* The one that it is given to is less worthy; so it must not be taken back at once. */
static void test_r3_yields_on_request(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(10, LOWER);
	election_yield(&election, LOWER);
	evaluate(400);
	assert_int_equal(election.grantee, LOWER);
	/* What it says of an earlier claim of its own, which is over, is no answer to our grant. */
	r->active = true;
	r->epoch = 2;
	evaluate(405);
	evaluate(405 + LINGER_MS);
	assert_int_equal(election.phase, ELECTION_ACTIVE);
	r->answers = true;
	evaluate(426);
	evaluate(426 + LINGER_MS);
	assert_int_equal(election.cause, ELECTION_HANDED_OVER);
	event(450, ELECTION_RELEASED);
	assert_int_equal(election.yielded_to, LOWER);
	input.own.yielded = true;
	evaluate(451);
	assert_false(election.wants);
	assert_int_equal(election.phase, ELECTION_STANDBY);
}

static void test_r3_what_was_yielded_ends_with_its_holder(void **state)
{
	struct election_rival *low, *other;

	test_r3_yields_on_request(state);
	low = &rivals[0];
	other = add_rival(20, HIGHER);
	/* Handed on: that is no reason. */
	other->active = true;
	evaluate(500);
	assert_int_equal(election.yielded_to, LOWER); /* both hold it in the handover */
	low->active = false;
	evaluate(501);
	assert_int_equal(election.yielded_to, HIGHER);
	/* Its holder is gone: whoever is eligible comes first ... */
	other->active = other->eligible = false;
	evaluate(502);
	assert_int_equal(election.yielded_to, HIGHER);
	assert_int_equal(election.phase, ELECTION_STANDBY);
	/* ... and when that one holds it, it may be asked for. */
	low->active = true;
	evaluate(503);
	assert_int_equal(election.yielded_to, 0);
	assert_true(output.tell);
	input.own.yielded = false;
	evaluate(504);
	assert_true(election.wants);
}

/* As that one has become impaired, we may ask for it again; unless we are impaired ourselves. */
static void test_r3_what_was_yielded_to_an_impaired_one_may_be_asked_for(void **state)
{
	test_r3_yields_on_request(state);
	rivals[0].rank.impaired = input.own.impaired = true;
	evaluate(500);
	assert_int_equal(election.yielded_to, LOWER);
	input.own.impaired = false;
	evaluate(501);
	assert_int_equal(election.yielded_to, 0);
}

/* What is asked for comes to nothing: the one that is named holds it already, or is gone. */
static void test_r3_a_request_that_nobody_can_meet(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	election_yield(&election, HIGHER);
	evaluate(400);
	assert_int_equal(election.grantee, 0);
	assert_false(election.yield_asked);
	r = add_rival(10, LOWER);
	r->eligible = false;
	election_yield(&election, LOWER);
	evaluate(410);
	assert_int_equal(election.grantee, 0);
	assert_int_equal(election.phase, ELECTION_ACTIVE);
}

/* Of two that have both yielded it, neither says WANT by its worth. */
static void test_r3_one_that_has_yielded_does_not_ask_by_worth(void **state)
{
	struct election_rival *r;

	(void)state;
	listen_to_the_end();
	r = add_rival(10, LOWER);
	r->active = r->rank.yielded = input.own.yielded = true;
	evaluate(400);
	assert_false(election.wants);
	input.own.yielded = false;
	evaluate(410);
	assert_true(election.wants);
}

/* Two third ones hold it as well: one to which we would not release, one that offers it, too. */
static void test_r3_a_grant_is_taken_although_others_hold(void **state)
{
	struct election_rival *granter, *deaf, *other;

	(void)state;
	listen_to_the_end();
	granter = add_rival(90, LOWER);
	granter->active = granter->granted_us = true;
	other = add_rival(300, HIGHER);
	other->active = other->granted_us = true;
	deaf = add_rival(300, 70);
	deaf->active = true;
	deaf->hears_us = false;
	evaluate(400);
	assert_int_equal(election.phase, ELECTION_TAKING);
	assert_int_equal(election.granter, LOWER);
}

/* Two of the holder's grantees: only the one that hears it and answers its grant takes over. */
static void test_r3_a_deaf_or_unknowing_grantee_is_not_followed(void **state)
{
	struct election_rival *r;

	(void)state;
	r = become_granter(300);
	r->active = true;
	r->answers = true;
	r->hears_us = false;
	r->epoch = 2;
	evaluate(410);
	assert_int_equal(election.phase, ELECTION_ACTIVE);
	assert_false(election.lingering);
	r->hears_us = true;
	evaluate(420);
	assert_true(election.lingering);
}

/* The one that handed it to us has not released yet: what we are asked for waits until then. */
static void test_r3_a_request_waits_for_the_last_handover(void **state)
{
	struct election_rival *granter, *r;

	(void)state;
	listen_to_the_end();
	granter = add_rival(90, LOWER);
	granter->active = granter->granted_us = true;
	evaluate(400);
	event(410, ELECTION_HELD);
	r = add_rival(300, HIGHER);
	r->wants = true;
	evaluate(411);
	assert_int_equal(election.grantee, 0);
	election_yield(&election, HIGHER);
	evaluate(412);
	assert_true(election.yield_asked);
	input.stopping = true;
	evaluate(413);
	assert_int_equal(election.grantee, 0);
	input.stopping = false;
	granter->hears_us = false; /* it is not waited for */
	granter->granted_us = true;
	evaluate(414);
	assert_int_equal(election.grantee, HIGHER);
}

static void test_r3_the_pause_is_of_the_one_that_let_it_lapse(void **state)
{
	struct election_rival *best, *second;

	(void)state;
	become_active();
	best = add_rival(300, HIGHER);
	second = add_rival(200, LOWER);
	best->wants = true;
	evaluate(400);
	assert_int_equal(election.grantee, HIGHER);
	evaluate(400 + TOLERANCE_MS);
	assert_int_equal(election.grantee, 0);
	second->wants = true; /* best is not ELIGIBLE for the moment, as it hears */
	evaluate(410 + TOLERANCE_MS);
	assert_int_equal(election.grantee, LOWER);
}

/* Of one that has gone nothing is known: it may be claiming. */
static void test_r3_a_grantee_that_cannot_take_it_is_not_waited_for(void **state)
{
	struct election_rival *r;

	(void)state;
	r = become_granter(300);
	forget_rivals();
	evaluate(410);
	assert_int_equal(election.grantee, HIGHER);
	input.rival_count = 1;
	r->eligible = r->wants = false;
	evaluate(420);
	assert_int_equal(election.grantee, 0);
	expect_output(false, false, true, true);
	r->eligible = r->wants = true;
	evaluate(430);
	assert_int_equal(election.grantee, 0);
	evaluate(420 + 4 * TOLERANCE_MS);
	assert_int_equal(election.grantee, HIGHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_r3_asks_the_holder),
		TEST(test_r3_takes_what_is_granted),
		TEST(test_r3_grants_to_one_that_asks),
		TEST(test_r3_releases_when_the_grantee_serves),
		TEST(test_r3_resumes_when_the_grantee_is_lost),
		TEST(test_r3_one_handover_after_the_other),
		TEST(test_r3_no_grant_is_taken_from_a_worthier_holder),
		TEST(test_r3_the_grantee_claims_with_a_later_epoch),
		TEST(test_r3_grant_lapses),
		TEST(test_r11_a_grant_is_taken_whoever_answers),
		TEST(test_r3_sticky_moves_by_no_worth),
		TEST(test_r3_a_sticky_holder_grants_to_no_worth),
		TEST(test_r3_asks_only_when_settled),
		TEST(test_r3_yields_on_request),
		TEST(test_r3_what_was_yielded_ends_with_its_holder),
		TEST(test_r3_what_was_yielded_to_an_impaired_one_may_be_asked_for),
		TEST(test_r3_a_request_that_nobody_can_meet),
		TEST(test_r3_one_that_has_yielded_does_not_ask_by_worth),
		TEST(test_r3_a_grant_is_taken_although_others_hold),
		TEST(test_r3_a_deaf_or_unknowing_grantee_is_not_followed),
		TEST(test_r3_a_request_waits_for_the_last_handover),
		TEST(test_r3_the_pause_is_of_the_one_that_let_it_lapse),
		TEST(test_r3_a_grantee_that_cannot_take_it_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
