/* SPDX-License-Identifier: ISC */
/*
 * checks: what the verdicts of a node's health checks together make of each group. It keeps the
 * last word on each check, gives up words that are too old to be true, and answers with the
 * ENGINE_HEALTH of a group. Pure; the daemon drives it.
 *
 * A check that has not answered yet counts as failing: a node that starts must show first that it
 * can serve. When the process that carries them out is gone, its last words count for one timeout
 * of each check.
 */
#ifndef HA_ENGINE_CHECKS_H
#define HA_ENGINE_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "wire/verdict.h"

struct checks_entry {
	enum check_verdict verdict;
	uint16_t value;
	ha_time answered;
	ha_time hold_until;
	ha_time believed_until; /* TIME_NEVER while whoever says it is there */
	char text[VERDICT_TEXT_SIZE];
};

struct checks {
	const struct conf *conf; /* borrowed */
	size_t count;
	struct checks_entry *list; /* owned by the caller */
};

/* @list: as many as the configuration has checks. */
struct checks checks_init(const struct conf *conf, struct checks_entry *list);

/* Takes a word in. Whether its verdict or value is another one now; false for one that is not in
 * the configuration. */
bool checks_take(struct checks *c, const struct verdict *v);

/* This node held @group before its checks were asked for the first time: it has taken the place of
 * another engine (R8), which had no reason to give it up. They count as passing until they have had
 * the time to answer. */
void checks_presume(struct checks *c, size_t group, ha_time now);

/* Whoever says what comes of a check is gone; those for which @of is true are his. */
void checks_lost(struct checks *c, ha_time now, bool (*of)(enum conf_check_kind kind));

/* Gives up what is not to be believed any more: the index of one that changed by that, or -1. To be
 * called until it is -1. */
int checks_expire(struct checks *c, ha_time now);
ha_time checks_deadline(const struct checks *c);

/* What two who judge one group, checks and an application, make of it together: the worse of each.
 */
struct engine_health checks_merge(
	const struct engine_health *a, const struct engine_health *b, uint16_t configured_worth);

/* What they make of @group. */
struct engine_health checks_health(const struct checks *c, size_t group);

#endif
