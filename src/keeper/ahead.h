/* SPDX-License-Identifier: ISC */
/*
 * ahead: `standby = warm`. The addresses of a group that is not held are configured all the same,
 * and the fence in the kernel silences them: to hold the group takes one store and the
 * announcements, and services can bind to them. Only the fence of programs in the kernel can do
 * that: the other kinds end with a lease.
 *
 * They come a part at a time, when there is nothing else to do, and stay when a group is let go of,
 * but not on a device that is down or was brought up for a group: that is done, and undone, as the
 * group comes and goes.
 */
#ifndef HA_KEEPER_AHEAD_H
#define HA_KEEPER_AHEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "keeper/addresses.h"

struct ahead {
	struct addresses *addresses; /* borrowed */
	bool any;                    /* the configuration has such a group */
	bool silenced;               /* the fence was in force when it was last looked at */
	size_t next;                 /* address to be looked at */
	size_t added, failed;        /* in this pass through the list ... */
	int error;                   /* ... and why, the last one */
};

/* Says so in one line if such a group must do without. */
void ahead_open(struct ahead *a, struct addresses *addresses);
/* The next part. True: there is more. */
bool ahead_some(struct ahead *a);
/* Takes all of them down: the fence will go, or be another keeper's. Nothing stays from now on. */
void ahead_end(struct addresses *a);

#endif
