/* SPDX-License-Identifier: ISC */
/* steps: tells watchers what has changed in a move. */
#ifndef HA_ENGINE_STEPS_H
#define HA_ENGINE_STEPS_H

#include <stddef.h>

#include "core/election.h"

struct effects;
struct engine;

void steps_tell(struct engine *e, size_t group, const struct election *was, struct effects *out);

#endif
