/* SPDX-License-Identifier: ISC */
/*
 * health: what the health checks and the program that looks after a group (attach.h) make of it
 * together: the worse of both, which is told to the engine (ENGINE_HEALTH).
 */
#ifndef HA_DAEMON_HEALTH_H
#define HA_DAEMON_HEALTH_H

#include <uv.h>

#include "driver/driver.h"

struct health;

enum health_judge { HEALTH_OF_CHECKS, HEALTH_OF_APPLICATION, HEALTH_JUDGES };

/* Until it says something, each of them finds nothing wrong. Owned by the process. */
struct health *health_open(struct driver *driver, uv_loop_t *loop);
/* What @judge makes of @said->group from now on. */
void health_judged(struct health *h, enum health_judge judge, const struct engine_health *said);

#endif
