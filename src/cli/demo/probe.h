/* SPDX-License-Identifier: ISC */
/*
 * probe: the demo's traffic: a client that sends a request to each shared address every
 * millisecond, and the echo services that answer with their server's name. Each is a process of its
 * own, so that drawing and waiting never disturb the measurement; the results are in shared memory.
 */
#ifndef HA_CLI_DEMO_PROBE_H
#define HA_CLI_DEMO_PROBE_H

#include "cli/command.h"
#include "cli/demo/lan.h"
#include "cli/demo/outage.h"

#define PROBE_INTERVAL_NS INT64_C(1000000)
/* A later answer counts as none: the kernel keeps requests to an unknown neighbour for a while. */
#define PROBE_PATIENCE_NS  INT64_C(100000000)
#define PROBE_REQUESTS_MAX 262144 /* four minutes */

struct probe_log {
	uint32_t count[FAMILIES]; /* atomic */
	struct request requests[FAMILIES][PROBE_REQUESTS_MAX];
};

/* Starts both processes; they end with this one. EXIT_DONE and the shared memory, or EXIT_FAILED
 * after a message. */
int probe_start(const struct command *command, const struct lan *lan, struct probe_log **ret_log);

/* Everything that was sent so far to the address of @family. */
struct requests probe_requests(const struct probe_log *log, int family);

#endif
