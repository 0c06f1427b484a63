/* SPDX-License-Identifier: ISC */
/*
 * adopt: R8: an engine goes on where another one has left off: the same boot to the others, the
 * same claims, no listening. What passed in between it has not heard, as if it had stalled (R10).
 * engine_save() and engine_adopt() are in engine.h.
 */
#ifndef HA_ENGINE_ADOPT_H
#define HA_ENGINE_ADOPT_H

#include <stdbool.h>

#include "engine/engine.h"

void adopt_start(struct engine *e, struct effects *out);
/* An adopting engine says and decides nothing before it knows its devices and its fence. */
bool adopt_is_blind(const struct engine *e);
void adopt_begin(struct engine *e, struct effects *out);

#endif
