/* SPDX-License-Identifier: ISC */
#include "core/pauses.h"

#include "base/assert.h"

static bool lasts(const struct pause_of *pause, ha_time now)
{
	return pause->id != 0 && !time_reached(now, pause->until);
}

/* Of that node, else a free one, else the one that ends first. */
static struct pause_of *place_for(struct pauses *p, ha_time now, uint64_t id)
{
	struct pause_of *place = &p->list[0];

	for (size_t i = 0; i < PAUSES_MAX; i++) {
		struct pause_of *pause = &p->list[i];

		if (pause->id == id)
			return pause;
		if (lasts(place, now) && (!lasts(pause, now) || pause->until.ns < place->until.ns))
			place = pause;
	}
	return place;
}

void pauses_begin(struct pauses *p, ha_time now, uint64_t id, ha_time until)
{
	assert(id != 0);
	*place_for(p, now, id) = (struct pause_of){.id = id, .until = until};
}

bool pauses_has(const struct pauses *p, ha_time now, uint64_t id)
{
	for (size_t i = 0; i < PAUSES_MAX; i++)
		if (p->list[i].id == id && lasts(&p->list[i], now))
			return true;
	return false;
}

ha_time pauses_deadline(const struct pauses *p, ha_time now)
{
	ha_time deadline = TIME_NEVER;

	for (size_t i = 0; i < PAUSES_MAX; i++)
		if (lasts(&p->list[i], now))
			deadline = time_min(deadline, p->list[i].until);
	return deadline;
}
