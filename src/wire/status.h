/* SPDX-License-Identifier: ISC */
/*
 * status: what `ha status` shows, as a value, and its JSON form. Keys may be added, never renamed.
 */
#ifndef HA_WIRE_STATUS_H
#define HA_WIRE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/ip.h"
#include "base/limits.h"
#include "wire/heartbeat.h"

#define STATUS_REASON_SIZE  256
#define STATUS_WARNINGS_MAX 16

struct status_address {
	struct ip ip;
	uint8_t prefix_length;
	char device[DEVICE_SIZE];
	uint8_t targets;      /* neighbours asked to acknowledge, 0 while not held */
	uint8_t acknowledged; /* of which answered since this node took the address */
};

struct status_group {
	char name[NAME_SIZE];
	enum node_state state;
	char reason[STATUS_REASON_SIZE]; /* "b is worthier (200 > 100)" */
	char next[STATUS_REASON_SIZE];   /* what will change it: "would take over if b fails" */
	uint16_t worth;                  /* in force: what checks have left of the configured one */
	uint16_t configured_worth;
	bool impaired; /* checks fail: ranks below every node that is not */
	bool eligible;
	char policy[NAME_SIZE];
	bool warm; /* its addresses stay configured, silent, while it is not held */
	uint64_t epoch;
	char holder[NAME_SIZE]; /* "" if nobody is known to hold it */
	int64_t since_ms; /* wall clock, milliseconds since 1970, of the last change of state */
	uint16_t address_first; /* into status.addresses */
	uint16_t address_count;
	uint64_t transitions; /* changes of state since start */
	uint16_t check_first; /* into status.checks */
	uint16_t check_count;
};

struct status_check {
	char name[NAME_SIZE];
	char kind[NAME_SIZE];            /* "tcp", ... */
	char state[NAME_SIZE];           /* "passing", "failing", "unknown": has not answered yet */
	char reason[STATUS_REASON_SIZE]; /* why it fails; "" */
	uint16_t lowers;                 /* the worth when it fails; 0: impairs the node */
	int64_t answered_ms;             /* ago; -1: never */
	int64_t hold_ms; /* damped: is good, but passes only when it was so for so much longer */
};

/* A heartbeat interface. */
struct status_path {
	char interface[DEVICE_SIZE];
	struct ip address;
	bool up;
	char state[STATUS_REASON_SIZE]; /* "is up", "has no carrier", ... */
};

struct status_peer {
	char name[NAME_SIZE];
	uint64_t id;
	struct ip address;
	bool live;
	bool hears_me;
	bool proven;                       /* named our boot nonce: not a recording */
	int64_t last_heard_ms;             /* ago; -1 never */
	int64_t interval_ms, tolerance_ms; /* as announced */
	uint64_t received;                 /* accepted heartbeats */
	int64_t path_heard_ms[PATHS_MAX];  /* ago, by each heartbeat interface; -1 never */
};

struct status {
	char version[NAME_SIZE];
	char name[NAME_SIZE];
	uint64_t id;
	struct ip address;
	double interval_ms, tolerance_ms;
	bool authenticated;
	char scheduling[NAME_SIZE]; /* "real-time" or "ordinary"; "": not known */
	char fence[NAME_SIZE];      /* "bpf": in the kernel; "watchdog": the keeper's alone */
	uint64_t sent, received;
	uint64_t dropped[HEARTBEAT_DROP_REASONS];
	uint8_t warning_count;
	char warnings[STATUS_WARNINGS_MAX][STATUS_REASON_SIZE];
	uint16_t group_count;
	struct status_group *groups;
	uint16_t address_count;
	struct status_address *addresses;
	uint16_t check_count;
	struct status_check *checks; /* NULL if there are none */
	uint8_t path_count;
	struct status_path paths[PATHS_MAX];
	uint8_t peer_count;
	struct status_peer peers[PEERS_MAX];
};

/* An empty status with room for so many groups and addresses; false if memory ran out. */
bool status_init(struct status *s, size_t groups, size_t addresses);
/* Room for checks; likewise. */
bool status_init_checks(struct status *s, size_t checks);
/* Gives its room back. */
void status_done(struct status *s);

/* {"node": {...}, "groups": [...], "peers": [...], "warnings": [...], "counters": {...}}: a new
 * object, owned by the caller; NULL if memory ran out. Ids are strings of 16 hexadecimal digits
 * (JSON numbers cannot carry 64 bits); "since" is RFC 3339; what is not known is null. */
json_t *status_to_json(const struct status *s);

/* Its parts: node, peers and counters; one group; the warnings. Likewise. */
json_t *status_head_to_json(const struct status *s);
json_t *status_group_to_json(const struct status *s, size_t group);
json_t *status_warnings_to_json(const struct status *s);

/* The reverse, for the command line; status_done() gives the room back. False, with a reason in
 * *@reterr (static), if it is not a status. */
bool status_from_json(const json_t *json, struct status *ret_status, const char **reterr);

#endif
