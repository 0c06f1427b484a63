/* SPDX-License-Identifier: ISC */
#include "core/announce.h"

#include <stddef.h>

#include "base/assert.h"

/* After the start, in ms: loss and pacing first; 1.1 s and 2.2 s pass the neighbour locktime of old
 * kernels; 5 s outlives a switch that learns slowly. Then every minute, for tables that age. */
static const int64_t BROADCAST_MS[] = {20, 100, 400, 1100, 2200, 5000};
static const int64_t REQUEST_MS[] = {5, 20, 60, 150, 400};
#define BROADCAST_STEPS    (sizeof(BROADCAST_MS) / sizeof(BROADCAST_MS[0]))
#define REQUEST_STEPS      (sizeof(REQUEST_MS) / sizeof(REQUEST_MS[0]))
#define BROADCAST_LATER_NS (60 * NS_PER_S)

void announce_start(struct announce *a, ha_time now)
{
	*a = (struct announce){.running = true,
		.started = now,
		.broadcast_at = time_add(now, BROADCAST_MS[0] * NS_PER_MS),
		.request_at = time_add(now, REQUEST_MS[0] * NS_PER_MS)};
}

void announce_begin(struct announce *a, ha_time now)
{
	announce_start(a, now);
	a->broadcast_at = a->request_at = now;
}

void announce_resume(struct announce *a, ha_time now)
{
	announce_begin(a, now);
	a->broadcast_step = BROADCAST_STEPS;
}

void announce_stop(struct announce *a)
{
	*a = (struct announce){.broadcast_at = TIME_NEVER, .request_at = TIME_NEVER};
}

void announce_acknowledged(struct announce *a)
{
	a->request_at = TIME_NEVER;
}

ha_time announce_deadline(const struct announce *a)
{
	return a->running ? time_min(a->broadcast_at, a->request_at) : TIME_NEVER;
}

static void advance_broadcast(struct announce *a, ha_time now)
{
	while (time_reached(now, a->broadcast_at)) {
		if (a->broadcast_step < BROADCAST_STEPS)
			a->broadcast_step++;
		if (a->broadcast_step < BROADCAST_STEPS)
			a->broadcast_at =
				time_add(a->started, BROADCAST_MS[a->broadcast_step] * NS_PER_MS);
		else
			a->broadcast_at = time_add(now, BROADCAST_LATER_NS);
	}
}

static void advance_requests(struct announce *a, ha_time now)
{
	while (time_reached(now, a->request_at)) {
		a->request_step++;
		a->request_at =
			a->request_step < REQUEST_STEPS
				? time_add(a->started, REQUEST_MS[a->request_step] * NS_PER_MS)
				: TIME_NEVER;
	}
}

unsigned announce_take_due(struct announce *a, ha_time now)
{
	unsigned due = ANNOUNCE_NOTHING;

	if (!a->running)
		return due;
	assert(a->broadcast_step <= BROADCAST_STEPS && a->request_step <= REQUEST_STEPS);
	if (time_reached(now, a->broadcast_at)) {
		due |= ANNOUNCE_BROADCAST;
		advance_broadcast(a, now);
	}
	if (!time_is_never(a->request_at) && time_reached(now, a->request_at)) {
		due |= ANNOUNCE_REQUESTS;
		advance_requests(a, now);
	}
	return due;
}
