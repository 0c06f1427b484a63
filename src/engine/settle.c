/* SPDX-License-Identifier: ISC */
#include "engine/settle.h"

#include "base/assert.h"
#include "engine/health.h"
#include "engine/inputs.h"
#include "engine/node.h"

/* So many losses are flapping, and each further one doubles the wait, three times at most. */
#define LOSSES_TOLERATED 3
#define DOUBLINGS_MAX    3
/* They count for so many hold-downs: for 10 minutes by default. */
#define WINDOW_HOLD_DOWNS 20

void settle_start(struct engine *e)
{
	for (size_t g = 0; g < e->conf->group_count; g++)
		if (!e->groups[g].adopted)
			e->groups[g].steadiness.well_since = TIME_NEVER;
}

void settle_review(struct engine *e, size_t group)
{
	struct steadiness *s = &e->groups[group].steadiness;

	if (group_unfit(e, group) != ELIGIBLE)
		s->well_since = TIME_NEVER;
	else if (time_is_never(s->well_since) || s->impaired != health_is_impaired(e, group))
		s->well_since = e->now;
	s->impaired = health_is_impaired(e, group);
}

void settle_lost(struct engine *e, size_t group)
{
	struct steadiness *s = &e->groups[group].steadiness;

	s->losses[s->loss_next] = e->now;
	s->loss_next = (uint8_t)((s->loss_next + 1) % LOSSES_MAX);
	s->well_since = TIME_NEVER;
}

static unsigned losses_of_late(const struct engine *e, size_t group)
{
	const struct steadiness *s = &e->groups[group].steadiness;
	int64_t window_ns = WINDOW_HOLD_DOWNS * e->conf->groups[group].hold_down_ns;
	unsigned count = 0;

	for (size_t i = 0; i < LOSSES_MAX; i++)
		if (s->losses[i].ns != 0 && time_between(s->losses[i], e->now) < window_ns)
			count++;
	return count;
}

int64_t settle_wait_ns(const struct engine *e, size_t group)
{
	const struct conf_group *conf = &e->conf->groups[group];
	unsigned losses = losses_of_late(e, group), doublings;
	int64_t hold_down_ns;

	static_assert(LOSSES_MAX >= LOSSES_TOLERATED + DOUBLINGS_MAX, "all that count are kept");
	if (losses < LOSSES_TOLERATED)
		return conf->settle_ns;
	doublings = losses - LOSSES_TOLERATED;
	hold_down_ns = conf->hold_down_ns
		       << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);
	return hold_down_ns > conf->settle_ns ? hold_down_ns : conf->settle_ns;
}

ha_time settle_until(const struct engine *e, size_t group)
{
	ha_time since = e->groups[group].steadiness.well_since;

	return time_is_never(since) ? TIME_NEVER : time_add(since, settle_wait_ns(e, group));
}

bool settle_is_over(const struct engine *e, size_t group)
{
	return time_reached(e->now, settle_until(e, group));
}
