/* SPDX-License-Identifier: ISC */
/*
 * steps: the steps of a move, for `ha watch`: who asks, who grants, who configures, who lets go.
 * Each is told when it happens on this node, so that two nodes' accounts together show the whole.
 * What changes a state is told by news.h.
 */
#ifndef HA_ENGINE_STEPS_H
#define HA_ENGINE_STEPS_H

#include <stddef.h>

#include "core/election.h"

struct effects;
struct engine;

void steps_tell(struct engine *e, size_t group, const struct election *was, struct effects *out);

#endif
