/* SPDX-License-Identifier: ISC */
#include "core/election.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TOLERANCE_MS 350
#define LINGER_MS    20
#define RIVALS_MAX   4

enum { OWN = 50, LOWER = 40, HIGHER = 60 }; /* ids */

/* One node's election and all that it sees. */
static struct election e;
static struct election_input in;
static struct election_rival rivals[RIVALS_MAX];
static struct election_output out;

static ha_time at(int64_t ms)
{
	return (ha_time){ms * NS_PER_MS};
}

static struct ip address(const char *text)
{
	struct ip ip = {0};

	assert_true(!text || ip_parse(text, &ip));
	return ip;
}

static struct election_rank rank(uint16_t worth, const char *text, uint64_t id)
{
	return (struct election_rank){.worth = worth, .address = address(text), .id = id};
}

static void evaluate(int64_t ms)
{
	election_step(&e, at(ms), ELECTION_EVALUATE, &in, &out);
}

static void event(int64_t ms, enum election_event what)
{
	election_step(&e, at(ms), what, &in, &out);
}

static void expect_output(bool release, bool hold, bool announce, bool tell)
{
	assert_int_equal(out.release, release);
	assert_int_equal(out.hold, hold);
	assert_int_equal(out.announce, announce);
	assert_int_equal(out.tell, tell);
}

static void expect_nothing(void)
{
	expect_output(false, false, false, false);
}

/* A node of worth 100 that started at 0, has a lease and knows nobody. */
static int begin(void **state)
{
	(void)state;
	memset(rivals, 0, sizeof(rivals));
	in = (struct election_input){.own = rank(100, "10.0.0.5", OWN),
		.eligible = true,
		.can_serve = true,
		.settled = true,
		.prepared = true,
		.lease = TIME_NEVER,
		.tolerance_ns = TOLERANCE_MS * NS_PER_MS,
		.linger_ns = LINGER_MS * NS_PER_MS,
		.listen_ns = TOLERANCE_MS * NS_PER_MS,
		.rivals = rivals};
	election_init(&e, at(0));
	return 0;
}

/* A standby peer that is well. */
static struct election_rival *add_rival(uint16_t worth, uint64_t id)
{
	struct election_rival *r = &rivals[in.rival_count++];

	*r = (struct election_rival){
		.rank = rank(worth, "10.0.0.9", id), .eligible = true, .hears_us = true};
	return r;
}

static void forget_rivals(void)
{
	in.rival_count = 0;
}

/* Has listened, at 350 ms. */
static void listen_to_the_end(void)
{
	evaluate(TOLERANCE_MS);
	assert_int_equal(e.phase, ELECTION_STANDBY);
}

/* Holds the group at 360 ms, with the epoch 1. */
static void become_active(void)
{
	listen_to_the_end();
	evaluate(351);
	assert_true(out.hold);
	event(360, ELECTION_HELD);
	assert_int_equal(e.phase, ELECTION_ACTIVE);
	evaluate(360);
	expect_nothing();
}

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
	in.listen_ns = 3500 * NS_PER_MS; /* what the slowest peer announces */
	assert_int_equal(election_deadline(&e, &in).ns, at(3500).ns);
	evaluate(3499);
	expect_nothing();
	evaluate(3500);
	assert_int_equal(e.phase, ELECTION_STANDBY);
	expect_output(false, false, false, true); /* others learn that it is eligible */
}

static void test_r1_a_stall_is_no_listening(void **state)
{
	(void)state;
	election_credit_stall(&e, at(2000), 1900 * NS_PER_MS);
	evaluate(2000);
	assert_int_equal(e.phase, ELECTION_LISTENING);
	assert_int_equal(election_deadline(&e, &in).ns, at(2250).ns);
	evaluate(2250);
	assert_int_equal(e.phase, ELECTION_STANDBY);
	election_credit_stall(&e, at(3000), 100 * NS_PER_MS);
	assert_int_equal(e.phase, ELECTION_STANDBY);
}

