/* SPDX-License-Identifier: ISC */
/*
 * engine: one node. It owns the groups' elections, the peers, the announcements in progress and the
 * session with the keeper, and turns events into effects. It is pure: no clock, no system call, no
 * memory after engine_init(); the same events at the same times give the same effects. The daemon,
 * the library and the simulator drive the same engine.
 *
 * Use: engine_init(), then engine_step() with ENGINE_START, then for each thing that happens one
 * engine_step(), carrying out the effects in their order; and an ENGINE_TIMER when
 * engine_deadline() is reached. An effect that can fail comes back as an event.
 */
#ifndef HA_ENGINE_ENGINE_H
#define HA_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/limits.h"
#include "base/time.h"
#include "conf/conf.h"
#include "wire/channel.h"
#include "wire/control.h"
#include "wire/heartbeat.h"
#include "wire/lease.h"
#include "wire/metrics.h"
#include "wire/report.h"
#include "wire/status.h"

enum engine_event_kind {
	ENGINE_START,    /* once, first; `drained`: by an earlier request (ENGINE_REQUEST) */
	ENGINE_TIMER,    /* engine_deadline() was reached; the caller drained its sockets before */
	ENGINE_DATAGRAM, /* bytes came in */
	ENGINE_SENT,     /* the last EFFECT_SEND left by at least one path */
	ENGINE_SEND_FAILED, /* it left by none */
	ENGINE_DEVICE,      /* the state of a configured device, at start and whenever it changes */
	ENGINE_KEEPER,      /* a message of the keeper */
	ENGINE_PREPARED,    /* what came of an EFFECT_HOOK with a preparation */
	ENGINE_HEALTH,      /* what checks, or an application, make of a group on this node */
	ENGINE_ORIGINAL, /* a packet of the original program came in; datagram.source alone counts
			  */
	ENGINE_REQUEST,  /* somebody asks to yield, drain or resume; EFFECT_ANSWER follows */
	ENGINE_STOP,     /* stop politely; EFFECT_STOPPED follows */
};

/* The state of a network device, from the kernel's link and address tables. */
struct engine_device {
	uint8_t index; /* into conf.devices */
	bool present;
	bool up;      /* administratively */
	bool carrier; /* can carry frames now */
	uint8_t mac[MAC_SIZE];
	uint32_t interface_index; /* the kernel's; 0 if not present */
	struct ip v4, v6; /* its first address of each family that is not a shared one (for IPv6
			     a global one, else the link-local one); IP_NONE: none */
};

#define ENGINE_PREPARATION_TIMEOUT (-1)

/* Whether the group may be claimed. */
struct engine_preparation {
	uint16_t group;
	uint32_t run; /* of the EFFECT_HOOK */
	int error; /* 0: yes; an exit status; ENGINE_PREPARATION_TIMEOUT, or below: it did not end
		      by itself */
};

#define ENGINE_REASON_SIZE 128

/*
 * How fit this node is for one group. Until the first ENGINE_HEALTH it has the configured worth and
 * nothing speaks against it. An impaired node ranks below every one that is not, whatever their
 * worths: the group is handed over to such a one, and stays if there is none, unless the group's
 * `when-all-fail` says otherwise. A node that is ineligible hands over to anybody who can hold it,
 * and gives it up if nobody can.
 */
struct engine_health {
	uint16_t group; /* index */
	uint16_t worth; /* in force now; 0: never */
	bool impaired;
	bool ineligible;
	/* For people, a clause like "check nginx fails: connection refused"; "" if all is well. */
	char reason[ENGINE_REASON_SIZE];
};

/* CONTROL_YIELD, CONTROL_DRAIN or CONTROL_RESUME. Each gets one answer under its token, at once or
 * when it is decided. */
struct engine_request {
	uint32_t token;
	struct control_request asked;
};

struct engine_answer {
	uint32_t token;
	enum control_outcome outcome;
	char text[STATUS_REASON_SIZE]; /* a whole sentence */
};

struct engine_event {
	enum engine_event_kind kind;
	union {
		struct {
			const uint8_t *bytes; /* borrowed */
			size_t size;
			int hop_limit;            /* -1: unknown */
			uint32_t interface_index; /* by which it came; 0: unknown */
			struct ip source;
		} datagram;
		bool drained; /* ENGINE_START */
		int error;    /* ENGINE_SEND_FAILED: errno */
		struct engine_device device;
		const struct channel_message *keeper; /* borrowed */
		const struct engine_health *health;   /* borrowed */
		const struct engine_request *request; /* borrowed */
		struct engine_preparation preparation;
	};
};

enum effect_kind {
	EFFECT_SEND, /* bytes to the multicast group and to each configured peer, on each path; then
			ENGINE_SENT or ENGINE_SEND_FAILED */
	EFFECT_SEND_TO,       /* bytes to one address */
	EFFECT_SEND_ORIGINAL, /* a packet as the original program sends them, on each path */
	EFFECT_LEASE,         /* store the lease */
	EFFECT_PASS,          /* have the kernel pass on what belongs to another node */
	EFFECT_KEEPER,        /* a message to the keeper */
	EFFECT_REPORT,        /* log it, tell watchers */
	EFFECT_HOOK,          /* run the group's hooks */
	EFFECT_ANSWER,        /* to an ENGINE_REQUEST */
	EFFECT_REMEMBER,      /* over restarts: whether the node is drained */
	EFFECT_STOPPED,       /* nothing is held any more and everybody was told: exit 0 */
	EFFECT_PAUSED, /* R8: keep engine_save() for the next engine, tell the keeper PAUSED and
			  exit 0; what is held stays */
};

