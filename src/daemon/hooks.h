/* SPDX-License-Identifier: ISC */
/* hooks: commands run on changes of state. */
#ifndef HA_DAEMON_HOOKS_H
#define HA_DAEMON_HOOKS_H

#include <stdbool.h>

#include <uv.h>

#include "driver/driver.h"

struct hooks;

/* Owned by the process. */
struct hooks *hooks_open(struct driver *driver, uv_loop_t *loop);
void hooks_run(struct hooks *h, const struct engine_hook *hook);
/* Whether no command runs or waits. */
bool hooks_are_idle(const struct hooks *h);
/* The node stops: commands for its last changes may still run for a moment, and are killed then, so
 * that none stays behind. Calling it again changes nothing. */
void hooks_finish(struct hooks *h);

#endif
