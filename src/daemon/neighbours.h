/* SPDX-License-Identifier: ISC */
/*
 * neighbours: the checks `arp` and `gateway`, which are carried out by the keeper.
 */
#ifndef HA_DAEMON_NEIGHBOURS_H
#define HA_DAEMON_NEIGHBOURS_H

#include <stddef.h>

#include <uv.h>

#include "driver/driver.h"

struct daemon_checks;
struct neighbours;

/* Owned by the process. @checks: is told what comes of them. */
struct neighbours *neighbours_open(
	struct driver *driver, struct daemon_checks *checks, uv_loop_t *loop);
void neighbours_start(struct neighbours *all);
/* One of the neighbours that the check at @index is about has answered. */
void neighbours_answered(struct neighbours *all, size_t index);

#endif
