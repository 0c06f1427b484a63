/* SPDX-License-Identifier: ISC */
/*
 * requests: what people ask of this node: to yield a group, to be drained, to go on
 * (docs/protocol.md 6.12). Each request gets one answer, when it is decided: refused at once with
 * what would be right, done, or failed. What takes time waits here; the elections do the rest.
 */
#ifndef HA_ENGINE_REQUESTS_H
#define HA_ENGINE_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "engine/engine.h"
#include "wire/control.h"

#define REQUESTS_MAX 16

/* A request that is not decided yet. */
struct pending {
	bool used;
	uint32_t token;
	enum control_command what;
	uint16_t group; /* of yield */
	ha_time since, until;
};

void requests_take(struct engine *e, const struct engine_request *request, struct effects *out);
/* Answers those that have been decided. */
void requests_review(struct engine *e, struct effects *out);
ha_time requests_deadline(const struct engine *e);

#endif
