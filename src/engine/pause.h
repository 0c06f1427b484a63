/* SPDX-License-Identifier: ISC */
/*
 * pause: R8, making room for the next engine. The others are asked for more patience first, and
 * must be heard to know of it before the lease counts on it: one that missed it would claim while
 * the old lease still fences us in, which is how it should be. Nothing is left half done: takings,
 * handovers and releases come to their end.
 */
#ifndef HA_ENGINE_PAUSE_H
#define HA_ENGINE_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct effects;
struct engine;

/* R8: on the way to being replaced. */
struct pause {
	bool wanted;
	bool last_word; /* the heartbeat after which the engine ends is on its way */
	bool patient;   /* all who must were heard to know of the longer tolerance */
	int64_t patience_ns;
	uint32_t sequence;   /* of the first heartbeat that announced it */
	ha_time waits_until; /* for the others to have heard it */
};

void pause_begin(struct engine *e, int64_t patience_ns, struct effects *out);
void pause_end(struct engine *e, struct effects *out);
/* After everything else that a step does: whether it is time. */
void pause_review(struct engine *e, struct effects *out);
/* The last word was said, or could not be. */
void pause_spoken(struct engine *e, struct effects *out);
/* What is announced, and what the lease may count on. */
int64_t pause_announced_ns(const struct engine *e);
int64_t pause_granted_ns(const struct engine *e);
ha_time pause_deadline(const struct engine *e);

#endif
