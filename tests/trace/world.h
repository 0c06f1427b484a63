/* SPDX-License-Identifier: ISC */
/*
 * world: a LAN of several nodes in one process, on a virtual clock. Each node is the real engine
 * (core, wire, conf, engine); what is around it is a model: the network with its delay and its
 * cuts, the keeper that configures addresses and watches the lease, the network devices, the
 * neighbours that answer probes. Nothing here is random: the same commands give the same story.
 *
 * lan.c carries datagrams; node.c is a host with its keeper; schedule.c is time; check.c looks
 * after every step whether a promise was broken; story.c reads and compares stories.
 */
#ifndef HA_TESTS_TRACE_WORLD_H
#define HA_TESTS_TRACE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "conf/conf.h"
#include "engine/engine.h"
#include "wire/heartbeat.h"

#define WORLD_NODES_MAX    6
#define WORLD_EVENTS_MAX   4096
#define WORLD_MEMORIES_MAX 8
#define WORLD_OUTPUT_SIZE  (256 * 1024)

/* The model's own times: round, so that a story can be followed by counting. */
#define KEEPER_TAKES_NS (1 * NS_PER_MS)
#define LAN_DELAY_NS    (1 * NS_PER_MS)

enum cut { CUT_NOTHING = 0, CUT_MULTICAST = 1, CUT_UNICAST = 2, CUT_ALL = 3 };

struct datagram {
	size_t size;
	int hop_limit;
	struct ip source;
	uint8_t bytes[HEARTBEAT_SIZE_MAX];
};

enum happening_kind {
	HAPPENS_DATAGRAM, /* reaches a node's socket */
	HAPPENS_MESSAGE,  /* the keeper's message reaches the engine */
	HAPPENS_HELD,     /* the keeper has brought a group up, or could not */
	HAPPENS_RELEASED, /* it has taken it down */
	HAPPENS_WILL,     /* it has cleaned up after a dead engine and sends the will */
};

/* Something that will happen to one node. */
struct happening {
	enum happening_kind kind;
	ha_time at;
	uint64_t order; /* of two at one time, the one that was planned first */
	size_t node;
	uint64_t boot; /* of the node when it was planned: a later one is not concerned */
	struct channel_message message;
	struct datagram datagram;
};

/* What the keeper of one node knows of one group. */
struct held {
	bool asked; /* the engine's last word was HOLD */
	bool up;
	bool refuses;    /* HOLD fails */
	bool missing;    /* somebody else removed an address */
	ha_time down_at; /* when it was last taken down */
	uint64_t epoch;
	uint64_t last_epoch; /* of the last HOLD of this boot */
};

struct node {
	char name[NAME_SIZE];
	struct conf conf;
	struct heartbeat_key key;
	void *memory;
	struct engine *engine;
	uint64_t boot; /* counts starts and crashes */
	bool running;  /* the engine's process lives */
	bool stopped;  /* it ended by itself */
	bool cannot_send;
	ha_time stalled_until;
	ha_time awake_since; /* of its last start or stall */
	struct engine_device devices[DEVICES_MAX];
	struct held held[GROUPS_MAX];
	ha_time keeper_busy_until;
	ha_time lease;
	ha_time last_sent;
	struct datagram last, will;
	/* An effect that comes back as an event when the list is done. */
	bool sent, send_failed;
};

struct memory {
	char name[NAME_SIZE];
	struct datagram datagram;
};

struct world {
	ha_time now;
	uint64_t order;
	int64_t delay_ns;
	size_t node_count;
	struct node nodes[WORLD_NODES_MAX];
	uint8_t cuts[WORLD_NODES_MAX][WORLD_NODES_MAX];   /* from, to: enum cut */
	ha_time joined[WORLD_NODES_MAX][WORLD_NODES_MAX]; /* since when nothing is cut */
	bool duplicates;
	bool shows_announcements;
	struct ip stranger; /* the address that a host outside the cluster uses; IP_NONE: none */
	size_t memory_count;
	struct memory memories[WORLD_MEMORIES_MAX];
	size_t happening_count;
	struct happening *happenings;
	char serving[GROUPS_MAX][256]; /* as last told */
	struct effects effects;
	struct heartbeat heartbeat; /* scratch */
	struct text output;
	char output_bytes[WORLD_OUTPUT_SIZE];
	size_t violations;
	struct {
		/* Of two nodes that serve one group; TIME_NEVER: they do not. */
		ha_time both_since[WORLD_NODES_MAX][WORLD_NODES_MAX][GROUPS_MAX];
	} check;
};

