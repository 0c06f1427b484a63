/* SPDX-License-Identifier: ISC */
/*
 * control: the control socket. control.c takes clients and their requests, client.c sends them
 * lines, slices.c makes what is told bit by bit.
 */
#ifndef HA_DAEMON_CONTROL_H
#define HA_DAEMON_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <uv.h>

#include "driver/driver.h"
#include "wire/control.h"

struct attach;
struct control;
struct daemon_checks;

/* Serves the listening socket @fd. Owned by the process. */
struct control *control_open(struct driver *driver, struct attach *attach,
	struct daemon_checks *checks, int fd, uv_loop_t *loop);
/* To whoever asked, if he still waits. */
void control_answer(struct control *c, const struct engine_answer *answer);
/* Tells everybody who watches. */
void control_report(struct control *c, const struct report *r, int64_t wall_ms);
/* Tells them at once what they are still to be told: the process ends. */
void control_finish(struct control *c);

/* --- of its parts among themselves */

#define CLIENTS_MAX 16

struct client {
	uv_pipe_t pipe;
	struct control *control;
	bool used, watching, attached, closing;
	struct answer *answer; /* being made; NULL: none */
	uint64_t watch_from;   /* number of the first event that it is told */
	uint32_t token;        /* of the request that it waits for; 0: none */
	char request[CONTROL_REQUEST_MAX];
	size_t request_size;
};

/* An event that watchers are still to be told. */
struct event {
	struct report report;
	int64_t wall_ms;
};

struct control {
	struct driver *driver;
	struct attach *attach;
	struct daemon_checks *checks;
	/* The one at `event_first` has the number `told`. They wait, because ten thousand groups
	 * may change at once, and are told bit by bit, as answers are made. Owned. */
	struct event *events;
	size_t event_first, event_count, event_size;
	uint64_t told;
	uv_pipe_t listener;
	uv_timer_t work; /* runs while there is something to tell */
	uint32_t tokens; /* given out */
	bool one_waits;  /* all clients are in use; the next is accepted when one has gone */
	void (*accept)(struct control *control);
	struct client clients[CLIENTS_MAX];
};

/* client.c */
void client_close(struct client *c);
/* Sends @text of @size, which it owns; NULL: memory ran out. @last: then closes. */
void client_send(struct client *c, char *text, size_t size, bool last);
/* Sends @json (consumed) and a newline; @last: then closes. */
void client_send_json(struct client *c, json_t *json, bool last);

/* slices.c */
/* Begins to tell it the status; @cluster: that of all nodes. */
void slices_answer(struct client *c, bool cluster);
/* It watches from now on: not what has happened and is not told yet. */
void slices_watch(struct client *c);
/* Tells watchers so many of the events that wait. */
void slices_tell_events(struct control *control, size_t count);

#endif
