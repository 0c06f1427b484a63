/* SPDX-License-Identifier: ISC */
#include "sys/clock.h"

#include <time.h>

#include "base/assert.h"

ha_time clock_now(void)
{
	struct timespec t;
	int r = clock_gettime(CLOCK_BOOTTIME, &t);

	assert(r == 0);
	return (ha_time){t.tv_sec * NS_PER_S + t.tv_nsec};
}

int64_t clock_wall_ms(void)
{
	struct timespec t;
	int r = clock_gettime(CLOCK_REALTIME, &t);

	assert(r == 0);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}
