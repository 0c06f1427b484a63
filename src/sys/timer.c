/* SPDX-License-Identifier: ISC */
#include "sys/timer.h"

#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/assert.h"

int timer_open(void)
{
	int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void timer_set(int fd, ha_time deadline)
{
	struct itimerspec when = {0};
	int r;

	if (!time_is_never(deadline)) {
		/* An all-zero time would disarm it. */
		int64_t ns = deadline.ns > 0 ? deadline.ns : 1;

		when.it_value.tv_sec = ns / NS_PER_S;
		when.it_value.tv_nsec = ns % NS_PER_S;
	}
	r = timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL);
	assert(r == 0);
}

void timer_clear(int fd)
{
	uint64_t expirations;
	ssize_t ignored = read(fd, &expirations, sizeof(expirations));

	(void)ignored; /* EAGAIN: it was set anew in between */
}
