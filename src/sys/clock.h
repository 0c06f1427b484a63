/* SPDX-License-Identifier: ISC */
/* clock: the only place that reads a clock. CLOCK_BOOTTIME counts while the machine is suspended.
 */
#ifndef HA_SYS_CLOCK_H
#define HA_SYS_CLOCK_H

#include "base/time.h"

/* Boottime: it goes on while the host is suspended, and nobody can set it. */
ha_time clock_now(void);
/* Wall-clock milliseconds since 1970, for people to read; never used in a decision. */
int64_t clock_wall_ms(void);

#endif