static void test_r1_listens_again(void **state)
{
	(void)state;
	listen_to_the_end();
	election_listen(&e, at(1000));
	evaluate(1349);
	assert_int_equal(e.phase, ELECTION_LISTENING);
	evaluate(1350);
	evaluate(1351);
	assert_true(out.hold);
	/* What is held is not affected. */
	event(1352, ELECTION_HELD);
	election_listen(&e, at(1353));
	assert_int_equal(e.phase, ELECTION_ACTIVE);
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
	assert_int_equal(e.phase, ELECTION_STANDBY);
	evaluate(2 * TOLERANCE_MS);
	assert_true(out.hold);
}

static void test_r2_does_not_wait_for_others(void **state)
{
	struct election_rival *r = add_rival(90, LOWER);

	(void)state;
	r->eligible = false;
	r->listens = true;
	listen_to_the_end();
	evaluate(351);
	assert_true(out.hold); /* that one is less worthy */
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
	assert_false(out.hold);
	holder->active = false;
	evaluate(352);
	assert_true(out.hold);
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
		in.eligible = cases[i].eligible;
		in.lease = cases[i].lease ? TIME_NEVER : at(360);
		if (cases[i].rival_worth > 0) {
			struct election_rival *r = add_rival(cases[i].rival_worth, LOWER);

			r->eligible = cases[i].rival_eligible;
			r->active = cases[i].rival_active;
		}
		evaluate(360);
		if (out.hold != cases[i].claims || (e.phase == ELECTION_TAKING) != cases[i].claims)
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
	assert_true(out.hold);
	assert_int_equal(e.epoch, 42);
	assert_false(out.tell); /* ACTIVE is said when the addresses are up */
	event(352, ELECTION_HELD);
	assert_true(out.tell);
	assert_int_equal(e.epoch, 42);
}

static void test_r2_impossible_epochs_are_not_learned(void **state)
{
	struct election_rival *r = add_rival(90, LOWER);

	(void)state;
	r->epoch = UINT64_MAX;
	listen_to_the_end();
	evaluate(351);
	assert_true(out.hold);
	assert_int_equal(e.epoch, 1);
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
	assert_true(out.hold);
	assert_int_equal(e.cause, ELECTION_HOLDER_SILENT);
	assert_int_equal(e.cause_peer, HIGHER);

	begin(state);
	r = add_rival(110, HIGHER);
	r->active = true;
	listen_to_the_end();
	evaluate(400);
	r->active = r->eligible = false;
	evaluate(500);
	assert_true(out.hold);
	assert_int_equal(e.cause, ELECTION_HOLDER_RESIGNED);

	begin(state);
	listen_to_the_end();
	evaluate(400);
	assert_int_equal(e.cause, ELECTION_VACANT);
	assert_int_equal(e.cause_peer, 0);
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
	assert_int_equal(e.cause, ELECTION_HOLDER_SILENT);
	in.eligible = false;
	evaluate(600);
	event(601, ELECTION_RELEASED);
	in.eligible = true;
	evaluate(602);
	assert_true(out.hold);
	assert_int_equal(e.cause, ELECTION_VACANT);
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
		assert_int_equal(e.phase, ELECTION_TAKING);
		in.eligible = cases[i].eligible;
		in.can_serve = cases[i].can_serve;
		in.stopping = cases[i].stopping;
		in.lease = cases[i].lease ? TIME_NEVER : at(352);
		evaluate(352);
		if (out.release != cases[i].releases || e.cause != cases[i].cause)
			fail_msg("%s", cases[i].what);
	}
}

static void test_hold_failed(void **state)
{
	(void)state;
	listen_to_the_end();
	evaluate(351);
	event(352, ELECTION_FAILED);
	assert_int_equal(e.phase, ELECTION_STANDBY);
	assert_int_equal(e.cause, ELECTION_HOLD_FAILED);
	expect_output(false, false, false, true);
	event(353, ELECTION_HELD); /* too late to mean anything */
	assert_int_equal(e.phase, ELECTION_STANDBY);
}

