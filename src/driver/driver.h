/* SPDX-License-Identifier: ISC */
/*
 * driver: what an engine needs to live in a process: its sockets, its timer, the watch over the
 * network devices and the channel to the keeper. It brings the engine its events and carries out
 * the effects; what is for people or programs (reports, changes of state) goes to its owner, which
 * is the daemon or the library. It decides nothing, prints nothing and ends no process.
 *
 *   driver.c     set-up, one step of the engine and its effects, what is ready
 *   transport.c  heartbeats in and out
 *   keeper.c     the channel to the keeper
 *   identity.c   this node's id and boot nonce
 *
 * All its descriptors are behind one, an epoll set, so that any event loop can wait for it.
 */
#ifndef HA_DRIVER_DRIVER_H
#define HA_DRIVER_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "engine/engine.h"
#include "sys/devices.h"
#include "wire/channel.h"
#include "wire/lease.h"

struct driver;

/* What the owner is told. None of them may call the driver back, but from `failed` it need not
 * return. */
struct driver_owner {
	void *context;
	void (*report)(void *context, const struct report *r, int64_t wall_ms);
	void (*hook)(void *context, const struct engine_hook *hook);
	/* The keeper says that a neighbour has answered for a check; it may bring events. NULL:
	 * nobody asks. */
	void (*answered)(void *context, size_t check);
	/* The answer to an ENGINE_REQUEST, and what is to be remembered over restarts. NULL, both,
	 * for an owner that brings no such event. */
	void (*answer)(void *context, const struct engine_answer *answer);
	void (*remember)(void *context, bool drained);
	/* The engine has stopped politely, or has made room for another one. */
	void (*stopped)(void *context);
	/* Something of the driver's own that its owner may want to log. */
	void (*told)(void *context, enum report_level level, const char *text);
	/* It cannot go on: the sentence says why. Nothing happens in this driver any more. */
	void (*failed)(void *context, const char *text);
};

/* Heartbeat sockets, and which devices they use now. */
struct transport {
	struct driver *driver;
	const struct conf *conf;
	int fd_v4, fd_v6; /* -1: not used */
	int fd_original;  /* likewise: where the original program speaks */
	struct ip original;
	struct {
		uint32_t interface_index; /* 0: not there */
		struct ip v4, v6;
	} paths[PATHS_MAX]; /* as conf.node.path */
};

/* Messages to the keeper wait here when it is busy; a full queue is the end. So many, and some for
 * each group and address. */
#define KEEPER_QUEUE_MIN  2048
#define KEEPER_QUEUE_EACH 4
struct keeper_message {
	enum channel_verb verb;
	uint16_t index, second;
	uint64_t number;
};

struct keeper_queue {
	struct keeper_message *list; /* owned */
	size_t size, first, count;
};

struct keeper {
	struct driver *driver;
	int fd;
	bool waits_to_write;
	/* With many groups thousands of announcements wait; what makes somebody serve, or stop to,
	 * goes before them. */
	struct keeper_queue urgent, later;
	bool *held;     /* by group: HOLD was the last word about it; owned */
	bool fenced;    /* the kernel reads the lease: without one it silences us at once */
	bool renews;    /* the keeper has to renew the fence ... */
	ha_time closes; /* ... which else closes then; TIME_NEVER: not known */
	size_t will_size;
	uint8_t will[CHANNEL_PAYLOAD_MAX]; /* as the keeper was last given it */
	struct channel_message message;    /* scratch: too large for the stack of the hot path */
};

struct driver {
	const struct conf *conf;  /* borrowed */
	struct lease_page *lease; /* borrowed */
	int record;               /* borrowed; 0: none */
	bool drained;
	struct driver_owner owner;
	struct engine *engine; /* owned */
	struct devices *devices;
	struct engine_device device_states[DEVICES_MAX];
	struct transport transport;
	struct keeper keeper;
	int poll_fd, timer_fd;
	ha_time timer_at; /* when it is set to; TIME_ORIGIN: it is not */
	bool dispatching; /* the timer is set when all is done */
	bool over;        /* it failed */
	bool adopted;     /* R8: the engine goes on with what another one has left */
	/* An effect that came back as an event: brought when the list it came from is done. */
	bool sent, send_failed;
	int send_error;
	int64_t wall_offset_ms;
	struct effects effects;
};

