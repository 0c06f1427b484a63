/* SPDX-License-Identifier: ISC */
/*
 * pauses: to whom a holder does not grant a group again for a while, because that node let a grant
 * lapse (docs/protocol.md 6.3). Per node: others may have it meanwhile.
 */
#ifndef HA_CORE_PAUSES_H
#define HA_CORE_PAUSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

/* More at a time are as good as none: of them the one that ends first is forgotten. */
#define PAUSES_MAX 4

/* Zeroed it is empty. */
struct pauses {
	struct pause_of {
		uint64_t id; /* 0: free */
		ha_time until;
	} list[PAUSES_MAX];
};

/* @id shall wait until @until. */
void pauses_begin(struct pauses *p, ha_time now, uint64_t id, ha_time until);

bool pauses_has(const struct pauses *p, ha_time now, uint64_t id);

/* When the next one ends; TIME_NEVER if none is left. */
ha_time pauses_deadline(const struct pauses *p, ha_time now);

#endif
