/* SPDX-License-Identifier: ISC */
/*
 * collision: which of two holders of one group goes on when they meet (R4). docs/protocol.md 6.4.
 * Both nodes judge alike, because each knows the same of itself and, from heartbeats, of the other
 * one. It is a total order: of any number of holders exactly one beats all others, also where
 * policies differ by mistake. Pure.
 */
#ifndef HA_CORE_COLLISION_H
#define HA_CORE_COLLISION_H

#include "core/election.h"

struct collision_side {
	struct election_rank rank;
	bool eligible;
	bool sticky;
	bool acknowledged;
	uint64_t claim; /* the epoch with which it claimed: a new one that it took since (R4) makes
			   it no younger, else two that meet while one takes it could both give way
			 */
};

/* By how much its epoch has grown since its claim: what it tells of its age. */
uint8_t collision_renewed(uint64_t epoch, uint64_t claim);

/* What we are as a holder, and what a rival is. */
struct collision_side collision_own(
	const struct election_input *in, uint64_t epoch, uint64_t claim);
struct collision_side collision_rival(const struct election_rival *r);

/* Whether @a goes on and @b releases, and what decides it. */
bool collision_is_won(const struct collision_side *a, const struct collision_side *b,
	enum collision_ground *ret_ground);

#endif
