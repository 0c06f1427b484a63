/* SPDX-License-Identifier: ISC */
#include "sys/scheduling.h"

#include <errno.h>
#include <sched.h>

#define PRIORITY 10 /* threaded interrupts have 50, sched(7) */

int scheduling_make_realtime(void)
{
	const struct sched_param parameters = {.sched_priority = PRIORITY};

	return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) < 0 ? -errno
											: 0;
}

void scheduling_make_ordinary(void)
{
	const struct sched_param parameters = {0};

	(void)sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &parameters);
}

bool scheduling_is_realtime(void)
{
	return (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_FIFO;
}
