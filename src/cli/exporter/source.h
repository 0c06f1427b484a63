/* SPDX-License-Identifier: ISC */
/*
 * source: what the exporter learns from the daemon over its control socket, without ever waiting
 * for it: the status of the cluster when somebody asks and the last one is too old, and every
 * event.
 */
#ifndef HA_CLI_EXPORTER_SOURCE_H
#define HA_CLI_EXPORTER_SOURCE_H

#include <stdbool.h>

#include <jansson.h>
#include <uv.h>

#include "wire/control.h"

#define SOURCE_ANSWER_MAX  (64 * 1024 * 1024) /* far above a cluster with every table full */
#define SOURCE_PATIENCE_MS 5000

struct source;

/* One connection: a request, then lines. */
struct channel {
	struct source *source;
	uv_pipe_t pipe;
	uv_connect_t connect;
	uv_write_t write;
	bool open;
	char request[CONTROL_REQUEST_MAX];
	char *buffer; /* owned; grows */
	size_t used, size, max;
};

struct source_owner {
	void *context;
	/* The status, borrowed; @line is its text. Both NULL: the daemon does not answer. */
	void (*status)(void *context, const json_t *status, const char *line);
	/* An event: a line of JSON, borrowed. */
	void (*event)(void *context, const char *line);
};

struct source {
	uv_loop_t *loop;
	const char *path; /* of the socket; static */
	struct source_owner owner;
	struct channel status, events;
	uv_timer_t patience, retry;
};

/* Follows the events from now on; @owner is copied, @socket_path borrowed. */
void source_open(struct source *s, uv_loop_t *loop, const char *socket_path,
	const struct source_owner *owner);
/* Asks for the status; the owner is told the answer, later. Nothing if it is asked for already. */
void source_ask(struct source *s);
/* Closes all handles; the loop must run once more. */
void source_close(struct source *s);

#endif
