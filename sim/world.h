/* SPDX-License-Identifier: ISC */
/*
 * world: a LAN of several nodes in one process, on a virtual clock. Each node is the real engine
 * (core, wire, conf, engine); what is around it is a model: the network with its delay, its losses
 * and its cuts, the keeper that configures addresses and watches the lease, the network devices,
 * the neighbours that answer, the clients with their neighbour caches. The same commands and the
 * same seed give the same story: the stories of tests/trace and the simulator share this world.
 *
 * lan.c carries datagrams and frames; frames.c is ARP and neighbour discovery; node.c is a host and
 * its engine; keeper.c its keeper, with the real custody; kernel.c what its kernel has of the
 * groups; client.c those who use the addresses; schedule.c is time; command.c and commands/ what
 * can be done to a world, in words; invariants.h what must be true after every step.
 */
#ifndef HA_SIM_WORLD_H
#define HA_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "conf/conf.h"
#include "custody/custody.h"
#include "custody/restarts.h"
#include "engine/engine.h"
#include "sim/random.h"
#include "wire/heartbeat.h"

#define WORLD_NODES_MAX          NODES_MAX
#define WORLD_GROUPS_MAX         60
#define WORLD_ADDRESSES_MAX      256
#define WORLD_CLIENTS_MAX        8
#define WORLD_PORTS_MAX          (WORLD_NODES_MAX + WORLD_CLIENTS_MAX)
#define WORLD_EVENTS_MAX         (1u << 20)
#define WORLD_STEPS_NOW_MAX      100000u
#define WORLD_MEMORIES_MAX       64
#define WORLD_CONFIGURATIONS_MAX 16
#define CONFIGURATION_SIZE       6144
#define WORLD_SERVING_SIZE       256
#define WORLD_VIOLATION_MAX      512

/* The model's own times: round, so that a story can be followed by counting. */
#define KEEPER_TAKES_NS (1 * NS_PER_MS)
#define LAN_DELAY_NS    (1 * NS_PER_MS)

/* Heartbeats by multicast, heartbeats by unicast, ARP frames. */
enum cut {
	CUT_NOTHING = 0,
	CUT_MULTICAST = 1,
	CUT_DATAGRAMS = 2,
	CUT_HEARTBEATS = CUT_MULTICAST | CUT_DATAGRAMS,
	CUT_FRAMES = 4,
	CUT_UNICAST = CUT_DATAGRAMS | CUT_FRAMES,
	CUT_ALL = 7
};

struct datagram {
	size_t size;
	int hop_limit;
	struct ip source;
	uint8_t bytes[HEARTBEAT_SIZE_MAX];
};

/* A datagram on its way to several ports, and what it says. */
struct packet {
	unsigned references;
	struct packet *next_free;
	size_t from;   /* index of the node that sent it */
	uint64_t boot; /* of that node */
	ha_time sent;
	bool readable; /* `says` is what it says; else it was recorded or forged */
	struct datagram datagram;
	struct heartbeat says;
};

/* An ARP frame, or one of neighbour discovery, as far as anybody looks at it. */
enum frame_kind {
	/* Request and reply about the sender itself, or an unsolicited advertisement with the
	 * override flag; to all. */
	FRAME_ANNOUNCEMENT,
	FRAME_REQUEST, /* who has `target`, tell `sender`; to all */
	FRAME_PROBE,   /* who has `target`, sender unspecified; to all */
	FRAME_REPLY,   /* `sender` is at `mac`; to one. Solicited, with the override flag */
};

struct frame {
	enum frame_kind kind;
	size_t from; /* port */
	uint8_t mac[MAC_SIZE];
	bool router; /* the flag of an advertisement */
	struct ip sender, target;
};

/* What the keeper says to its engine. */
struct note {
	enum channel_verb verb;
	uint16_t index, second;
	uint64_t number;
	struct frame frame; /* of CHANNEL_FRAME; its target is that of CHANNEL_TARGET */
};

