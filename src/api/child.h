/* SPDX-License-Identifier: ISC */
/*
 * child: ha-keeper as a child of this program: started with one end of the channel, greeted, heard
 * (what it would log comes through a pipe), and reaped.
 */
#ifndef HA_API_CHILD_H
#define HA_API_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CHILD_TALK_SIZE 2048

struct child {
	pid_t pid;
	int process; /* pidfd */
	int channel; /* ours, until the driver takes it */
	int talk;    /* its standard error */
	size_t talk_size;
	char talk_bytes[CHILD_TALK_SIZE]; /* a line that is not whole yet */
};

/* What the keeper handed over; each descriptor is owned. */
struct child_greeting {
	int lease, key, configuration;
};

struct child_start {
	const char *program;     /* NULL: the installed one */
	const char *runtime_dir; /* NULL: the default one */
	int configuration;       /* borrowed */
};

/* Starts it. 0, or -errno. */
int child_start(const struct child_start *start, struct child *ret_child);

/* Waits for its first words, @patience_ms at most. 0; -ETIMEDOUT; or -EPIPE if it ended: its last
 * lines are in talk_bytes then. */
int child_await(struct child *c, int patience_ms, struct child_greeting *ret_greeting);

/* Each line that it has said since, without its newline; never waits. False if it says no more. */
bool child_lines(struct child *c, void (*line)(void *context, const char *text), void *context);

/* The channel was closed: waits for its end, @patience_ms at most, and lets go of it. */
void child_finish(struct child *c, int patience_ms);

#endif
