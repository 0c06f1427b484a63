/* SPDX-License-Identifier: ISC */
#include "core/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define RIVALS_MAX 4

struct election election;
struct election_input input;
struct election_output output;

struct election_rival rivals[RIVALS_MAX];

ha_time at(int64_t ms)
{
	return (ha_time){ms * NS_PER_MS};
}

struct ip address(const char *text)
{
	struct ip ip = {0};

	assert_true(!text || ip_parse(text, &ip));
	return ip;
}

struct election_rank rank(uint16_t worth, const char *text, uint64_t id)
{
	return (struct election_rank){.worth = worth, .address = address(text), .id = id};
}

void evaluate(int64_t ms)
{
	election_step(&election, at(ms), ELECTION_EVALUATE, &input, &output);
}

void event(int64_t ms, enum election_event what)
{
	election_step(&election, at(ms), what, &input, &output);
}

void expect_output(bool release, bool hold, bool announce, bool tell)
{
	assert_int_equal(output.release, release);
	assert_int_equal(output.hold, hold);
	assert_int_equal(output.announce, announce);
	assert_int_equal(output.tell, tell);
}

void expect_nothing(void)
{
	expect_output(false, false, false, false);
}

int begin(void **state)
{
	(void)state;
	memset(rivals, 0, sizeof(rivals));
	input = (struct election_input){.own = rank(100, "10.0.0.5", OWN),
		.eligible = true,
		.can_serve = true,
		.settled = true,
		.prepared = true,
		.lease = TIME_NEVER,
		.tolerance_ns = TOLERANCE_MS * NS_PER_MS,
		.linger_ns = LINGER_MS * NS_PER_MS,
		.listen_ns = TOLERANCE_MS * NS_PER_MS,
		.rivals = rivals};
	election_init(&election, at(0));
	return 0;
}

struct election_rival *add_rival(uint16_t worth, uint64_t id)
{
	struct election_rival *r = &rivals[input.rival_count++];

	*r = (struct election_rival){
		.rank = rank(worth, "10.0.0.9", id), .eligible = true, .hears_us = true};
	return r;
}

void forget_rivals(void)
{
	input.rival_count = 0;
}

void listen_to_the_end(void)
{
	evaluate(TOLERANCE_MS);
	assert_int_equal(election.phase, ELECTION_STANDBY);
}

void become_active(void)
{
	listen_to_the_end();
	evaluate(351);
	assert_true(output.hold);
	event(360, ELECTION_HELD);
	assert_int_equal(election.phase, ELECTION_ACTIVE);
	evaluate(360);
	expect_nothing();
}

struct election_rival *become_granter(uint16_t worth)
{
	struct election_rival *r;

	become_active();
	r = add_rival(worth, HIGHER);
	r->wants = true;
	evaluate(400);
	assert_int_equal(election.grantee, HIGHER);
	return r;
}
