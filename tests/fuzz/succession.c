/* SPDX-License-Identifier: ISC */
/* One engine after the other (R8): what the one writes the next one can read, and it goes on with
 * it: what is held stays held, and the same promises are checked. */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "fuzz/subject.h"

/* One whose clock has gone past the lease meanwhile finds nothing of worth. */
static void forget_what_is_held(struct subject *s)
{
	for (size_t g = 0; g < s->conf->group_count; g++)
		s->groups[g] = (struct subject_group){0};
	s->lease = TIME_ORIGIN;
}

static void tell_surroundings(struct subject *s)
{
	struct channel_message fence = {.verb = CHANNEL_FENCE, .number = CHANNEL_FENCE_WATCHDOG};
	struct engine_event told = {.kind = ENGINE_KEEPER, .keeper = &fence};

	subject_step(s, &told);
	for (uint8_t d = 0; d < s->conf->device_count; d++) {
		struct engine_event event = {.kind = ENGINE_DEVICE, .device = s->devices[d]};

		event.device.index = d;
		subject_step(s, &event);
	}
}

void subject_succeed(struct subject *s)
{
	struct engine_event start = {.kind = ENGINE_START};
	size_t size = engine_record_size(s->engine);
	uint8_t *record = malloc(size);
	bool adopted;

	assert(record);
	s->paused = false;
	size = engine_save(s->engine, record, size);
	assert(size > 0);
	s->engine = engine_init(s->engine, s->conf, s->identity, &s->key);
	s->have = 0; /* its versions begin anew */
	if (s->tells_changes)
		engine_tell_changes(s->engine);
	adopted = engine_adopt(s->engine, s->now, record, size);
	assert(adopted == !time_reached(s->now, s->lease));
	free(record);
	for (size_t g = 0; g < s->conf->group_count; g++)
		if (s->groups[g].retired) /* and configured again: it is a new one */
			s->groups[g] = (struct subject_group){0};
	if (!adopted) {
		forget_what_is_held(s);
		s->identity.nonce++;
		s->sequence = 0;
		s->engine = engine_init(s->engine, s->conf, s->identity, &s->key);
		if (s->tells_changes)
			engine_tell_changes(s->engine);
	}
	s->takes_up = adopted;
	subject_step(s, &start);
	s->takes_up = false;
	tell_surroundings(s);
}
