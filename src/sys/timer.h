/* SPDX-License-Identifier: ISC */
/* timer: one absolute deadline on the boottime clock as a descriptor, with nanoseconds. */
#ifndef HA_SYS_TIMER_H
#define HA_SYS_TIMER_H

#include "base/time.h"

/* A disarmed timer. Returns the descriptor (owned; readable when due) or -errno. */
int timer_open(void);
/* Arms it for @deadline; TIME_NEVER disarms it. A deadline that has passed is due at once. */
void timer_set(int fd, ha_time deadline);
/* Takes note of an expiry, so that the descriptor is no longer readable. */
void timer_clear(int fd);

#endif
