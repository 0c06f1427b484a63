/* SPDX-License-Identifier: ISC */
/*
 * fixture: the election of one group on one node, and all that it sees. Each *_test.c of this
 * folder that includes it is one program; tests are wrapped in TEST() and begin with a node of
 * worth 100 that has started at 0, has a lease and knows nobody.
 */
#ifndef HA_CORE_FIXTURE_H
#define HA_CORE_FIXTURE_H

#include "core/election.h"

#define TOLERANCE_MS 350
#define LINGER_MS    20
#define TEST(name)   cmocka_unit_test_setup(name, begin)

enum { OWN = 50, LOWER = 40, HIGHER = 60 }; /* ids */

extern struct election election;
extern struct election_input input;
extern struct election_rival rivals[]; /* of the input */
extern struct election_output output;  /* of the last step */

int begin(void **state);
ha_time at(int64_t ms);
/* @text may be NULL: no address. */
struct ip address(const char *text);
struct election_rank rank(uint16_t worth, const char *text, uint64_t id);

/* --- steps */

void evaluate(int64_t ms);
void event(int64_t ms, enum election_event what);
/* Has listened, at 350 ms. */
void listen_to_the_end(void);
/* Holds the group at 360 ms, with the epoch 1. */
void become_active(void);

/* --- rivals */

/* A standby peer that is well, from now on in the input; the fixture's, to be changed by the test.
 */
struct election_rival *add_rival(uint16_t worth, uint64_t id);
void forget_rivals(void);

/* Holds the group, and has granted it at 400 ms to HIGHER, of @worth, which has asked for it. */
struct election_rival *become_granter(uint16_t worth);

/* --- what the last step has put out */

void expect_output(bool release, bool hold, bool announce, bool tell);
void expect_nothing(void);

#endif
