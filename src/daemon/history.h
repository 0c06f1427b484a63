/* SPDX-License-Identifier: ISC */
/* history: changes of state, kept in the state folder by a process of their own. */
#ifndef HA_DAEMON_HISTORY_H
#define HA_DAEMON_HISTORY_H

#include <stdint.h>

#include "wire/metrics.h"
#include "wire/report.h"

struct history;

/* Starts the history's writer with the state folder, which it takes. First of all: the writer has
 * what this process has then. */
struct history *history_open(int folder);
/* Where to count what it could not hold; borrowed. */
void history_count_in(struct history *h, struct metrics *metrics);
/* Keeps @r if it is a change of state; never waits. */
void history_add(struct history *h, const char *node, const struct report *r, int64_t wall_ms);
/* Waits a moment until the writer has written the last of it. */
void history_finish(struct history *h);

#endif
