/* SPDX-License-Identifier: ISC */
/* health: what checks and applications make of this node's worth for a group. */
#ifndef HA_ENGINE_HEALTH_H
#define HA_ENGINE_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/inputs.h"

struct text;

void health_start(struct engine *e);
void health_changed(struct engine *e, const struct engine_health *health, struct effects *out);
/* INELIGIBLE_... if worth or health forbid the group, or ELIGIBLE. */
enum ineligible health_ineligible(const struct engine *e, size_t group);
/* Nothing speaks against this node. */
bool health_is_well(const struct engine *e, size_t group);
bool health_is_impaired(const struct engine *e, size_t group);
/* Adds "worth 100, lowered by 50: ...", or nothing if nothing is the matter. */
void health_explain(const struct engine *e, size_t group, struct text *t);

#endif