static void test_r3_asks_the_holder(void **state)
{
	struct election_rival *holder = add_rival(90, LOWER);

	(void)state;
	holder->active = true;
	listen_to_the_end();
	evaluate(360);
	assert_true(e.wants);
	expect_output(false, false, false, true);
	evaluate(361);
	expect_nothing();
	add_rival(110, HIGHER); /* one that is worthier than we comes: it is to ask, not we */
	evaluate(362);
	assert_false(e.wants);
	assert_true(out.tell);
}

static void test_r3_takes_what_is_granted(void **state)
{
	struct election_rival *holder = add_rival(90, LOWER);

	(void)state;
	holder->active = holder->granted_us = true;
	holder->epoch = 7;
	listen_to_the_end();
	evaluate(360);
	assert_true(out.hold);
	assert_int_equal(e.epoch, 8);
	assert_int_equal(e.cause, ELECTION_GRANTED);
	event(361, ELECTION_HELD);
	evaluate(361);
	/* The granter still serves: that is no collision, and no reason to announce. */
	assert_int_equal(e.phase, ELECTION_ACTIVE);
	assert_false(out.announce);
	holder->active = holder->granted_us = false;
	evaluate(363);
	expect_output(false, false, true, true);
	assert_int_equal(e.epoch, 8);
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
		if ((e.grantee == HIGHER) != cases[i].granted || out.tell != cases[i].granted)
			fail_msg("%s", cases[i].what);
		assert_int_equal(e.phase, ELECTION_ACTIVE);
	}
}

static void test_r3_releases_when_the_grantee_serves(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(110, HIGHER);
	r->wants = true;
	evaluate(400);
	r->active = r->answers = true;
	r->wants = false;
	r->epoch = 2;
	evaluate(410);
	assert_int_equal(e.phase, ELECTION_ACTIVE); /* answers what is on its way */
	expect_nothing();
	assert_int_equal(election_deadline(&e, &in).ns, at(410 + LINGER_MS).ns);
	evaluate(410 + LINGER_MS);
	expect_output(true, false, false, false);
	assert_int_equal(e.cause, ELECTION_HANDED_OVER);
	/* It is still told whom we have granted it to: one of lower rank would take us for a
	 * collision. */
	assert_int_equal(e.grantee, HIGHER);
	event(431, ELECTION_RELEASED);
	assert_int_equal(e.grantee, 0);
	assert_int_equal(e.phase, ELECTION_STANDBY);
	expect_output(false, false, false, true);
}

/* The grantee died while we went on answering: we are the holder, and clients may have followed it.
 */
static void test_r3_resumes_when_the_grantee_is_lost(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(110, HIGHER);
	r->wants = true;
	evaluate(400);
	r->active = r->answers = true;
	r->epoch = 2;
	evaluate(410);
	forget_rivals();
	evaluate(415);
	assert_int_equal(e.phase, ELECTION_ACTIVE);
	assert_true(out.announce);
	assert_int_equal(e.epoch, 3);
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
	assert_int_equal(e.grantee, 0);
	granter->active = granter->granted_us = false;
	evaluate(380);
	assert_int_equal(e.grantee, HIGHER);
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
	assert_false(out.hold);
	third->hears_us = false; /* R9: it hears no clients either */
	evaluate(361);
	assert_true(out.hold);
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
	assert_int_equal(e.grantee, HIGHER);
	r->epoch = 2;
	evaluate(510);
	assert_int_equal(e.epoch, 1);
	r->active = true;
	evaluate(520);
	assert_int_equal(e.epoch, 1);
}

/* R4: the other one has released before we hear that it had claimed as well. */
static void test_r4_announces_against_a_claim_never_met(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(90, LOWER);
	r->epoch = 2; /* heard of from somebody beyond a partition: outbidding it would not end */
	evaluate(400);
	assert_int_equal(e.epoch, 1);
	r->claimed = true;
	evaluate(500);
	assert_int_equal(e.epoch, 3);
	assert_true(out.announce);
	assert_true(out.tell);
}

