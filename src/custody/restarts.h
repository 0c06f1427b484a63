/* SPDX-License-Identifier: ISC */
/* restarts: how long to wait before a fresh engine takes the place of one that crashed, and when it
 * makes no sense any more. */
#ifndef HA_CUSTODY_RESTARTS_H
#define HA_CUSTODY_RESTARTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

#define RESTARTS_CRASHES_MAX 5               /* so many ... */
#define RESTARTS_WINDOW_NS   (60 * NS_PER_S) /* ... in this time are too many */
#define RESTARTS_DELAY_NS    NS_PER_S        /* after the second crash; doubles with each */
#define RESTARTS_LONGEST_NS  (30 * NS_PER_S)
#define RESTARTS_NEVER       (-1)

struct restarts {
	ha_time started; /* the engine that runs */
	size_t unbroken; /* crashes since one last ran for as long as the window */
	size_t count;    /* of crashes */
	ha_time crashes[RESTARTS_CRASHES_MAX];
};

/* An engine starts. */
void restarts_start(struct restarts *r, ha_time now);

/* It crashed: how long to wait before the next one [ns], 0 at the first time; or RESTARTS_NEVER. */
int64_t restarts_crash(struct restarts *r, ha_time now);

#endif
