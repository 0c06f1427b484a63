/* SPDX-License-Identifier: ISC */
#include "custody/restarts.h"

void restarts_start(struct restarts *r, ha_time now)
{
	r->started = now;
}

static int64_t delay_ns(size_t unbroken)
{
	int64_t delay = RESTARTS_DELAY_NS;

	if (unbroken <= 1)
		return 0;
	for (size_t i = 2; i < unbroken && delay < RESTARTS_LONGEST_NS; i++)
		delay *= 2;
	return delay < RESTARTS_LONGEST_NS ? delay : RESTARTS_LONGEST_NS;
}

int64_t restarts_crash(struct restarts *r, ha_time now)
{
	ha_time *oldest = &r->crashes[r->count % RESTARTS_CRASHES_MAX];

	if (time_between(r->started, now) >= RESTARTS_WINDOW_NS)
		r->unbroken = 0;
	r->unbroken++;
	r->count++;
	*oldest = now;
	/* The next one to be overwritten is the oldest of those remembered. */
	oldest = &r->crashes[r->count % RESTARTS_CRASHES_MAX];
	if (r->count >= RESTARTS_CRASHES_MAX && time_between(*oldest, now) < RESTARTS_WINDOW_NS)
		return RESTARTS_NEVER;
	return delay_ns(r->unbroken);
}