enum happening_kind {
	HAPPENS_DATAGRAM,  /* reaches a node's socket */
	HAPPENS_NOTE,      /* the keeper's message reaches the engine */
	HAPPENS_TOLD,      /* the keeper, which was frozen, reads a message of the engine */
	HAPPENS_WORK,      /* it has done the next part of its work */
	HAPPENS_JOINED,    /* it sees that the IPv6 addresses of a group answer */
	HAPPENS_GONE,      /* it sees that the engine has ended */
	HAPPENS_LOOK,      /* it looks at what is there of its addresses */
	HAPPENS_ORPHANED,  /* the engine sees that the keeper has ended */
	HAPPENS_MORTAL,    /* the lifetimes of addresses end that no keeper renews */
	HAPPENS_UNFENCED,  /* ... or that it does not renew a fence that has closed */
	HAPPENS_SENT,      /* sending has taken its time */
	HAPPENS_DEVICE,    /* the kernel's notice of a device reaches the engine */
	HAPPENS_HEALTH,    /* the checks' verdict reaches it */
	HAPPENS_PREPARED,  /* what was to be done before a claim is done, or refused */
	HAPPENS_FRAME,     /* reaches a port */
	HAPPENS_USE,       /* a client uses the addresses */
	HAPPENS_RESTART,   /* its keeper starts a fresh engine */
	HAPPENS_SUCCESSOR, /* another keeper takes the place of one that has made room */
	HAPPENS_ENGINE,    /* its engine begins */
};

/* Something that will happen at one port. */
struct happening {
	enum happening_kind kind;
	size_t port;
	uint64_t boot; /* of the node when it was planned: a later one is not concerned */
	union {
		struct packet *packet;
		struct note note;
		struct frame frame;
	};
};

/* Of what will happen, when, and where the rest of it stands. */
struct due {
	ha_time at;
	uint64_t order; /* of two at one time, the one that was planned first */
	size_t slot;
};

/* What one node's kernel has of one group, and what became of it. */
struct held {
	bool asked; /* the engine's last word was HOLD */
	bool up;
	bool refuses;     /* it cannot be configured */
	bool missing;     /* somebody else removed an address */
	bool expired;     /* its last release was because the lease had passed */
	ha_time asked_at; /* when the engine last asked to hold it */
	ha_time up_at;    /* when it was last brought up */
	ha_time down_at;  /* when it was last taken down */
	uint64_t epoch;
	uint64_t last_epoch; /* of the last HOLD of this boot */
};

/* A node's clock: how its own time follows the world's. */
struct clock {
	ha_time world, own; /* at this instant of the world it showed that */
	int64_t ppm;        /* how much faster it goes */
};

/* One engine of a node after the other (R8). */
struct succession {
	bool paused;       /* the one has gone, the keeper waits for the next one */
	bool good;         /* that one is there, and has come in time */
	bool takes_up;     /* the next engine says what it goes on with */
	int64_t gap_ns;    /* how long that one takes to come */
	ha_time engine_at; /* when it does; until then its keeper's words wait in the channel */
	size_t changes;    /* a group of the next one has this worth; WORLD_GROUPS_MAX: none */
	uint16_t worth;
	size_t size;
	uint8_t *record;              /* owned */
	bool asked;                   /* the engine is to make room */
	bool has_next;                /* it begins with `next` */
	struct conf next;             /* owned */
	bool grows[WORLD_GROUPS_MAX]; /* ... in which a group has an address more */
};

/* The process that holds on behalf of an engine: the real custody, and what it needs to act. */
struct keeper {
	bool runs;       /* its process lives */
	bool works;      /* the next part of its work is planned */
	unsigned unread; /* messages of the engine that wait for it */
	bool restarting; /* a fresh engine is to come */
	struct restarts restarts;
	struct custody custody;
	struct custody_group groups[WORLD_GROUPS_MAX];
	bool told_removed[WORLD_ADDRESSES_MAX];
	ha_time watchdog; /* by the node's own clock */
	struct datagram will;
	/* What it has left to the next one (R8). */
	ha_time saved, lease;
	bool left[WORLD_GROUPS_MAX];
};