static void test_r3_grant_lapses(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(110, HIGHER);
	r->wants = true;
	evaluate(400);
	assert_int_equal(election_deadline(&e, &in).ns, at(400 + TOLERANCE_MS).ns);
	evaluate(749);
	expect_nothing();
	evaluate(750);
	assert_int_equal(e.grantee, 0);
	expect_output(false, false, true, true);
	/* No other grant to one that asks for four tolerances. */
	evaluate(750 + 4 * TOLERANCE_MS - 1);
	assert_int_equal(e.grantee, 0);
	evaluate(750 + 4 * TOLERANCE_MS);
	assert_int_equal(e.grantee, HIGHER);
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
		if (out.release != cases[i].releases || out.announce == cases[i].releases)
			fail_msg("%s", cases[i].what);
		if (cases[i].releases)
			assert_int_equal(e.cause, ELECTION_COLLISION);
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
	assert_int_equal(e.phase, ELECTION_ACTIVE);
	r->eligible = true;
	evaluate(401);
	assert_int_equal(e.phase, ELECTION_RELEASING);
	assert_int_equal(e.cause, ELECTION_COLLISION);
}

static void test_r4_one_that_leaves_yields(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(90, LOWER);
	r->active = true;
	in.eligible = false;
	evaluate(400);
	assert_int_equal(e.phase, ELECTION_RELEASING);
	assert_int_equal(e.cause, ELECTION_COLLISION);
	assert_int_equal(e.cause_peer, r->rank.id);
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
	assert_int_equal(e.epoch, 6); /* newer than the loser's */
	evaluate(403);
	expect_nothing();
	assert_int_equal(e.epoch, 6);
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
	assert_int_equal(e.epoch, 2);
	evaluate(403);
	assert_int_equal(e.epoch, 2);
}

static void test_r5_offers_before_it_leaves(void **state)
{
	struct election_rival *lower, *best;

	(void)state;
	become_active();
	lower = add_rival(80, LOWER);
	best = add_rival(90, HIGHER);
	in.stopping = true;
	in.eligible = false;
	evaluate(400);
	assert_int_equal(e.grantee, HIGHER);
	assert_int_equal(e.phase, ELECTION_ACTIVE);
	best->active = best->answers = true;
	best->epoch = 2;
	evaluate(410);
	evaluate(410 + LINGER_MS);
	assert_true(out.release);
	event(431, ELECTION_RELEASED);
	assert_int_equal(e.phase, ELECTION_SHUTDOWN);
	assert_false(lower->active);
}

static void test_r5_leaves_when_the_offer_lapses(void **state)
{
	(void)state;
	become_active();
	add_rival(90, LOWER);
	in.eligible = false;
	evaluate(400);
	assert_int_equal(e.grantee, LOWER);
	evaluate(750);
	expect_output(true, false, false, false); /* what is released is not announced */
	assert_int_equal(e.cause, ELECTION_INELIGIBLE);
}

/* It may go on after all while the offer stands; leaving later begins anew. */
static void test_r5_offers_each_time_it_leaves(void **state)
{
	(void)state;
	become_active();
	add_rival(90, LOWER);
	in.eligible = false;
	evaluate(400);
	assert_int_equal(e.grantee, LOWER);
	in.eligible = true;
	evaluate(500);
	evaluate(750);
	assert_int_equal(e.grantee, 0);
	in.eligible = false;
	evaluate(800);
	assert_int_equal(e.grantee, LOWER);
	assert_int_equal(e.phase, ELECTION_ACTIVE);
}

static void test_r5_leaves_at_once(void **state)
{
	(void)state;
	become_active();
	in.stopping = true;
	evaluate(400); /* nobody to offer it to */
	assert_true(out.release);
	assert_int_equal(e.cause, ELECTION_STOPPING);

	begin(state);
	become_active();
	add_rival(90, LOWER);
	in.eligible = in.can_serve = false;
	evaluate(400); /* it cannot serve while the other takes it */
	assert_true(out.release);
	assert_int_equal(e.cause, ELECTION_CANNOT_SERVE);
	assert_false(out.tell); /* STANDBY is said when the addresses are down */
	event(401, ELECTION_RELEASED);
	expect_output(false, false, false, true);
}

