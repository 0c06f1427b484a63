/* SPDX-License-Identifier: ISC */
/*
 * time: an instant of the boottime clock (CLOCK_BOOTTIME: it goes on while the machine is
 * suspended) as a type of its own, so that it cannot be mixed with a duration or a wall-clock time.
 * Durations are int64_t with the suffix _ns. Nothing here reads a clock.
 */
#ifndef HA_BASE_TIME_H
#define HA_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
	int64_t ns;
} ha_time;

#define NS_PER_US   INT64_C(1000)
#define NS_PER_MS   INT64_C(1000000)
#define NS_PER_S    INT64_C(1000000000)
#define TIME_NEVER  ((ha_time){INT64_MAX})
#define TIME_ORIGIN ((ha_time){0})

/* The instant @duration_ns after @t; saturates at TIME_NEVER. */
static inline ha_time time_add(ha_time t, int64_t duration_ns)
{
	int64_t sum;

	if (__builtin_add_overflow(t.ns, duration_ns, &sum))
		return TIME_NEVER;
	return (ha_time){sum};
}

/* How long @later is after @earlier, in nanoseconds; negative if it is before. */
static inline int64_t time_between(ha_time earlier, ha_time later)
{
	return later.ns - earlier.ns;
}

static inline bool time_reached(ha_time now, ha_time deadline)
{
	return now.ns >= deadline.ns;
}

static inline ha_time time_min(ha_time a, ha_time b)
{
	return a.ns < b.ns ? a : b;
}

static inline ha_time time_max(ha_time a, ha_time b)
{
	return a.ns > b.ns ? a : b;
}

static inline bool time_is_never(ha_time t)
{
	return t.ns == INT64_MAX;
}

#endif
