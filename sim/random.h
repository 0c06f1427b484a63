/* SPDX-License-Identifier: ISC */
/*
 * random: a seeded generator (xoshiro256**, Blackman and Vigna), so that a seed is the whole story.
 */
#ifndef HA_SIM_RANDOM_H
#define HA_SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
	uint64_t state[4];
};

struct random random_init(uint64_t seed);
uint64_t random_next(struct random *r);
/* 0 to @limit - 1; @limit is at least 1. */
uint64_t random_below(struct random *r, uint64_t limit);
/* @low to @high, both included. */
int64_t random_between(struct random *r, int64_t low, int64_t high);
/* The same, but each order of magnitude is as likely as the others; @low is at least 1. */
int64_t random_magnitude(struct random *r, int64_t low, int64_t high);
bool random_chance(struct random *r, unsigned permille);

#endif