static void test_r5_stops_in_every_phase(void **state)
{
	(void)state;
	in.stopping = true;
	evaluate(10);
	assert_int_equal(e.phase, ELECTION_SHUTDOWN);

	begin(state);
	listen_to_the_end();
	in.stopping = true;
	evaluate(351);
	assert_int_equal(e.phase, ELECTION_SHUTDOWN);

	begin(state);
	listen_to_the_end();
	evaluate(351);
	in.stopping = true;
	evaluate(352);
	assert_true(out.release);
	event(353, ELECTION_HELD); /* overtaken by the release */
	assert_int_equal(e.phase, ELECTION_RELEASING);
	event(354, ELECTION_RELEASED);
	assert_int_equal(e.phase, ELECTION_SHUTDOWN);
	assert_true(time_is_never(election_deadline(&e, &in)));
}

static void test_r7_lease(void **state)
{
	(void)state;
	become_active();
	in.lease = at(700);
	assert_int_equal(election_deadline(&e, &in).ns, at(700).ns);
	evaluate(699);
	expect_nothing();
	evaluate(700);
	assert_true(out.release);
	assert_int_equal(e.cause, ELECTION_LEASE_PASSED);
	in.lease = TIME_NEVER; /* it can send again */
	event(701, ELECTION_RELEASED);
	assert_int_equal(e.phase, ELECTION_LISTENING);
	evaluate(1050);
	expect_nothing();
	evaluate(1051);
	assert_int_equal(e.phase, ELECTION_STANDBY);
}

static void test_r7_the_lease_passes_while_it_releases(void **state)
{
	(void)state;
	become_active();
	in.lease = at(700);
	in.stopping = false;
	in.eligible = in.can_serve = false;
	evaluate(600);
	assert_int_equal(e.phase, ELECTION_RELEASING);
	assert_false(e.listen_again);
	evaluate(700); /* the node did not run, or the keeper took long */
	assert_true(e.listen_again);
	event(701, ELECTION_RELEASED);
	assert_int_equal(e.phase, ELECTION_LISTENING);
}

static void test_r7_the_lease_had_passed_when_it_heard_of_its_release(void **state)
{
	(void)state;
	become_active();
	in.lease = at(700);
	in.eligible = in.can_serve = false;
	evaluate(600);
	assert_int_equal(e.phase, ELECTION_RELEASING);
	event(701, ELECTION_RELEASED); /* the first that it reads after it did not run */
	assert_int_equal(e.phase, ELECTION_LISTENING);
}

static void test_r7_the_watchdog_saw_it(void **state)
{
	(void)state;
	become_active();
	event(500, ELECTION_EXPIRED);
	assert_true(out.release);
	assert_int_equal(e.cause, ELECTION_LEASE_PASSED);
	event(501, ELECTION_EXPIRED); /* once is enough */
	expect_nothing();
	event(502, ELECTION_RELEASED);
	assert_int_equal(e.phase, ELECTION_LISTENING);
}