/* The story begins at this instant, not at 0, so that a time that was never set shows. */
#define WORLD_BEGINNING ((ha_time){3600 * NS_PER_S})

/* A world without nodes; owned by the caller, freed by world_free(). NULL if memory ran out. */
struct world *world_new(void);
void world_free(struct world *w);

/* One line of the story, with the time. */
__attribute__((format(printf, 2, 3))) void world_tell(struct world *w, const char *format, ...);
/* Tells whoever serves each group, if that has changed. */
void world_tell_serving(struct world *w);
/* Who serves @group now: "alpha", "alpha and beta", "nobody". */
void world_serving(const struct world *w, size_t group, char *buffer, size_t size);

/* schedule.c */
struct happening *schedule(
	struct world *w, enum happening_kind kind, const struct node *n, ha_time at);
void schedule_run(struct world *w, int64_t duration_ns);

/* lan.c */
/* Whether what @from sends reaches @to now; @kind is CUT_MULTICAST or CUT_UNICAST. */
bool lan_connects(
	const struct world *w, const struct node *from, const struct node *to, enum cut kind);
void lan_cut(struct world *w, const struct node *from, const struct node *to, enum cut what);
void lan_multicast(struct world *w, struct node *from, const struct datagram *d);
void lan_unicast(struct world *w, struct node *from, const struct ip *to, const struct datagram *d);
void lan_deliver(struct world *w, const struct node *to, const struct datagram *d);

/* node.c */
size_t node_index(const struct world *w, const struct node *n);
struct node *node_find(struct world *w, const char *name);
/* Adds a node with the configuration @text, "eth0" with @address and a key of @secret. False, with
 * the first diagnostic told, if the text is wrong. */
bool node_add(struct world *w, const char *name, const char *text, const char *address,
	const char *secret);
void node_start(struct world *w, struct node *n);
void node_stop(struct world *w, struct node *n);  /* politely */
void node_kill(struct world *w, struct node *n);  /* the engine's process; the keeper lives */
void node_crash(struct world *w, struct node *n); /* the whole host */
void node_stall(struct world *w, struct node *n, int64_t duration_ns);
bool node_is_awake(const struct world *w, const struct node *n);
void node_device(struct world *w, struct node *n, size_t device);
void node_remove_address(struct world *w, struct node *n, size_t address);
/* Carries out what is due for it. */
void node_happens(struct world *w, struct node *n, const struct happening *h);
void node_timer(struct world *w, struct node *n);
/* When its engine or its keeper's watchdog wants to be called. */
ha_time node_deadline(const struct world *w, const struct node *n);
ha_time node_watchdog_deadline(const struct node *n);
void node_watchdog(struct world *w, struct node *n);
bool node_serves(const struct node *n, size_t group);
struct ip node_address(const struct node *n);

/* check.c: each tells a line that begins with VIOLATION, which no story may contain. */
void check_step(struct world *w, const struct node *n);
void check_sent(struct world *w, const struct node *n, const struct datagram *d);
void check_lease(struct world *w, const struct node *n, ha_time lease);
void check_report(struct world *w, const struct node *n, const struct report *r);
void check_keeper(struct world *w, const struct node *n, enum channel_verb verb, size_t index,
	uint64_t number);
__attribute__((format(printf, 2, 3))) void check_violated(struct world *w, const char *format, ...);

/* command.c: carries out one command of a story, split at blanks. False if it makes no sense. */
#define COMMAND_WORDS_MAX 32
bool command_run(struct world *w, char **words, size_t count);

/**
 * story_run - run a story and compare it line by line
 * @file:  its name, for messages
 * @text:  its text; taken apart
 * @write: print the story as it really goes instead of comparing
 *
 * Return: whether every line was as expected and no promise was broken.
 */
bool story_run(const char *file, char *text, bool write);

#endif
