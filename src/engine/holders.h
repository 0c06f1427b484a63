/* SPDX-License-Identifier: ISC */
/*
 * holders: who holds a group: this node, by the phase of its election, or the peer that says so.
 */
#ifndef HA_ENGINE_HOLDERS_H
#define HA_ENGINE_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct group;
struct peer_record;

enum node_state group_state(const struct group *g);
bool group_is_held(const struct group *g);
/* Held, and its lease is in force: what an engine that was stalled may find that it is not. */
bool group_may_serve(const struct engine *e, size_t group);
/* The live peer of highest rank that is ACTIVE in it, or NULL. */
const struct peer_record *group_active_peer(const struct engine *e, size_t group);
/* The live peer of highest rank that could hold it at once, or NULL. */
const struct peer_record *group_eligible_peer(const struct engine *e, size_t group);
/* The id of the node that holds it, this one included; 0: nobody. */
uint64_t group_holder(const struct engine *e, size_t group);

#endif
