/* SPDX-License-Identifier: ISC */
/*
 * releases: R7 (docs/protocol.md 6.7) for a node that gives many groups up one after the other:
 * which the keeper is taking down, in the order in which that began. What it has not taken down yet
 * must not be served on a lease that was earned later than its release began; but as long as each
 * release ends in time, the lease of the others goes on.
 */
#ifndef HA_ENGINE_RELEASES_H
#define HA_ENGINE_RELEASES_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

struct engine;

/* Of a group that the keeper is taking down. */
struct release {
	uint16_t before, after; /* in the list of those that are under way */
	ha_time earned;         /* the lease that the node had earned when it began */
};

void releases_start(struct engine *e);
void releases_begin(struct engine *e, size_t group);
void releases_end(struct engine *e, size_t group);
/* R7: how far the lease may be extended meanwhile; TIME_NEVER: nothing is being released. */
ha_time releases_limit(const struct engine *e);

#endif
