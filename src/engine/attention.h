/* SPDX-License-Identifier: ISC */
/*
 * attention: which groups a step has to look at. With few groups it is all of them, each time. With
 * many, most steps change nothing for most groups, and looking at all of them would be most of the
 * work: so it is only those that something has happened to, that are due, or all if what concerns
 * them all has changed. Whoever changes what a group's evaluation depends on marks it; whoever adds
 * a rule that depends on time adds it to group_due() in due.c.
 */
#ifndef HA_ENGINE_ATTENTION_H
#define HA_ENGINE_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadlines.h"
#include "engine/engine.h"

struct attention {
	bool lazy;        /* else all of them, each time */
	uint64_t common;  /* hash of what concerns all of them, as last evaluated */
	uint64_t *marked; /* a bit for each group that must be evaluated */
	uint64_t *again;  /* a bit for each that the next step must evaluate, at once */
	uint64_t *seen;   /* a bit for each that this step has evaluated */
	size_t sweep;     /* the next one that is evaluated without a reason */
	struct deadlines due;
};

void attention_start(struct engine *e);
void attention_mark(struct engine *e, size_t group);
void attention_mark_all(struct engine *e);
/* Something has changed in its evaluation: what follows from that is for the next step. */
void attention_mark_again(struct engine *e, size_t group);
/* What @event may concern, before anything is done about it. */
void attention_event(struct engine *e, const struct engine_event *event);
/* Begins the review of this step. */
void attention_begin(struct engine *e);
/* For each group that is to be evaluated: starts with *@group = 0. */
bool attention_marked(const struct engine *e, size_t *group);
/* The next group to evaluate; false if there is none. */
bool attention_take(struct engine *e, size_t *ret_group);
/* For each group that this step has evaluated: starts with *@group = 0. */
bool attention_seen(const struct engine *e, size_t *group);
/* Groups are left, for want of room: the next step goes on at once. */
bool attention_is_left(const struct engine *e);

#endif
