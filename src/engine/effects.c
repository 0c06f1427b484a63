/* SPDX-License-Identifier: ISC */
#include "engine/effects.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "engine/beat.h"
#include "engine/node.h"

/* Kept free for what must not be lost: holds, releases, passing on, sends. */
#define RESERVE (2 * HEARTBEAT_GROUPS_MAX + SENDS_MAX * NODES_MAX + 16)

struct effect *effect_add(struct effects *out, enum effect_kind kind)
{
	struct effect *effect;

	assert(out->count < EFFECTS_MAX);
	effect = &out->list[out->count++];
	effect->kind = kind;
	return effect;
}

bool effects_have_room(const struct effects *out)
{
	return out->count < EFFECTS_MAX - RESERVE;
}

void effect_keeper(struct effects *out, enum channel_verb verb, uint16_t index, uint16_t second,
	uint64_t number)
{
	struct effect *effect = effect_add(out, EFFECT_KEEPER);

	effect->keeper.verb = verb;
	effect->keeper.index = index;
	effect->keeper.second = second;
	effect->keeper.number = number;
	effect->keeper.payload = NULL;
	effect->keeper.payload_size = 0;
}

static struct report *add_report(struct engine *e, struct effects *out, enum report_kind kind,
	enum report_level level, const char *format, va_list arguments)
{
	struct report *r;

	if (!effects_have_room(out)) {
		metrics_count(&e->metrics, METRIC_REPORTS_LOST);
		return NULL;
	}
	r = &effect_add(out, EFFECT_REPORT)->report;
	*r = (struct report){.kind = kind, .level = level, .at = e->now};
	vsnprintf(r->text, sizeof(r->text), format, arguments);
	return r;
}

struct report *effect_report(struct engine *e, struct effects *out, enum report_kind kind,
	enum report_level level, const char *format, ...)
{
	va_list arguments;
	struct report *r;

	va_start(arguments, format);
	r = add_report(e, out, kind, level, format, arguments);
	va_end(arguments);
	return r;
}

void effect_group_report(struct engine *e, struct effects *out, enum report_kind kind,
	enum report_level level, size_t group, const char *format, ...)
{
	va_list arguments;
	struct report *r;

	va_start(arguments, format);
	r = add_report(e, out, kind, level, format, arguments);
	va_end(arguments);
	if (!r)
		return;
	text_copy(r->group, sizeof(r->group), e->conf->groups[group].name);
	r->epoch = e->groups[group].election.epoch_seen;
}
