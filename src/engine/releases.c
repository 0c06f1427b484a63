/* SPDX-License-Identifier: ISC */
#include "engine/releases.h"

#include "base/assert.h"
#include "engine/node.h"

#define NOBODY UINT16_MAX

void releases_start(struct engine *e)
{
	e->release_first = e->release_last = NOBODY;
}

void releases_begin(struct engine *e, size_t group)
{
	struct release *r = &e->groups[group].release;

	*r = (struct release){
		.before = e->release_last, .after = NOBODY, .earned = e->lease_earned};
	if (r->before == NOBODY)
		e->release_first = (uint16_t)group;
	else
		e->groups[r->before].release.after = (uint16_t)group;
	e->release_last = (uint16_t)group;
}

void releases_end(struct engine *e, size_t group)
{
	const struct release *r = &e->groups[group].release;

	assert(e->release_first != NOBODY);
	if (r->before == NOBODY)
		e->release_first = r->after;
	else
		e->groups[r->before].release.after = r->after;
	if (r->after == NOBODY)
		e->release_last = r->before;
	else
		e->groups[r->after].release.before = r->before;
}

/* A lease that has passed meanwhile is not extended at all: a node that wakes up late, or whose
 * keeper does, must have taken everything down first. A fence that knows each group has closed
 * those that are given up, whatever the lease. */
ha_time releases_limit(const struct engine *e)
{
	if (e->release_first == NOBODY)
		return TIME_NEVER;
	if (time_reached(e->now, e->lease))
		return e->lease;
	return e->fence == CHANNEL_FENCE_BPF ? TIME_NEVER
					     : e->groups[e->release_first].release.earned;
}
