/* SPDX-License-Identifier: ISC */
/*
 * engine_process: had, the engine, as the keeper sees it: started by the starter with a channel and
 * a lease of its own, and how it ended.
 */
#ifndef HA_KEEPER_ENGINE_PROCESS_H
#define HA_KEEPER_ENGINE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "keeper/engine_program.h"
#include "keeper/starter.h"
#include "wire/lease.h"

struct engine_process {
	const struct starter *starter; /* borrowed; NULL: a program that started us */
	int process;                   /* pidfd: readable when it has ended */
	int channel;                   /* our end */
	size_t lease_size;
	struct lease_page *lease;
};

/* How a process ended. */
struct engine_end {
	bool known; /* false: it still runs */
	bool exited;
	int number; /* exit status, or signal */
};

/* Starts an engine for @group_count groups. @until: its lease as long as it goes on with what
 * another one has left; TIME_ORIGIN: it begins afresh. @lease: the memory of its lease, borrowed;
 * -1: it gets one of its own, to be read by the watchdog alone. False after one line if that
 * failed. That its program cannot be executed shows as its end, with status ENGINE_CANNOT_EXECUTE.
 */
bool engine_start(const struct starter *starter, int lease, size_t group_count, ha_time until,
	struct engine_process *ret_process);

/**
 * engine_adopt - serve the engine in the program that started us
 * @channel: moved
 * @lease:   as for engine_start()
 *
 * Return: false after one line.
 */
bool engine_adopt(int channel, int lease, const struct configuration *configuration,
	const uint8_t *key, struct engine_process *ret_process);

/* Whether it has ended; waits up to @patience_ms for that. */
bool engine_has_ended(const struct engine_process *p, int patience_ms);
/* Only of one that has ended: nobody else writes the lease then. */
void engine_end_lease(const struct engine_process *p);
/* How the child behind the pidfd @process has ended. */
struct engine_end engine_end_of(int process);
/* Waits up to @patience_ms for the end. */
struct engine_end engine_wait(const struct engine_process *p, int patience_ms);
/* A program that started us is not ours to kill: once its group is down it can do no harm. */
void engine_kill(const struct engine_process *p);
/* Lets go of what was ours of an engine that has ended. */
void engine_close(struct engine_process *p);

#endif
