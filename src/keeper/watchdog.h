/* SPDX-License-Identifier: ISC */
/* watchdog: a timer of the boottime clock that is readable once the lease may have passed (rule
 * R7). */
#ifndef HA_KEEPER_WATCHDOG_H
#define HA_KEEPER_WATCHDOG_H

#include "base/time.h"

/* Its descriptor, or -errno. */
int watchdog_open(void);
/* Readable from @deadline on; at once if that has passed. */
void watchdog_arm(int watchdog, ha_time deadline);
/* Not readable any more. */
void watchdog_disarm(int watchdog);

#endif
