/* SPDX-License-Identifier: ISC */
/*
 * paths: several heartbeat interfaces: who is heard by which. It decides nothing, since any path
 * will do (docs/protocol.md 4.1); but people must learn of one that is lost while the others still
 * carry.
 */
#ifndef HA_ENGINE_PATHS_H
#define HA_ENGINE_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

struct effects;
struct engine;
struct peer_record;

void paths_heard(struct engine *e, struct peer_record *p, uint32_t interface_index);
/* A device has changed: what came by it before says nothing any more. */
void paths_forget(struct engine *e, size_t device);
void paths_credit_stall(struct engine *e, struct peer_record *p, int64_t stall_ns);
/* The peer lives and this node's interface is well, but nothing of it has come by it for a
 * tolerance. */
bool paths_is_lost(const struct engine *e, const struct peer_record *p, size_t path);
void paths_review(struct engine *e, struct peer_record *p, struct effects *out);
ha_time paths_deadline(const struct engine *e, const struct peer_record *p);

#endif
