/* SPDX-License-Identifier: ISC */
/*
 * ring: the last events, numbered from 1, for those who follow them at their own speed. Whoever is
 * too slow misses the oldest ones; nobody waits for him.
 */
#ifndef HA_CLI_EXPORTER_RING_H
#define HA_CLI_EXPORTER_RING_H

#include <stddef.h>
#include <stdint.h>

#define RING_EVENTS_MAX 256
/* Bytes of an event, with the terminating zero; a longer one is left out. */
#define RING_LINE_MAX 2048

struct ring {
	uint64_t next;                /* the number of the next one; 1 at first */
	char *lines[RING_EVENTS_MAX]; /* owned */
};

/* An empty one; ring_done() gives back what it keeps. */
void ring_init(struct ring *r);
void ring_done(struct ring *r);
/* Keeps a copy of @line, which has no newline. */
void ring_add(struct ring *r, const char *line);
/* The first event of number *@number or above, and its number in *@number; NULL: there is none yet.
 * Borrowed until ring_add(). */
const char *ring_find(const struct ring *r, uint64_t *number);

#endif
