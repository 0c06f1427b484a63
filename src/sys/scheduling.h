/* SPDX-License-Identifier: ISC */
/*
 * scheduling: run before every ordinary process, so that a busy host is not taken for a dead one.
 * What is started from here is ordinary again (SCHED_RESET_ON_FORK of sched(7)): hooks must not
 * starve anybody.
 */
#ifndef HA_SYS_SCHEDULING_H
#define HA_SYS_SCHEDULING_H

#include <stdbool.h>

/* Makes this process real-time (SCHED_FIFO, a low priority: before ordinary processes, behind the
 * kernel's own threads). 0, or -errno: -EPERM without CAP_SYS_NICE. */
int scheduling_make_realtime(void);

/* Makes it ordinary again: its end is not urgent, and a checker of leaks that runs then waits for a
 * thread of its own without rest, which must get to run. */
void scheduling_make_ordinary(void);

/* Whether this process is real-time. */
bool scheduling_is_realtime(void);

#endif
