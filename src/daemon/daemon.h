/* SPDX-License-Identifier: ISC */
/*
 * daemon: had, the engine's process. It has no privileges: the keeper started it with everything it
 * needs already open (wire/handoff.h). This folder carries out the engine's effects and brings it
 * the events; it decides nothing.
 *
 *   main.c       set-up, the loop, one step of the engine and its effects
 *   transport.c  heartbeats in and out
 *   keeper.c     the channel to the keeper
 *   control.c    status and watch over the control socket
 *   hooks.c      commands run on changes of state
 *   handoff.c    what the keeper handed over
 *   confine.c    the system calls that are left
 *   identity.c   this node's id and boot nonce
 */
#ifndef HA_DAEMON_DAEMON_H
#define HA_DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "conf/conf.h"
#include "engine/engine.h"
#include "sys/devices.h"
#include "wire/lease.h"

struct daemon;

/* Brings one event to the engine and carries out what it answers. */
void daemon_event(struct daemon *d, const struct engine_event *event);
/* A snapshot for the control socket; borrowed until the next call. */
const struct status *daemon_status(struct daemon *d);
/* The keeper died, and with it the only one who can take the addresses down. Ends the process,
 * after closing the fence and saying so to the others, if there is one. */
_Noreturn void daemon_keeper_gone(struct daemon *d);
/* Logs why and ends the process; the keeper then takes the addresses down. */
_Noreturn __attribute__((format(printf, 1, 2))) void daemon_fail(const char *format, ...);

/* Heartbeat sockets, and which devices they use now. */
struct transport {
	struct daemon *daemon;
	const struct conf *conf;
	int fd_v4, fd_v6; /* -1: not used */
	uv_poll_t poll_v4, poll_v6;
	struct {
		uint32_t interface_index; /* 0: not there */
		struct ip v4, v6;
	} paths[PATHS_MAX]; /* as conf.node.path */
};

void transport_open(
	struct transport *t, struct daemon *d, const struct conf *conf, uv_loop_t *loop);
/* A device changed: join the multicast group on it, send by it. */
void transport_device(struct transport *t, const struct engine_device *device);
/* To the multicast group on each path and to each configured peer. 0 if any left, else the errno.
 */
int transport_send(struct transport *t, const uint8_t *bytes, size_t size);
void transport_send_to(struct transport *t, const struct ip *to, const uint8_t *bytes, size_t size);
/* Reads what has arrived, so that nobody is judged while its heartbeat waits to be read (R10). */
void transport_drain(struct transport *t);

/* Messages to the keeper wait here when it is busy; a full queue ends the process. */
#define KEEPER_QUEUE_MAX 2048
struct keeper_message {
	enum channel_verb verb;
	uint16_t index, second;
	uint64_t number;
};

struct keeper {
	struct daemon *daemon;
	int fd;
	uv_poll_t poll;
	struct keeper_message queue[KEEPER_QUEUE_MAX];
	size_t first, count;
	bool fenced; /* the kernel keeps us from serving without a lease */
	size_t will_size;
	uint8_t will[CHANNEL_PAYLOAD_MAX]; /* as the keeper was last given it */
};

void keeper_open(struct keeper *k, struct daemon *d, int fd, uv_loop_t *loop);
void keeper_send(struct keeper *k, const struct effect *effect);

/* Gives up the system calls that are not needed any more. */
void confine_engine(const struct conf *conf);

struct control;

/* Serves the listening socket @fd. Owned by the process. */
struct control *control_open(struct daemon *d, int fd, uv_loop_t *loop);
/* Tells everybody who watches. */
void control_report(struct control *c, const struct report *r, int64_t wall_ms);

struct hooks;

struct hooks *hooks_open(const struct conf *conf, uv_loop_t *loop);
void hooks_run(struct hooks *h, const struct engine_hook *hook);
/* Whether no command runs or waits. */
bool hooks_are_idle(const struct hooks *h);
/* The node stops: commands for its last changes may still run for a moment, and are killed then, so
 * that none stays behind. Calling it again changes nothing. */
void hooks_finish(struct hooks *h);

/* What the keeper handed over: parsed, mapped, checked; ends the process if anything is missing. */
struct handoff_values {
	struct conf *conf; /* owned */
	struct heartbeat_key key;
	struct lease_page *lease;
};
void handoff_take(struct handoff_values *ret_values);

/* The stable id from the node's name, the machine's id and the first interface's hardware address
 * (NULL if it does not exist yet); and a nonce from the kernel. */
struct engine_identity identity_make(const char *name, const uint8_t *mac);

#endif
