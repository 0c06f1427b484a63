/* SPDX-License-Identifier: ISC */
/* peers: the other nodes, as their heartbeats tell them. */
#ifndef HA_ENGINE_PEERS_H
#define HA_ENGINE_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/time.h"
#include "core/peer.h"
#include "engine/engine.h"
#include "engine/tables.h"
#include "wire/heartbeat.h"

struct peer_heard {
	uint64_t id;
	uint32_t age_ms;
};

struct peer_record {
	/* What each step looks at of every peer, together. */
	struct peer peer;
	struct peer_entry *entries; /* of each of our groups */
	struct ip address;          /* its real one: rank */
	bool was_live;              /* as last reported */
	bool was_hearing;           /* as last reported */
	bool deaf;           /* R9: does not hear what we send to all, and gets it by unicast */
	bool holds;          /* R11: some group, by its last word */
	bool called;         /* R11: by unicast, since it was last heard */
	bool answers;        /* R11: for an address, although it is not heard */
	ha_time heard_since; /* when its boot, or we, came back from a silence */
	ha_time deaf_since;
	struct peer_table table;
	int64_t fence_margin_ns; /* R11: its fence closes so long before its tolerance ends; 0: none
				  */
	/* The rest. */
	uint32_t deaf_sequence;        /* our sequence number when it became deaf */
	uint32_t echo;                 /* the last sequence number of ours that it named */
	ha_time path_heard[PATHS_MAX]; /* by each heartbeat interface; TIME_ORIGIN: never */
	bool path_lost[PATHS_MAX];     /* as last reported */
	char name[NAME_SIZE];
	struct ip source; /* where its packets come from: unicast answers (R9) */
	uint64_t received;
	ha_time answered_at; /* R11: when it last did */
	uint8_t mac_count;
	uint8_t macs[HEARTBEAT_MACS_MAX][MAC_SIZE];
	struct histogram jitter; /* how far from its interval its heartbeats come */
	uint8_t hears_count;     /* whom it hears, as it last said */
	struct peer_heard hears[PEERS_MAX];
};

void peers_hear(struct engine *e, const struct engine_event *event, struct effects *out);
void peers_credit_stall(struct engine *e, int64_t stall_ns);
/* Reports who came, went or stopped hearing us since the last call. */
void peers_review(struct engine *e, struct effects *out);
ha_time peers_deadline(const struct engine *e);
struct peer_record *peers_find(struct engine *e, uint64_t id);
/* The name of a node by id; "another node" if it is not known. */
const char *peers_name(const struct engine *e, uint64_t id);
/* Whether it is where heartbeats of a node come from. */
bool peers_include(const struct engine *e, const struct ip *ip);
/* Silent for so long that its record may go. */
bool peers_is_forgettable(const struct engine *e, const struct peer_record *p);
/* Whether it had not missed two heartbeats of ours when it last spoke. */
bool peers_hears_of_late(const struct engine *e, const struct peer_record *p);
/* Heard within its tolerance, proven or not. */
bool peers_is_audible(const struct engine *e, const struct peer_record *p);

#endif
