/* SPDX-License-Identifier: ISC */
/*
 * check: what the answers of one health check make of it. docs/checks.md. Pure: the caller brings
 * answers and time.
 *
 *   UNKNOWN --first answer--> PASSING --`fall` bad ones in a row--> FAILING
 *                                ^                                    |
 *                                +-- `rise` good ones in a row, ------+
 *                                    and good for long enough
 *
 * Damping: one that begins to fail again soon after the last time must be good for longer before it
 * passes: 1 s, and twice as long with each further time, up to `damping_ns`. «Soon» is less than
 * twice `damping_ns` after it last began to fail. So a check that flaps changes its verdict at most
 * twice in each such time, however fast it flaps.
 */
#ifndef HA_CORE_CHECK_H
#define HA_CORE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

enum check_verdict { CHECK_UNKNOWN, CHECK_PASSING, CHECK_FAILING };

struct check_rules {
	uint16_t rise, fall;
	int64_t damping_ns; /* 0: none */
};

struct check {
	enum check_verdict verdict;
	bool good;          /* the last answer */
	ha_time good_since; /* the first of the good ones in a row */
	uint16_t needed;    /* so many of this kind in a row decide */
	uint16_t streak;    /* so many there are */
	unsigned flaps;     /* in a row */
	bool fell;          /* ever */
	ha_time fell_at;    /* when it last began to fail */
};

/**
 * check_answer - take one answer in
 * @definite: it is no sample but the truth (a process has ended, a file is there): one is enough
 *
 * Return: whether the verdict is another one now.
 */
bool check_answer(
	struct check *c, const struct check_rules *rules, ha_time now, bool good, bool definite);

/* Time has passed without an answer; likewise. */
bool check_review(struct check *c, const struct check_rules *rules, ha_time now);

/* When to review it if no answer comes; TIME_NEVER: no need. */
ha_time check_deadline(const struct check *c, const struct check_rules *rules);

/* For how long it has to be good before it passes. */
int64_t check_hold_ns(const struct check *c, const struct check_rules *rules);

#endif