struct node {
	char name[NAME_SIZE];
	struct conf conf;
	struct heartbeat_key key;
	void *memory;
	struct engine *engine;
	struct engine_identity identity; /* of this boot */
	uint64_t boot;                   /* counts starts and crashes */
	uint64_t died;                   /* the last one that was killed */
	bool running;                    /* the engine's process lives */
	bool told_to_stop;
	bool tells_changes;       /* as a node with many groups does */
	bool drained;             /* remembered over restarts */
	bool yielded[GROUPS_MAX]; /* as it last said */
	bool disturbed;           /* something was done to its devices, addresses or keeper */
	bool dying;               /* its keeper still has to clean up */
	bool start_next;          /* to be started when it has */
	bool restarts;            /* its keeper starts a fresh engine when one has crashed */
	struct succession succession;
	bool cannot_send;
	bool forwards; /* it is a router, which its advertisements say */
	enum channel_fence
		fence; /* what its kernel has, and what no keeper renews is silent from ... */
	ha_time fence_until, fence_missed; /* ... on; its engine sees it from then on, by its own
					      clock */
	bool mortal;                       /* what is up has a lifetime that nobody renews ... */
	ha_time mortal_until; /* ... in the world's time; an earlier one does not count any more */
	struct clock clock;
	ha_time deadline; /* the engine's, in the world's time */
	int64_t late_ns;  /* its timers come late by up to this */
	/* Frozen until then; in the world's time. */
	ha_time stalled_until, stalled_since; /* the engine */
	ha_time keeper_stalled_until;
	ha_time host_stalled_until; /* the whole host: nothing answers for it */
	ha_time awake_since;        /* of its last start or stall */
	struct engine_device devices[DEVICES_MAX];
	struct engine_health health[WORLD_GROUPS_MAX];
	int64_t prepare_ns;                       /* how long before-active takes */
	bool vetoes;                              /* and says no */
	bool said_yes[WORLD_GROUPS_MAX];          /* since the last claim of the group */
	ha_time prepares_since[WORLD_GROUPS_MAX]; /* when that was last asked */
	struct held held[WORLD_GROUPS_MAX];
	size_t up_count; /* groups that are up */
	struct keeper keeper;
	ha_time lease, last_sent;    /* in its own time */
	int64_t announced_ns;        /* the tolerance of its last heartbeat */
	int64_t usual_ns, margin_ns; /* as it was configured then */
	uint64_t announced_sequence; /* since which one */
	ha_time last_sent_world;
	struct packet *last;
	/* Its sequence numbers of one to two tolerances ago and since: what an echo must reach. */
	uint64_t sequence_recent, sequence_newer;
	ha_time sequence_rotated;
	struct datagram
		own_will; /* the engine's last one, which its keeper may not have read yet */
	/* An effect that comes back as an event when the list is done. */
	bool sent, send_failed;
};

/* What a client believes of one address, as Linux does. */
struct neighbour {
	bool known;
	bool router; /* by its last advertisement */
	uint8_t mac[MAC_SIZE];
	ha_time updated;   /* when it took this hardware address */
	ha_time confirmed; /* when it last answered */
	ha_time asked;     /* when it last asked for it */
};

struct client {
	char name[NAME_SIZE];
	struct ip address, address_v6;
	uint8_t mac[MAC_SIZE];
	int64_t period_ns; /* between two uses */
	struct neighbour neighbours[WORLD_ADDRESSES_MAX];
};

struct memory {
	char name[NAME_SIZE];
	size_t from;
	uint64_t boot;
	ha_time sent;
	struct datagram datagram;
};

/* An address that some node is configured with, and its group. */
struct shared {
	struct ip ip;
	size_t group;
};

/* A configuration that a node may be told to reload. */
struct configuration {
	char name[NAME_SIZE];
	char text[CONFIGURATION_SIZE];
};

struct tally;
struct checks;

