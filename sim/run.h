/* SPDX-License-Identifier: ISC */
/*
 * run: one plan from its beginning to its end, in two phases: faults, with all invariants checked
 * after every step; then everything heals, and within the promised time everything must be as the
 * policy wants it, and stay so.
 */
#ifndef HA_SIM_RUN_H
#define HA_SIM_RUN_H

#include "sim/plan.h"
#include "sim/tally.h"
#include "sim/world.h"

struct run_result {
	bool failed;
	char what[WORLD_VIOLATION_MAX]; /* the first broken promise */
	int64_t at_ns;                  /* of it, since the beginning */
};

/**
 * run_plan - carry out a plan
 * @tally: what it exercised is added; or NULL
 * @tell:  gets each line of the story; or NULL
 */
struct run_result run_plan(const struct plan *p, struct tally *tally,
	void (*tell)(void *context, const char *line), void *context);

#endif
