/* SPDX-License-Identifier: ISC */
/*
 * settle: docs/protocol.md 6.3: a node takes over from one that serves well only when it has been
 * well itself for a time (`settle`), and for a longer one when it has lost the group again and
 * again (`hold-down`). A group that nobody holds is never waited for.
 */
#ifndef HA_ENGINE_SETTLE_H
#define HA_ENGINE_SETTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

struct engine;

#define LOSSES_MAX 8

/* How steadily this node could hold a group of late. */
struct steadiness {
	ha_time well_since; /* and no change of its health; TIME_NEVER: it may not hold it */
	bool impaired;
	ha_time losses[LOSSES_MAX]; /* when it could hold the group no longer; TIME_ORIGIN: never */
	uint8_t loss_next;
};

void settle_start(struct engine *e);
/* Looks whether it is well; each time before the elections. */
void settle_review(struct engine *e, size_t group);
/* It could not hold it any longer: often enough, and it waits for longer. */
void settle_lost(struct engine *e, size_t group);
/* How long it must have been well, and until when that is. */
int64_t settle_wait_ns(const struct engine *e, size_t group);
ha_time settle_until(const struct engine *e, size_t group);
bool settle_is_over(const struct engine *e, size_t group);

#endif