struct world {
	ha_time now;
	uint64_t order;
	/* The network. */
	int64_t delay_ns, jitter_ns;
	unsigned loss_permille, duplicate_permille;
	ha_time lossless_since;
	uint8_t cuts[WORLD_PORTS_MAX][WORLD_PORTS_MAX];   /* from, to: enum cut */
	ha_time joined[WORLD_PORTS_MAX][WORLD_PORTS_MAX]; /* since when nothing is cut */
	struct ip stranger; /* the address that a host outside the cluster uses; IP_NONE: none */
	struct random random;
	size_t node_count;
	struct node nodes[WORLD_NODES_MAX];
	size_t client_count;
	struct client clients[WORLD_CLIENTS_MAX];
	size_t group_count, shared_count; /* of all nodes */
	char group_names[WORLD_GROUPS_MAX][NAME_SIZE];
	struct shared shared[WORLD_ADDRESSES_MAX];
	size_t configuration_count;
	struct configuration configurations[WORLD_CONFIGURATIONS_MAX];
	size_t memory_count;
	struct memory memories[WORLD_MEMORIES_MAX];
	/* What will happen, and when: a binary heap, behind which the free slots stand. */
	size_t happening_count, happening_room;
	struct due *dues;
	struct happening *happenings; /* by slot */
	struct packet *free_packets;
	char serving[WORLD_GROUPS_MAX][WORLD_SERVING_SIZE]; /* as last told */
	struct effects effects;
	struct custody_effect custody_list[WORLD_GROUPS_MAX + 8];
	struct heartbeat heartbeat; /* scratch */
	/* Who is told the story; NULL: nobody. */
	void (*tell)(void *context, const char *line);
	void *tell_context;
	void (*quiet_tell)(void *context, const char *line); /* during `quietly` */
	void *quiet_context;
	bool shows_announcements;
	bool shows_steps;
	ha_time last_missed; /* when a client last did not reach a holder */
	size_t violations;
	char violation[WORLD_VIOLATION_MAX]; /* the first one */
	bool stops_at_violation;
	bool stops;          /* no time passes any more */
	unsigned steps_now;  /* at this instant */
	uint64_t steps;      /* of engines */
	struct tally *tally; /* owned by the caller; NULL: nobody counts */
	struct checks *checks;
};

/* The story begins at this instant, not at 0, so that a time that was never set shows. */
#define WORLD_BEGINNING ((ha_time){3600 * NS_PER_S})

/* A world without nodes; owned by the caller, freed by world_free(). NULL if memory ran out. */
struct world *world_new(void);
void world_free(struct world *w);

/* One line of the story, with the time. */
__attribute__((format(printf, 2, 3))) void world_tell(struct world *w, const char *format, ...);
/* Some node is configured like this. */
void world_learn(struct world *w, const struct conf *conf);
/* Tells whoever serves each group, if that has changed. */
void world_tell_serving(struct world *w);
/* Who serves @group now: "alpha", "alpha and beta", "nobody". */
void world_serving(const struct world *w, size_t group, char *buffer, size_t size);

/* schedule.c */
struct happening *schedule_prepare(struct happening *h, enum happening_kind kind);
/* Plans *@h for @port at @at. What it refers to is moved. */
void schedule(struct world *w, const struct happening *h, size_t port, ha_time at);
void schedule_run(struct world *w, int64_t duration_ns);
void schedule_clear(struct world *w);

/* lan.c */
/* Whether what @from sends reaches @to now, both ports; @kind is one kind. */
bool lan_connects(const struct world *w, size_t from, size_t to, enum cut kind);
/* Both ways, by multicast and by unicast, and since when. */
bool lan_is_whole(const struct world *w, size_t a, size_t b, ha_time *ret_since);
/* The same of ARP frames alone. */
bool lan_carries_frames(const struct world *w, size_t a, size_t b, ha_time *ret_since);
/* Whom @n can speak to has to meet it again. */
void lan_joins(struct world *w, const struct node *n);
void lan_cut(struct world *w, size_t from, size_t to, enum cut what);
struct packet *lan_packet(struct world *w, const struct node *from, const struct datagram *d);
/* Sets what it says, for those who know everything. */
enum heartbeat_drop lan_read_packet(struct packet *p, const struct node *from);
void lan_drop_packet(struct world *w, struct packet *p);
void lan_multicast(struct world *w, struct node *from, struct packet *p);
void lan_unicast(struct world *w, struct node *from, const struct ip *to, struct packet *p);
void lan_deliver(struct world *w, const struct node *to, struct packet *p);
void lan_frame_to_all(struct world *w, const struct frame *f);
void lan_frame_to(struct world *w, size_t port, const struct frame *f);
size_t lan_port_count(const struct world *w);
/* The port of the client or node called @name, or WORLD_PORTS_MAX. */
size_t lan_find_port(const struct world *w, const char *name);
const char *lan_port_name(const struct world *w, size_t port);

/* node.c */
size_t node_index(const struct world *w, const struct node *n);
struct node *node_find(struct world *w, const char *name);
/* Adds a node with the configuration @text, "eth0" with @address and a key of @secret. False, with
 * the first diagnostic told, if the text is wrong. */
