/* SPDX-License-Identifier: ISC */
/*
 * prepare: what has to be done on this node before it may claim a group (`before-active`), and may
 * say no: docs/protocol.md 6.14. Where nothing is configured, nothing here is waited for.
 */
#ifndef HA_ENGINE_PREPARE_H
#define HA_ENGINE_PREPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "engine/engine.h"

struct text;

/* Of one group: how far it is with that. */
enum preparation_state { PREPARATION_IDLE, PREPARATION_RUNNING, PREPARATION_DONE };

struct preparation {
	enum preparation_state state;
	uint32_t run;  /* tells a late answer from the right one */
	ha_time until; /* then it is taken for a no */
};

bool prepare_is_done(const struct engine *e, size_t group);
bool prepare_is_under_way(const struct engine *e, size_t group);
/* After each evaluation; @asked: a claim waits for it. */
void prepare_follow(struct engine *e, size_t group, bool asked, struct effects *out);
void prepare_answered(struct engine *e, const struct engine_preparation *answer);
void prepare_review(struct engine *e, size_t group);
ha_time prepare_deadline(const struct engine *e, size_t group);
void prepare_explain_veto(const struct engine *e, size_t group, struct text *t);

#endif
