/* SPDX-License-Identifier: ISC */
/*
 * sticky: docs/protocol.md 6.4: of two holders that meet, a sticky one stays if clients could reach
 * it while the two did not hear each other. Each therefore asks its neighbours anew when it loses
 * sight of a node, and tells whether one of them has answered that is no node itself.
 */
#ifndef HA_ENGINE_STICKY_H
#define HA_ENGINE_STICKY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ip.h"

struct effects;
struct engine;

void sticky_taken(struct engine *e, size_t group);
void sticky_acknowledged(struct engine *e, size_t group, const struct ip *neighbour);
/* A node has fallen silent: the network may have come apart. */
void sticky_lost_sight(struct engine *e, struct effects *out);
bool group_is_sticky(const struct engine *e, size_t group);

#endif