bool node_add(struct world *w, const char *name, const char *text, const char *address,
	const char *secret);
/* That of the family of its heartbeats. */
struct ip node_own_address(const struct node *n, const struct engine_device *d);
/* An address, or "none". */
bool node_set_address(const struct node *n, struct engine_device *d, const char *address);
struct ip node_address(const struct node *n);
const uint8_t *node_mac(const struct node *n);
/* Its engine runs and is not stalled. */
bool node_is_awake(const struct world *w, const struct node *n);
/* Whether the group is up and can be reached; whether that address is. */
bool node_serves(const struct world *w, const struct node *n, size_t group);
bool node_serves_address(const struct world *w, const struct node *n, const struct ip *address);

/* clock.c: what its own clock shows, and when that will show something. */
ha_time node_clock(const struct node *n, ha_time world);
ha_time node_world_time(const struct node *n, ha_time own);
void node_set_clock(struct world *w, struct node *n, int64_t ppm);

/* life.c */
void node_start(struct world *w, struct node *n);
/* reload.c: the same with another configuration. False, with the first diagnostic told, if it is
 * wrong. */
bool node_reload(
	struct world *w, struct node *n, const char *text, int64_t gap_ns, int64_t patience_ns);
void reload_forget(struct node *n);
/* The next keeper and engine are about to begin with it. */
void reload_take(struct world *w, struct node *n);
/* Begins with a fresh nonce, or goes on with the record. */
void node_begin(struct world *w, struct node *n);
void node_restart(struct world *w, struct node *n); /* the engine; its keeper has lived on */
void node_stop(struct world *w, struct node *n);    /* politely */
void node_kill(struct world *w, struct node *n);    /* the engine's process; the keeper lives */
void node_orphan(
	struct world *w, struct node *n); /* the keeper's; the engine ends when it sees it */
void node_sees_orphaned(struct world *w, struct node *n);
/* Its keeper may hang. */
void node_sees_unfenced(struct world *w, struct node *n);
void node_crash(struct world *w, struct node *n); /* the whole host */
void node_stall(struct world *w, struct node *n, int64_t duration_ns);
void node_stall_keeper(struct world *w, struct node *n, int64_t duration_ns);
void node_stall_host(struct world *w, struct node *n, int64_t duration_ns);
/* The whole host with its clock, as a hypervisor does. */
void node_pause(struct world *w, struct node *n, int64_t duration_ns);

/* successor.c: R8. Another engine shall take its place, @gap_ns after it has made room. */
void node_replace(struct world *w, struct node *n, int64_t gap_ns, int64_t patience_ns);
void node_has_paused(struct world *w, struct node *n);
void node_succeed(struct world *w, struct node *n);         /* the keeper */
void node_engine_succeeds(struct world *w, struct node *n); /* its engine */

/* events.c */
void node_request(struct world *w, struct node *n, const struct control_request *asked);
void node_device(struct world *w, struct node *n, size_t device);
void node_hear_device(struct world *w, struct node *n, size_t device);
void node_prepared(struct world *w, struct node *n, size_t group, uint32_t run);
/* What checks make of a group has changed. */
void node_health(struct world *w, struct node *n, size_t group);
void node_hear(struct world *w, struct node *n, const struct packet *p);
void node_hear_keeper(struct world *w, struct node *n, const struct note *note);
/* When its engine wants to be called, in the world's time. */
ha_time node_deadline(const struct node *n);
void node_timer(struct world *w, struct node *n);
/* A frame on the wire reaches its kernel. */
void node_frame(struct world *w, struct node *n, const struct frame *f);

/* engine.c */
/* Carries out the effects of @event too, and what comes back of them. */
void node_step(struct world *w, struct node *n, const struct engine_event *event);
/* When its engine wants to be called next, after its clock has changed. */
void node_plan_timer(struct world *w, struct node *n);
/* A sending that hung is over. */
void node_has_sent(struct world *w, struct node *n);

