/* SPDX-License-Identifier: ISC */
/*
 * announce: when an address that was just taken is announced again. docs/protocol.md section 8. The
 * first set goes out with the taking itself; this is the schedule of what follows. Pure.
 *
 * The broadcast set repeats because one frame can be lost and because kernels before 4.13 ignore a
 * change within a second (neigh locktime); the requests repeat until the neighbour has answered,
 * which is its acknowledgement.
 */
#ifndef HA_CORE_ANNOUNCE_H
#define HA_CORE_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct announce {
	bool running;
	ha_time started;
	ha_time broadcast_at; /* TIME_NEVER: none */
	ha_time request_at;   /* TIME_NEVER: none */
	uint8_t broadcast_step;
	uint8_t request_step;
};

enum announce_due { ANNOUNCE_NOTHING = 0, ANNOUNCE_BROADCAST = 1, ANNOUNCE_REQUESTS = 2 };

/* The first set went out at @now. */
void announce_start(struct announce *a, ha_time now);
void announce_stop(struct announce *a);

/* An engine goes on with what another one began (R8): one more set, then every minute. */
void announce_resume(struct announce *a, ha_time now);

/* The first set is still to go out: it is due at @now, in the place of its first repetition. */
void announce_begin(struct announce *a, ha_time now);

/* Every neighbour has answered: no further requests. */
void announce_acknowledged(struct announce *a);

/* When something is due next; TIME_NEVER if stopped. */
ha_time announce_deadline(const struct announce *a);

/* What is due at @now, as a sum of enum announce_due; steps that were missed are made up for by
 * one. */
unsigned announce_take_due(struct announce *a, ha_time now);

#endif
