/* SPDX-License-Identifier: ISC */
/*
 * passing: of two nodes in the middle of a handover each passes on to the other what the other has
 * begun (docs/protocol.md 7.5). The kernel does it, frame by frame (keeper/fence.bpf.c); here is
 * decided when, and to whom:
 *
 *   the new holder      from its claim until the old one has released: segments of TCP connections
 *                       that it does not have go back to the old one
 *   the old holder      once the new one is ACTIVE: new connections, and segments of those that it
 *                       does not have, go on to the new one; after its release everything does, for
 *                       a moment
 */
#ifndef HA_ENGINE_PASSING_H
#define HA_ENGINE_PASSING_H

#include <stddef.h>

#include "core/election.h"

struct effects;
struct engine;

void passing_follow(
	struct engine *e, size_t group, const struct election *was, struct effects *out);

#endif
