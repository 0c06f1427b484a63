/* SPDX-License-Identifier: ISC */
/*
 * engine_process: starts had, the engine, without any privilege, with exactly the descriptors of
 * wire/handoff.h, and tells how it ended.
 */
#ifndef HA_KEEPER_ENGINE_PROCESS_H
#define HA_KEEPER_ENGINE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "keeper/configuration.h"
#include "keeper/privileges.h"
#include "keeper/runtime_dir.h"
#include "wire/lease.h"

struct engine_process {
	pid_t pid;
	int process; /* pidfd: readable when it has ended */
	int channel; /* our end */
	const struct lease_page *lease;
};

/* How a process ended. */
struct engine_end {
	bool known; /* false: it still runs */
	bool exited;
	int number; /* exit status, or signal */
};

/**
 * engine_start - start the engine
 * @key:     CONF_KEY_SIZE bytes, or NULL for none
 * @control: the listening control socket; moved
 *
 * Return: false after one line if it could not be started. That its program cannot be executed
 * shows as its end, with status 127.
 */
bool engine_start(const struct configuration *configuration, const uint8_t *key,
	const struct runtime_dir *dir, const struct account *account, int control,
	struct engine_process *ret_process);

/* Waits up to @patience_ms for the end. */
struct engine_end engine_wait(const struct engine_process *p, int patience_ms);
/* SIGKILL, if we may: an engine of another user notices by itself that its channel is closed. */
void engine_kill(const struct engine_process *p);

#endif
