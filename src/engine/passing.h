/* SPDX-License-Identifier: ISC */
/*
 * passing: has the kernel pass on what belongs to the other one in a handover: docs/protocol.md
 * 7.5.
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
