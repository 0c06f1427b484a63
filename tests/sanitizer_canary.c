/* SPDX-License-Identifier: ISC */
/*
 * sanitizer_canary: fails on purpose, in the way that its argument names, as an unprivileged user.
 * The test runner wants a report of each: else a silent test would prove nothing.
 */
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"

#define NOBODY 65534

static volatile int zero;

static void leak(void)
{
	void *volatile block = malloc(64);

	block = NULL;
	(void)block;
}

static void overrun(void)
{
	volatile char *volatile block = malloc(8);

	block[8] = 1;
	free((void *)block);
}

static void undefined(void)
{
	volatile int sum = INT_MAX - zero;

	sum++;
}

static void assertion(void)
{
	assert(zero == 1);
}

static const struct {
	const char *name;
	void (*fail)(void);
} ways[] = {
	{"leak", leak},
	{"overrun", overrun},
	{"undefined", undefined},
	{"assertion", assertion},
};

int main(int argc, char **argv)
{
	if (argc != 2 || setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
		setresuid(NOBODY, NOBODY, NOBODY) != 0) {
		fprintf(stderr,
			"usage, as root: sanitizer_canary leak|overrun|undefined|assertion\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(argv[1], ways[i].name) == 0)
			ways[i].fail();
	}
	return 0;
}
