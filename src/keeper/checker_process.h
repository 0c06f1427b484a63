/* SPDX-License-Identifier: ISC */
/*
 * checker_process: ha-checker, the unprivileged process that carries out health checks, as the
 * starter sees it: a child that is started with each engine and again when it dies, with a growing
 * pause. A socket connects it to the engine; it ends when the engine's end is closed.
 */
#ifndef HA_KEEPER_CHECKER_PROCESS_H
#define HA_KEEPER_CHECKER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "keeper/engine_program.h"

struct checker_process {
	bool wanted; /* the configuration has checks for it */
	struct engine_program program;
	int configuration; /* borrowed */
	const char *runtime_dir;
	struct account account;
	int socket;  /* its end, kept for the next one; -1: there is no engine */
	int process; /* pidfd; -1: it does not run */
	unsigned failures;
	int64_t started_ns, start_ns; /* boottime; the latter: when to start it again */
};

/* Starts one for a fresh engine: the engine's end of the socket, for the caller to close; -1 if
 * none is wanted or possible. */
int checker_process_start(struct checker_process *c);

/* It may have ended: to be called when its pidfd is readable, and after checker_process_wait_ms().
 */
void checker_process_review(struct checker_process *c);

/* For poll(2): -1 if nothing is to be done by itself. */
int checker_process_wait_ms(const struct checker_process *c);

#endif
