/* SPDX-License-Identifier: ISC */
/*
 * Loaded before the C library (LD_PRELOAD) by tests/network/test_quiet.py: counts what the program
 * allocates, into the file that INTERPOSE_COUNTS names, and has the wall clock jump by years each
 * time that it is looked at, if INTERPOSE_CLOCK is 1. The other clocks are left alone.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* What glibc's own are called besides. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static uint64_t before_open;
static uint64_t *allocations = &before_open;
static int jumps;
static uint64_t chance = 88172645463325252u;

__attribute__((constructor)) static void open_counts(void)
{
	const char *path = getenv("INTERPOSE_COUNTS"), *clock = getenv("INTERPOSE_CLOCK");
	int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *page = file >= 0 ? mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED,
					 file, 0)
			       : MAP_FAILED;

	jumps = clock && clock[0] == '1';
	if (file >= 0)
		(void)close(file);
	if (page != MAP_FAILED)
		allocations = page;
}

static void count(void)
{
	(void)__atomic_add_fetch(allocations, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
	count();
	return __libc_malloc(size);
}

void *calloc(size_t members, size_t size)
{
	count();
	return __libc_calloc(members, size);
}

void *realloc(void *old, size_t size)
{
	count();
	return __libc_realloc(old, size);
}

/* Up to ten years to and fro. */
static int64_t jump_s(void)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return jumps ? (int64_t)(chance % 631152000) - 315576000 : 0;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
	int r = (int)syscall(SYS_clock_gettime, clock, time);

	if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		time->tv_sec += jump_s();
	return r;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	*time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *ret_time)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (ret_time)
		*ret_time = now.tv_sec;
	return now.tv_sec;
}