/* What the engine needs that the keeper gave; the pointers are borrowed for the driver's life. */
struct driver_given {
	const struct conf *conf;
	const struct heartbeat_key *key; /* for the call only */
	struct lease_page *lease;
	int channel; /* moved */
	/* R8: memory of HANDOFF_RECORD_SIZE where the engine leaves its record; 0: it is not
	 * replaced by another one. Borrowed. The first @adopt bytes are what the engine before it
	 * has left; 0: it begins afresh. */
	int record;
	size_t adopt;
	bool drained; /* as was to be remembered */
};

/**
 * driver_open - set everything up; nothing is sent yet
 * @d: zeroed memory of the caller, which must not move
 *
 * Return: true. False if something is missing: then the owner's `failed` was told.
 */
bool driver_open(
	struct driver *d, const struct driver_given *given, const struct driver_owner *owner);
/* The first step of the engine, and the state of each device. */
void driver_start(struct driver *d);
/* Closes everything, whatever state it is in; the keeper then takes the addresses down. */
void driver_close(struct driver *d);

/* Readable when driver_dispatch() has something to do. */
int driver_descriptor(const struct driver *d);
/* Does what is due; never blocks. */
void driver_dispatch(struct driver *d);

/* Brings one event to the engine and carries out what it answers. */
void driver_event(struct driver *d, const struct engine_event *event);
/* Tells its owner something, as if the engine had reported it now. */
void driver_report(struct driver *d, const struct report *r);
/* Has the keeper ask the neighbours of a check. */
void driver_ask(struct driver *d, size_t check);
/* A snapshot; `version` and `scheduling` are left empty. */
void driver_status(struct driver *d, struct status *ret_status);
/* In parts: engine_status_begin(), engine_status_group(). */
void driver_status_begin(struct driver *d, struct status *s);
void driver_status_group(struct driver *d, size_t group, struct status *s);

/* --- of its parts among themselves */

/* Ends the driver: keeps the sentence from being told twice. */
__attribute__((format(printf, 2, 3))) void driver_fail(struct driver *d, const char *format, ...);
__attribute__((format(printf, 3, 4))) void driver_tell(
	struct driver *d, enum report_level level, const char *format, ...);

enum driver_source {
	SOURCE_TIMER,
	SOURCE_DEVICES,
	SOURCE_UDP_V4,
	SOURCE_UDP_V6,
	SOURCE_ORIGINAL,
	SOURCE_KEEPER,
};
/* Adds a descriptor to those waited for, for reading. */
bool driver_watch(struct driver *d, int fd, enum driver_source source);

/* False, after driver_fail(), if a socket cannot be opened. */
bool transport_open(struct transport *t, struct driver *d, const struct conf *conf);
void transport_close(struct transport *t);
/* A device changed: join the multicast group on it, send by it. */
void transport_device(struct transport *t, const struct engine_device *device);
/* To the multicast group on each path and to each configured peer. 0 if any left, else the errno.
 */
int transport_send(struct transport *t, const uint8_t *bytes, size_t size);
/* As the original program does. */
void transport_send_original(struct transport *t);
void transport_send_to(struct transport *t, const struct ip *to, const uint8_t *bytes, size_t size);
/* Reads what has arrived, so that nobody is judged while its heartbeat waits to be read (R10). */
void transport_drain(struct transport *t);

/* @fd: our end of the channel, moved. False, after driver_fail(), if it cannot be used. */
bool keeper_open(struct keeper *k, struct driver *d, int fd);
void keeper_close(struct keeper *k);
void keeper_send(struct keeper *k, const struct effect *effect);
void keeper_receive(struct keeper *k);
void keeper_flush(struct keeper *k);
bool keeper_has_more(const struct keeper *k);
/* One that hangs is as good as dead when the fence that it renews has closed. */
ha_time keeper_deadline(const struct keeper *k);
void keeper_check(struct keeper *k);

/* The stable id from the node's name, the machine's id and the first interface's hardware address
 * (NULL if it does not exist yet); and a nonce from the kernel, 0 if it gives none. */
struct engine_identity identity_make(const char *name, const uint8_t *mac);

#endif