static void test_r9_a_deaf_grantee_is_not_yielded_to(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(110, HIGHER);
	r->wants = true;
	evaluate(400);
	assert_int_equal(e.grantee, HIGHER);
	r->active = true;
	r->hears_us = false;
	for (int64_t ms = 410; ms < 3000; ms += 50) {
		evaluate(ms);
		assert_false(out.release);
	}
	r->hears_us = true;
	evaluate(3000);
	assert_true(out.release);
	assert_int_equal(e.cause, ELECTION_COLLISION);
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
	assert_int_equal(e.phase, ELECTION_STANDBY);
	assert_int_equal(e.cause, ELECTION_COLLISION);
	evaluate(401);
	assert_int_equal(e.phase, ELECTION_TAKING);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

/* R11: it is not heard, and answers. */
static void test_r11_a_silent_holder_that_answers_keeps_it(void **state)
{
	(void)state;
	add_rival(200, HIGHER)->active = true;
	listen_to_the_end();
	evaluate(351);
	expect_nothing();
	forget_rivals();
	in.answered = true;
	evaluate(700);
	expect_nothing();
	assert_int_equal(e.phase, ELECTION_STANDBY);
	in.answered = false;
	evaluate(800);
	assert_true(out.hold);
	assert_int_equal(e.cause, ELECTION_HOLDER_SILENT);
}

/* R11 is about claims: what is offered is taken. */
static void test_r11_a_grant_is_taken_whoever_answers(void **state)
{
	struct election_rival *r = add_rival(50, LOWER);

	(void)state;
	r->active = r->granted_us = true;
	in.answered = true;
	listen_to_the_end();
	evaluate(351);
	assert_true(out.hold);
	assert_int_equal(e.cause, ELECTION_GRANTED);
}

static void test_r3_sticky_moves_by_no_worth(void **state)
{
	struct election_rival *r = add_rival(10, LOWER);

	(void)state;
	in.sticky = r->sticky = true;
	r->active = true;
	listen_to_the_end();
	evaluate(400);
	assert_false(e.wants);
	/* What it has given up on request ranks below us whatever its worth. */
	r->rank.yielded = true;
	evaluate(401);
	assert_true(e.wants);
}

static void test_r3_a_sticky_holder_grants_to_no_worth(void **state)
{
	struct election_rival *r;

	(void)state;
	in.sticky = true;
	become_active();
	r = add_rival(200, HIGHER);
	r->wants = true;
	evaluate(400);
	assert_int_equal(e.grantee, 0);
	in.sticky = false;
	evaluate(401);
	assert_int_equal(e.grantee, HIGHER);
}

static void test_r3_asks_only_when_settled(void **state)
{
	struct election_rival *r = add_rival(10, LOWER);

	(void)state;
	in.settled = false;
	r->active = true;
	listen_to_the_end();
	evaluate(400);
	assert_false(e.wants);
	in.settled = true;
	evaluate(401);
	assert_true(e.wants);
}

static void test_r2_claims_before_it_is_settled(void **state)
{
	(void)state;
	in.settled = false;
	listen_to_the_end();
	evaluate(351);
	assert_true(out.hold);
}

static void test_r4_a_sticky_holder_stays_by_its_older_claim(void **state)
{
	struct election_rival *r;

	(void)state;
	in.sticky = true;
	become_active();
	r = add_rival(200, HIGHER);
	r->sticky = r->active = true;
	r->epoch = 2;
	evaluate(400);
	assert_int_equal(e.phase, ELECTION_ACTIVE);
	r->acknowledged = true;
	evaluate(401);
	assert_int_equal(e.phase, ELECTION_RELEASING);
	assert_int_equal(e.ground, COLLISION_BY_ANSWERS);
}

/* The one that it is given to is less worthy; so it must not be taken back at once. */
static void test_r3_yields_on_request(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(10, LOWER);
	election_yield(&e, LOWER);
	evaluate(400);
	assert_int_equal(e.grantee, LOWER);
	/* What it says of an earlier claim of its own, which is over, is no answer to our grant. */
	r->active = true;
	r->epoch = 2;
	evaluate(405);
	evaluate(405 + LINGER_MS);
	assert_int_equal(e.phase, ELECTION_ACTIVE);
	r->answers = true;
	evaluate(426);
	evaluate(426 + LINGER_MS);
	assert_int_equal(e.cause, ELECTION_HANDED_OVER);
	event(450, ELECTION_RELEASED);
	assert_int_equal(e.yielded_to, LOWER);
	in.own.yielded = true;
	evaluate(451);
	assert_false(e.wants);
	assert_int_equal(e.phase, ELECTION_STANDBY);
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
	assert_int_equal(e.yielded_to, LOWER); /* both hold it in the handover */
	low->active = false;
	evaluate(501);
	assert_int_equal(e.yielded_to, HIGHER);
	/* Its holder is gone: whoever is eligible comes first ... */
	other->active = other->eligible = false;
	evaluate(502);
	assert_int_equal(e.yielded_to, HIGHER);
	assert_int_equal(e.phase, ELECTION_STANDBY);
	/* ... and when that one holds it, it may be asked for. */
	low->active = true;
	evaluate(503);
	assert_int_equal(e.yielded_to, 0);
	assert_true(out.tell);
	in.own.yielded = false;
	evaluate(504);
	assert_true(e.wants);
}

/* As that one has become impaired, we may ask for it again; unless we are impaired ourselves. */
static void test_r3_what_was_yielded_to_an_impaired_one_may_be_asked_for(void **state)
{
	test_r3_yields_on_request(state);
	rivals[0].rank.impaired = in.own.impaired = true;
	evaluate(500);
	assert_int_equal(e.yielded_to, LOWER);
	in.own.impaired = false;
	evaluate(501);
	assert_int_equal(e.yielded_to, 0);
}

/* What is asked for comes to nothing: the one that is named holds it already, or is gone. */
static void test_r3_a_request_that_nobody_can_meet(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	election_yield(&e, HIGHER);
	evaluate(400);
	assert_int_equal(e.grantee, 0);
	assert_false(e.yield_asked);
	r = add_rival(10, LOWER);
	r->eligible = false;
	election_yield(&e, LOWER);
	evaluate(410);
	assert_int_equal(e.grantee, 0);
	assert_int_equal(e.phase, ELECTION_ACTIVE);
}

/* Of two that have both yielded it, neither says WANT by its worth. */
static void test_r3_one_that_has_yielded_does_not_ask_by_worth(void **state)
{
	struct election_rival *r;

	(void)state;
	listen_to_the_end();
	r = add_rival(10, LOWER);
	r->active = r->rank.yielded = in.own.yielded = true;
	evaluate(400);
	assert_false(e.wants);
	in.own.yielded = false;
	evaluate(410);
	assert_true(e.wants);
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
	assert_int_equal(e.phase, ELECTION_TAKING);
	assert_int_equal(e.granter, LOWER);
}

/* Two of the holder's grantees: only the one that hears it and answers its grant takes over. */
static void test_r3_a_deaf_or_unknowing_grantee_is_not_followed(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(300, HIGHER);
	r->wants = true;
	evaluate(400);
	assert_int_equal(e.grantee, HIGHER);
	r->active = true;
	r->answers = true;
	r->hears_us = false;
	r->epoch = 2;
	evaluate(410);
	assert_int_equal(e.phase, ELECTION_ACTIVE);
	assert_false(e.lingering);
	r->hears_us = true;
	evaluate(420);
	assert_true(e.lingering);
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
	assert_int_equal(e.grantee, 0);
	election_yield(&e, HIGHER);
	evaluate(412);
	assert_true(e.yield_asked);
	in.stopping = true;
	evaluate(413);
	assert_int_equal(e.grantee, 0);
	in.stopping = false;
	granter->hears_us = false; /* it is not waited for */
	granter->granted_us = true;
	evaluate(414);
	assert_int_equal(e.grantee, HIGHER);
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
	assert_int_equal(e.epoch, 1);
	assert_int_equal(e.epoch_rival, 0);
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
		assert_int_equal(e.phase, ELECTION_STANDBY);
	}
	evaluate(361);
	event(362, ELECTION_EXPIRED);
	assert_int_equal(e.phase, ELECTION_RELEASING);
	assert_true(out.release && e.unheld);
}

