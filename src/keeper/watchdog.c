/* SPDX-License-Identifier: ISC */
#include "keeper/watchdog.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/assert.h"

int watchdog_open(void)
{
	int watchdog = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	return watchdog < 0 ? -errno : watchdog;
}

static void set(int watchdog, struct itimerspec when)
{
	int r = timerfd_settime(watchdog, TFD_TIMER_ABSTIME, &when, NULL);

	assert(r == 0);
}

void watchdog_arm(int watchdog, ha_time deadline)
{
	/* Zero would disarm it; the page may hold any number. */
	int64_t ns = deadline.ns > 0 ? deadline.ns : 1;

	set(watchdog, (struct itimerspec){
			      .it_value = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S}});
}

void watchdog_disarm(int watchdog)
{
	set(watchdog, (struct itimerspec){0});
}
