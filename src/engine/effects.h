/* SPDX-License-Identifier: ISC */
/*
 * effects: appends to the list of a step. When that is nearly full, reports are left out rather
 * than anything else.
 */
#ifndef HA_ENGINE_EFFECTS_H
#define HA_ENGINE_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct effect *effect_add(struct effects *out, enum effect_kind kind);
bool effects_have_room(const struct effects *out);
void effect_keeper(struct effects *out, enum channel_verb verb, uint16_t index, uint16_t second,
	uint64_t number);
/* A report of now; the caller fills in what it is about. NULL when there is no room. */
__attribute__((format(printf, 5, 6))) struct report *effect_report(struct engine *e,
	struct effects *out, enum report_kind kind, enum report_level level, const char *format,
	...);
/* The same about a group: name and epoch filled in. */
__attribute__((format(printf, 6, 7))) void effect_group_report(struct engine *e,
	struct effects *out, enum report_kind kind, enum report_level level, size_t group,
	const char *format, ...);

#endif
