/* SPDX-License-Identifier: ISC */
/*
 * server: one of the demo's servers: a real `ha run` in its own network namespace, and what it
 * tells over its control socket.
 */
#ifndef HA_CLI_DEMO_SERVER_H
#define HA_CLI_DEMO_SERVER_H

#include <stdbool.h>

#include <uv.h>

#include "cli/client.h"
#include "cli/demo/lan.h"
#include "wire/report.h"

struct server {
	int index;
	uv_loop_t *loop;
	const struct lan *lan;
	const char *interval;
	uv_process_t process;
	bool running;
	bool watching;
	struct client watch;
	/* Called for each event that the server tells, and (@report NULL) when its daemon has
	 * ended. */
	void (*told)(void *context, int server, const struct report *report);
	void *context;
};

/* Sets up @s without starting anything. All pointers are borrowed for its life. */
void server_init(
	struct server *s, int index, uv_loop_t *loop, const struct lan *lan, const char *interval);

/* Makes the key of the cluster, before the first server starts. EXIT_DONE, or a status after a
 * message. */
int server_make_key(const struct command *command);

/* Starts its daemon unless it runs. Returns 0 or a libuv error. */
int server_start(struct server *s);

/* Stops it politely. */
void server_stop(struct server *s);

/* Kills its engine with SIGKILL. False if there is none. */
bool server_kill_engine(struct server *s);

/* Takes what the daemon has told meanwhile, without blocking; connects to it when it can. */
void server_listen(struct server *s);

/* Prints the last lines of its log on standard error, for somebody who wonders why. */
void server_print_log(const struct server *s);

#endif