static void test_r5_the_reluctant_one_goes_on_without_a_successor(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	in.eligible = false;
	in.reluctant = true;
	evaluate(400);
	assert_int_equal(e.phase, ELECTION_ACTIVE);
	r = add_rival(10, LOWER);
	evaluate(500);
	assert_int_equal(e.grantee, LOWER);
	/* It does not take it: offered again after a pause. */
	evaluate(500 + TOLERANCE_MS);
	assert_int_equal(e.grantee, 0);
	assert_int_equal(e.phase, ELECTION_ACTIVE);
	evaluate(500 + 5 * TOLERANCE_MS);
	evaluate(501 + 5 * TOLERANCE_MS);
	assert_int_equal(e.grantee, LOWER);
	(void)r;
}

static void test_r5_the_reluctant_one_offers_it_to_the_next_best(void **state)
{
	(void)state;
	become_active();
	in.eligible = false;
	in.reluctant = true;
	add_rival(20, HIGHER);
	add_rival(10, LOWER);
	evaluate(400);
	assert_int_equal(e.grantee, HIGHER);
	evaluate(400 + TOLERANCE_MS);
	assert_int_equal(e.grantee, LOWER);
	/* Neither takes it: both after their pauses. */
	evaluate(400 + 2 * TOLERANCE_MS);
	assert_int_equal(e.grantee, 0);
	evaluate(400 + 5 * TOLERANCE_MS);
	assert_int_equal(e.grantee, HIGHER);
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
	assert_int_equal(e.grantee, HIGHER);
	evaluate(400 + TOLERANCE_MS);
	assert_int_equal(e.grantee, 0);
	second->wants = true; /* best is not ELIGIBLE for the moment, as it hears */
	evaluate(410 + TOLERANCE_MS);
	assert_int_equal(e.grantee, LOWER);
}

