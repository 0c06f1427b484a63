/* SPDX-License-Identifier: ISC */
/*
 * checks: the health checks, as the engine's process sees them: what ha-checker says of them, and
 * what is seen here. What they make of a group goes to health.h, each change to the log and to
 * whoever watches.
 */
#ifndef HA_DAEMON_CHECKS_H
#define HA_DAEMON_CHECKS_H

#include <stdbool.h>

#include <uv.h>

#include "driver/driver.h"
#include "wire/status.h"
#include "wire/verdict.h"

struct daemon_checks;
struct health;

/* Owned by the process. */
struct daemon_checks *checks_open(struct driver *driver, struct health *health, uv_loop_t *loop);
/* When the engine has started. */
void checks_start(struct daemon_checks *c);
/* A word on a check that is not ha-checker's. */
void checks_hear(struct daemon_checks *c, const struct verdict *v);
/* Sees to the checks that follow another group; after whatever may have moved one. */
void checks_follow(struct daemon_checks *c);
/* Adds them to a status; false if memory ran out. */
bool checks_status(const struct daemon_checks *c, struct status *s);

#endif
