/* SPDX-License-Identifier: ISC */
/*
 * answer: the status, or that with the views of all nodes, as a line of JSON, made in slices: with
 * thousands of groups it takes longer than a heartbeat may be late, so the loop runs between two of
 * them. What changes meanwhile is told as it is when its turn comes.
 */
#ifndef HA_DAEMON_ANSWER_H
#define HA_DAEMON_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

struct answer;
struct daemon_checks;
struct driver;

/* @cluster: with the views. Both are borrowed until answer_end(). NULL if memory ran out. */
struct answer *answer_begin(
	struct driver *driver, const struct daemon_checks *checks, bool cluster);
/* One more slice; false when it is complete, or memory ran out. */
bool answer_continue(struct answer *a);
/* Ends it: the line with its newline, *@ret_size bytes, owned by the caller; NULL if memory ran
 * out. */
char *answer_end(struct answer *a, size_t *ret_size);

#endif