struct engine_hook {
	uint16_t group;
	enum node_state state, previous;
	uint64_t epoch;
	char holder[NAME_SIZE];
	char reason[STATUS_REASON_SIZE];
	/* Not 0: nothing has changed yet; run what has to be done before a claim, and answer by an
	 * ENGINE_PREPARED with this run. */
	uint32_t preparation;
};

/* In a handover: docs/protocol.md 7.5. */
struct engine_pass {
	uint16_t group;
	enum lease_service service;
	uint8_t mac[MAC_SIZE]; /* of the other one */
	uint32_t interface_index;
	ha_time until; /* TIME_ORIGIN: nothing is passed on */
};

struct effect {
	enum effect_kind kind;
	union {
		struct {
			const uint8_t *bytes; /* the engine's, until the next step */
			size_t size;
			struct ip to; /* EFFECT_SEND_TO */
		} send;
		ha_time lease;
		struct engine_pass pass;
		struct {
			enum channel_verb verb;
			uint16_t index, second;
			uint64_t number;
			const uint8_t *payload; /* the engine's, until the next step; or NULL */
			size_t payload_size;
		} keeper;
		struct report report;
		struct engine_hook hook;
		struct engine_answer answer;
		bool drained; /* EFFECT_REMEMBER */
	};
};

#define EFFECTS_MAX 512

struct effects {
	size_t count;
	struct effect list[EFFECTS_MAX];
};

struct engine_identity {
	uint64_t id;    /* stable */
	uint64_t nonce; /* drawn at each start */
};

struct engine;

/* Bytes that an engine with this configuration needs. */
size_t engine_size(const struct conf *conf);

/**
 * engine_init - set up an engine in memory of the caller
 * @memory: engine_size(@conf) bytes, aligned as malloc() aligns; owned by the caller
 * @conf:   borrowed for the engine's life
 * @key:    copied
 *
 * Return: the engine, which is @memory.
 */
struct engine *engine_init(void *memory, const struct conf *conf, struct engine_identity identity,
	const struct heartbeat_key *key);

/* R8: what the next engine needs, once EFFECT_PAUSED came. Returns its size; 0 if it does not fit;
 * engine_record_size() bytes are enough. */
size_t engine_save(const struct engine *e, uint8_t *bytes, size_t size);
size_t engine_record_size(const struct engine *e);

/**
 * engine_adopt - take up what another engine has left, before ENGINE_START
 * @now: boottime, of the same boot of this host
 *
 * Groups are known again by their name. Without it, the engine starts afresh (R1).
 *
 * Return: false, with the engine as it was, if the record is not this node's, its lease has passed,
 * or it cannot be read.
 */
bool engine_adopt(struct engine *e, ha_time now, const uint8_t *bytes, size_t size);

/* For tests, before the first step: works as with more groups than fit one heartbeat. What we say
 * travels as changes, and a step looks only at groups that something concerns. */
void engine_tell_changes(struct engine *e);

/**
 * engine_step - advance by one event
 * @now: boottime of the event; never before the previous call's
 * @out: the effects, in the order in which they must be carried out; cleared first
 */
void engine_step(
	struct engine *e, ha_time now, const struct engine_event *event, struct effects *out);

/* When the engine wants its next ENGINE_TIMER; valid after the first step. */
ha_time engine_deadline(const struct engine *e);

/* How a group is, as a hook is told of a change: `previous` is `state`. */
void engine_describe(const struct engine *e, size_t group, struct engine_hook *ret_hook);

/* Whether this node is ACTIVE in a group, by index. */
bool engine_holds(const struct engine *e, size_t group);

/* A snapshot for `ha status` at @now. The wall clock, in milliseconds since 1970, is
 * @wall_offset_ms ahead of the boottime clock. `version` is left empty. The room of @ret_status,
 * status_init(), must be for the configuration's groups and addresses. */
void engine_status(
	const struct engine *e, ha_time now, int64_t wall_offset_ms, struct status *ret_status);
/* The same in parts, because ten thousand groups take longer than a heartbeat may be late: first
 * all but the groups, then each group with its addresses and what there is to warn of. */
void engine_status_begin(const struct engine *e, ha_time now, struct status *s);
void engine_status_group(
	const struct engine *e, size_t group, int64_t wall_offset_ms, struct status *s);

/* The peers one by one; false after the last. What is pointed to is the engine's, until the next
 * step. */
struct engine_peer {
	uint64_t id;
	const char *name;
	const struct histogram *jitter; /* how far from its interval its heartbeats come */
};
bool engine_peer(const struct engine *e, size_t index, struct engine_peer *ret_peer);

/* What is counted and timed; the caller adds what it does itself (hooks). The engine's. */
struct metrics *engine_metrics(struct engine *e);

#endif