/* Of one that has gone nothing is known: it may be claiming. */
static void test_r3_a_grantee_that_cannot_take_it_is_not_waited_for(void **state)
{
	struct election_rival *r;

	(void)state;
	become_active();
	r = add_rival(300, HIGHER);
	r->wants = true;
	evaluate(400);
	assert_int_equal(e.grantee, HIGHER);
	forget_rivals();
	evaluate(410);
	assert_int_equal(e.grantee, HIGHER);
	in.rival_count = 1;
	r->eligible = r->wants = false;
	evaluate(420);
	assert_int_equal(e.grantee, 0);
	expect_output(false, false, true, true);
	r->eligible = r->wants = true;
	evaluate(430);
	assert_int_equal(e.grantee, 0);
	evaluate(420 + 4 * TOLERANCE_MS);
	assert_int_equal(e.grantee, HIGHER);
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
		TEST(test_r3_asks_the_holder),
		TEST(test_r3_takes_what_is_granted),
		TEST(test_r3_grants_to_one_that_asks),
		TEST(test_r3_releases_when_the_grantee_serves),
		TEST(test_r3_resumes_when_the_grantee_is_lost),
		TEST(test_r3_one_handover_after_the_other),
		TEST(test_r3_no_grant_is_taken_from_a_worthier_holder),
		TEST(test_r3_the_grantee_claims_with_a_later_epoch),
		TEST(test_r3_grant_lapses),
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
		TEST(test_r5_stops_in_every_phase),
		TEST(test_r7_lease),
		TEST(test_r7_the_lease_passes_while_it_releases),
		TEST(test_r7_the_lease_had_passed_when_it_heard_of_its_release),
		TEST(test_r7_the_watchdog_saw_it),
		TEST(test_r9_a_deaf_grantee_is_not_yielded_to),
		TEST(test_r3_sticky_moves_by_no_worth),
		TEST(test_r3_a_sticky_holder_grants_to_no_worth),
		TEST(test_r3_asks_only_when_settled),
		TEST(test_r2_claims_before_it_is_settled),
		TEST(test_r4_a_sticky_holder_stays_by_its_older_claim),
		TEST(test_r3_yields_on_request),
		TEST(test_r3_what_was_yielded_ends_with_its_holder),
		TEST(test_r5_the_reluctant_one_goes_on_without_a_successor),
		TEST(test_r5_the_reluctant_one_offers_it_to_the_next_best),
		TEST(test_r3_the_pause_is_of_the_one_that_let_it_lapse),
		TEST(test_r3_a_grantee_that_cannot_take_it_is_not_waited_for),
		TEST(test_r3_what_was_yielded_to_an_impaired_one_may_be_asked_for),
		TEST(test_r3_a_request_that_nobody_can_meet),
		TEST(test_r3_one_that_has_yielded_does_not_ask_by_worth),
		TEST(test_r3_a_grant_is_taken_although_others_hold),
		TEST(test_r3_a_deaf_or_unknowing_grantee_is_not_followed),
		TEST(test_r3_a_request_waits_for_the_last_handover),
		TEST(test_an_impossible_claim_is_not_outbid),
		TEST(test_events_out_of_turn),
		TEST(test_a_release_is_told_before_the_next_claim),
		TEST(test_r11_a_silent_holder_that_answers_keeps_it),
		TEST(test_r11_a_grant_is_taken_whoever_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