/* keeper.c */
/* A keeper begins: nothing is held. */
void keeper_start(struct world *w, struct node *n);
/* Another one begins, with what that one has left (R8). Whether the engine may take it up. */
bool keeper_succeed(struct world *w, struct node *n);
/* A fresh engine begins, under a keeper that holds nothing any more. */
void keeper_begins_again(struct world *w, struct node *n);
/* An engine that could not take it up says so. */
void keeper_begins_afresh(struct world *w, struct node *n);
/* The engine asks for something. */
void keeper_told(struct world *w, struct node *n, const struct effect *effect);
/* It has made room, and ends. */
void keeper_told_paused(struct world *w, struct node *n);
void keeper_reads(struct world *w, struct node *n, const struct note *note);
void keeper_does_more(struct world *w, struct node *n);
/* The engine was killed; it has ended as it was told. */
void keeper_cleans_up(struct world *w, struct node *n);
void keeper_ends(struct world *w, struct node *n);
void keeper_sees_end(struct world *w, struct node *n);
/* It is killed, or its host. */
void keeper_dies(struct world *w, struct node *n);
void keeper_sees_joined(struct world *w, struct node *n, size_t group);
/* What it says reaches the engine. */
void keeper_notes(struct world *w, struct node *n, const struct note *note, ha_time at);
void keeper_tells_fence(struct world *w, struct node *n);
void keeper_tells_to_stop(struct world *w, struct node *n);
void keeper_tells_to_retire(struct world *w, struct node *n, size_t group);
void keeper_tells_to_pause(struct world *w, struct node *n, int64_t patience_ns);
/* Tells of what is missing of its addresses. */
void keeper_looks(struct world *w, struct node *n);
/* Neither frozen nor dead. */
bool keeper_is_awake(const struct world *w, const struct node *n);
/* When its watchdog goes off, in the world's time. */
ha_time keeper_deadline(const struct node *n);
void keeper_watchdog(struct world *w, struct node *n);

/* frames.c: of an address that the keeper has configured, or that it looks for. */
void frames_announce(struct world *w, struct node *n, size_t address);
void frames_ask(struct world *w, struct node *n, size_t address, size_t target);
void frames_tell_targets(struct world *w, struct node *n, size_t address);
void frames_probe(struct world *w, struct node *n, size_t address);
/* The kernel answers to @f for what it serves. */
void frames_answer(struct world *w, struct node *n, const struct frame *f, size_t address);
/* Whether the capture programs for an address let it pass. */
bool frames_concern(const struct frame *f, const struct ip *shared);
size_t frames_encode(const struct frame *f, uint8_t bytes[CHANNEL_FRAME_MAX]);

/* fence.c */
/* Closes at the end of the lease, or before; that of lifetimes only if they are long enough. */
bool fence_is_exact(const struct node *n);
bool fence_is_in_time(const struct node *n);
/* Whether it keeps a node from serving what is up. */
bool fence_silences(const struct world *w, const struct node *n, size_t group);
/* From now on no keeper renews it; before that one stops. */
void fence_is_left(struct world *w, struct node *n);
/* ... and the engine can tell. */
bool fence_is_missed(const struct world *w, const struct node *n);

/* kernel.c */
void kernel_bring_up(struct world *w, struct node *n, size_t group);
void kernel_take_down(struct world *w, struct node *n, size_t group);
void kernel_take_all_down(struct world *w, struct node *n);
/* Somebody else takes an address away. */
void kernel_remove(struct world *w, struct node *n, size_t address);
void kernel_restore(struct node *n, size_t address);
/* What is up ends after @lifetime_s unless a keeper renews it. */
void kernel_make_mortal(struct world *w, struct node *n, uint32_t lifetime_s);
void kernel_ends_lifetimes(struct world *w, struct node *n);

/* client.c */
bool client_add(struct world *w, const char *name, const char *address, int64_t period_ns);
void client_use(struct world *w, struct client *c);
const struct ip *client_address(const struct client *c, enum ip_family family);
void client_frame(struct world *w, struct client *c, const struct frame *f);
/* The node that the client would reach at @address of the shared ones, or NULL. */
const struct node *client_reaches(const struct world *w, const struct client *c, size_t address);

/* command.c: carries out one command of a story, split at blanks. False if it makes no sense. */
#define COMMAND_WORDS_MAX 160
#define COMMAND_TEXT_SIZE 2048
bool command_run(struct world *w, char **words, size_t count);
/* The same from a text, which is copied. */
bool command_run_text(struct world *w, const char *text);

#endif
