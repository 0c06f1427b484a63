/* SPDX-License-Identifier: ISC */
/* What a holder does when it meets another one, and when it has to leave: R4, R5, R9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fixture.h"

/* R4: the other one has released before we hear that it had claimed as well. */
static void test_r4_announces_against_a_claim_never_met(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(90, LOWER);
	r->epoch = 2; /* heard of from somebody beyond a partition: outbidding it would not end */
	evaluate(400);
	assert_int_equal(election.epoch, 1);
	r->claimed = true;
	evaluate(500);
	assert_int_equal(election.epoch, 3);
	assert_true(output.announce);
	assert_true(output.tell);
}

/* R4 and R9: of two ACTIVE nodes, as one table. */
static void test_r4_collision(void **state)
{
	static const struct {
		const char *what;
		uint16_t worth;
		bool hears_us, grants_us, releases;
	} cases[] = {
		{"the other is worthier", 110, true, false, true},
		{"the other is less worthy", 90, true, false, false},
		{"the other is worthier but does not hear us", 110, false, false, false},
		{"the other is worthier but hands over to us", 110, true, true, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct election_rival *r;

		begin(state);
		become_active();
		r = add_rival(cases[i].worth, HIGHER);
		r->active = true;
		r->hears_us = cases[i].hears_us;
		r->granted_us = cases[i].grants_us;
		evaluate(400);
		if (output.release != cases[i].releases || output.announce == cases[i].releases)
			fail_msg("%s", cases[i].what);
		if (cases[i].releases)
			assert_int_equal(election.cause, ELECTION_COLLISION);
	}
}

/* A third holder learns at once that it is heard, also while we are meeting another one. */
static void test_r4_meets_one_holder_after_the_other(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(90, LOWER);
	r->active = true;
	evaluate(400);
	expect_output(false, false, true, true);
	r = add_rival(95, HIGHER);
	r->active = true;
	evaluate(410);
	expect_output(false, false, true, true);
	evaluate(420);
	expect_nothing();
}

/* One that is worthier but leaves will have released in a moment: else both would. */
static void test_r4_does_not_yield_to_one_that_leaves(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(110, HIGHER);
	r->active = true;
	r->eligible = false;
	evaluate(400);
	assert_int_equal(election.phase, ELECTION_ACTIVE);
	r->eligible = true;
	evaluate(401);
	assert_int_equal(election.phase, ELECTION_RELEASING);
	assert_int_equal(election.cause, ELECTION_COLLISION);
}

static void test_r4_one_that_leaves_yields(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(90, LOWER);
	r->active = true;
	input.eligible = false;
	evaluate(400);
	assert_int_equal(election.phase, ELECTION_RELEASING);
	assert_int_equal(election.cause, ELECTION_COLLISION);
	assert_int_equal(election.cause_peer, r->rank.id);
}

static void test_r4_the_winner_announces_again(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(90, LOWER);
	r->active = true;
	r->epoch = 5;
	evaluate(400);
	expect_output(false, false, true, true);
	evaluate(401);
	expect_nothing();
	r->active = false;
	evaluate(402);
	expect_output(false, false, true, true);
	assert_int_equal(election.epoch, 6); /* newer than the loser's */
	evaluate(403);
	expect_nothing();
	assert_int_equal(election.epoch, 6);
}

/* Neither heard the other when both claimed with the epoch 1: one token must not mean two holders.
 */
static void test_r4_a_shared_epoch_is_left(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(90, LOWER);
	r->active = true;
	r->epoch = 1;
	evaluate(400);
	r->active = false;
	evaluate(402);
	assert_int_equal(election.epoch, 2);
	evaluate(403);
	assert_int_equal(election.epoch, 2);
}

static void test_r5_offers_before_it_leaves(void **state)
{
	struct election_rival *lower, *best;

	(void)state;
	become_active();
	lower = add_rival(80, LOWER);
	best = add_rival(90, HIGHER);
	input.stopping = true;
	input.eligible = false;
	evaluate(400);
	assert_int_equal(election.grantee, HIGHER);
	assert_int_equal(election.phase, ELECTION_ACTIVE);
	best->active = best->answers = true;
	best->epoch = 2;
	evaluate(410);
	evaluate(410 + LINGER_MS);
	assert_true(output.release);
	event(431, ELECTION_RELEASED);
	assert_int_equal(election.phase, ELECTION_SHUTDOWN);
	assert_false(lower->active);
}

static void test_r5_leaves_when_the_offer_lapses(void **state)
{
	(void)state;
	become_active();
	add_rival(90, LOWER);
	input.eligible = false;
	evaluate(400);
	assert_int_equal(election.grantee, LOWER);
	evaluate(750);
	expect_output(true, false, false, false); /* what is released is not announced */
	assert_int_equal(election.cause, ELECTION_INELIGIBLE);
}

/* It may go on after all while the offer stands; leaving later begins anew. */
static void test_r5_offers_each_time_it_leaves(void **state)
{
	(void)state;
	become_active();
	add_rival(90, LOWER);
	input.eligible = false;
	evaluate(400);
	assert_int_equal(election.grantee, LOWER);
	input.eligible = true;
	evaluate(500);
	evaluate(750);
	assert_int_equal(election.grantee, 0);
	input.eligible = false;
	evaluate(800);
	assert_int_equal(election.grantee, LOWER);
	assert_int_equal(election.phase, ELECTION_ACTIVE);
}

static void test_r5_leaves_at_once(void **state)
{
	(void)state;
	become_active();
	input.stopping = true;
	evaluate(400); /* nobody to offer it to */
	assert_true(output.release);
	assert_int_equal(election.cause, ELECTION_STOPPING);

	begin(state);
	become_active();
	add_rival(90, LOWER);
	input.eligible = input.can_serve = false;
	evaluate(400); /* it cannot serve while the other takes it */
	assert_true(output.release);
	assert_int_equal(election.cause, ELECTION_CANNOT_SERVE);
	assert_false(output.tell); /* STANDBY is said when the addresses are down */
	event(401, ELECTION_RELEASED);
	expect_output(false, false, false, true);
}

static void test_r9_a_deaf_grantee_is_not_yielded_to(void **state)
{
	struct election_rival *r;

	(void)state;
	r = become_granter(110);
	r->active = true;
	r->hears_us = false;
	for (int64_t ms = 410; ms < 3000; ms += 50) {
		evaluate(ms);
		assert_false(output.release);
	}
	r->hears_us = true;
	evaluate(3000);
	assert_true(output.release);
	assert_int_equal(election.cause, ELECTION_COLLISION);
}

static void test_r4_a_sticky_holder_stays_by_its_older_claim(void **state)
{
	struct election_rival *r;

	(void)state;
	input.sticky = true;
	become_active();
	r = add_rival(200, HIGHER);
	r->sticky = r->active = true;
	r->epoch = 2;
	evaluate(400);
	assert_int_equal(election.phase, ELECTION_ACTIVE);
	r->acknowledged = true;
	evaluate(401);
	assert_int_equal(election.phase, ELECTION_RELEASING);
	assert_int_equal(election.ground, COLLISION_BY_ANSWERS);
}

static void test_r5_the_reluctant_one_goes_on_without_a_successor(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	input.eligible = false;
	input.reluctant = true;
	evaluate(400);
	assert_int_equal(election.phase, ELECTION_ACTIVE);
	r = add_rival(10, LOWER);
	evaluate(500);
	assert_int_equal(election.grantee, LOWER);
	/* It does not take it: offered again after a pause. */
	evaluate(500 + TOLERANCE_MS);
	assert_int_equal(election.grantee, 0);
	assert_int_equal(election.phase, ELECTION_ACTIVE);
	evaluate(500 + 5 * TOLERANCE_MS);
	evaluate(501 + 5 * TOLERANCE_MS);
	assert_int_equal(election.grantee, LOWER);
	(void)r;
}

static void test_r5_the_reluctant_one_offers_it_to_the_next_best(void **state)
{
	(void)state;
	become_active();
	input.eligible = false;
	input.reluctant = true;
	add_rival(20, HIGHER);
	add_rival(10, LOWER);
	evaluate(400);
	assert_int_equal(election.grantee, HIGHER);
	evaluate(400 + TOLERANCE_MS);
	assert_int_equal(election.grantee, LOWER);
	/* Neither takes it: both after their pauses. */
	evaluate(400 + 2 * TOLERANCE_MS);
	assert_int_equal(election.grantee, 0);
	evaluate(400 + 5 * TOLERANCE_MS);
	assert_int_equal(election.grantee, HIGHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_r4_announces_against_a_claim_never_met),
		TEST(test_r4_collision),
		TEST(test_r4_meets_one_holder_after_the_other),
		TEST(test_r4_does_not_yield_to_one_that_leaves),
		TEST(test_r4_one_that_leaves_yields),
		TEST(test_r4_the_winner_announces_again),
		TEST(test_r4_a_shared_epoch_is_left),
		TEST(test_r5_offers_before_it_leaves),
		TEST(test_r5_leaves_when_the_offer_lapses),
		TEST(test_r5_offers_each_time_it_leaves),
		TEST(test_r5_leaves_at_once),
		TEST(test_r9_a_deaf_grantee_is_not_yielded_to),
		TEST(test_r4_a_sticky_holder_stays_by_its_older_claim),
		TEST(test_r5_the_reluctant_one_goes_on_without_a_successor),
		TEST(test_r5_the_reluctant_one_offers_it_to_the_next_best),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
