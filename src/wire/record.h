/* SPDX-License-Identifier: ISC */
/*
 * record: what an engine leaves to the one that takes its place (rule R8): who it is to the others,
 * what it holds, whom it has heard. Written by one engine, read by the next, which may be of
 * another version. Numbers are big-endian.
 *
 * A header of 16 bytes: magic (4), major version (2), minor version (2), size of the whole (8).
 * Then sections, each with its length (2) in front: the node, its devices, its groups, its peers,
 * each peer followed by what it says of the groups. Whatever a section holds beyond what is known
 * is skipped: a higher minor version only adds. In the end a hash of all before it (8), for a
 * record that was not finished. Another major version is refused; the engine then starts afresh.
 */
#ifndef HA_WIRE_RECORD_H
#define HA_WIRE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/limits.h"
#include "base/time.h"
#include "core/election.h"
#include "core/peer.h"
#include "wire/bytes.h"
#include "wire/heartbeat.h"
#include "wire/record_metrics.h"

#define RECORD_VERSION_MAJOR 1
/* 1: metrics, at the end of the node and of each peer; pauses, at the end of each group */
#define RECORD_VERSION_MINOR 1
/* Each part at its largest, with its length in front. */
#define RECORD_FRAME_SIZE  (16 + 8)
#define RECORD_NODE_SIZE   (96 + RECORD_METRICS_SIZE)
#define RECORD_DEVICE_SIZE 32
#define RECORD_GROUP_SIZE  521
#define RECORD_PEER_SIZE   (368 + RECORD_HISTOGRAM_SIZE)
#define RECORD_REASON_SIZE 128
#define RECORD_ENTRY_SIZE  24

struct record_node {
	uint64_t id, nonce;
	uint64_t sequence, sequence_recent, sequence_newer;
	ha_time sequence_rotated;
	ha_time saved; /* when this was written */
	ha_time lease; /* until when it is good for anything */
	uint64_t sent, received;
	uint16_t device_count, peer_count;
	uint32_t group_count;
	struct record_metrics metrics;
};

struct record_device {
	char name[DEVICE_SIZE];
	bool managed;
	ha_time raised_at;
};

struct record_group {
	char name[NAME_SIZE];
	enum election_phase phase; /* LISTENING, STANDBY or ACTIVE: at rest */
	enum election_cause cause;
	uint64_t cause_peer;
	ha_time since;
	uint64_t epoch, epoch_seen, epoch_rival;
	uint64_t holder, granter, contenders;
	struct pauses pauses;
	bool wants, in_touch, conflict;
	uint64_t told_holder;
	ha_time held_last, state_since;
	uint64_t transitions;
	char cause_name[NAME_SIZE]; /* "": none */
	int64_t cause_silence_ns;
	uint8_t cause_ineligible, told_ineligible, hold_off; /* the engine's own numbers */
	ha_time hold_off_until;
	uint32_t hold_off_error;
	/* What the last engine was told of its fitness. */
	int32_t worth_change; /* of the configured one */
	bool impaired, unfit;
	char health_reason[RECORD_REASON_SIZE];
	uint64_t claim, yielded_to;
	bool acknowledged;
	ha_time well_since; /* TIME_NEVER: it is not */
};

struct record_peer {
	struct peer peer;
	char name[NAME_SIZE]; /* "": not known yet */
	struct ip address, source;
	uint64_t received;
	bool was_live, was_hearing, deaf;
	ha_time deaf_since;
	uint32_t deaf_sequence;
	int64_t fence_margin_ns;
	uint8_t mac_count;
	uint8_t macs[HEARTBEAT_MACS_MAX][MAC_SIZE];
	uint32_t entry_count;
	struct histogram jitter;
};

struct record_entry {
	uint32_t group; /* which of the record's */
	uint8_t state, renewed;
	uint16_t flags;
	bool granted_us;
	uint16_t worth;
	uint64_t epoch;
};

/* Writing: begin, then each part in the order above, then finish, which answers the size; 0 if it
 * did not fit. */
void record_begin(struct writer *w, uint8_t *bytes, size_t size, const struct record_node *node);
void record_put_device(struct writer *w, const struct record_device *device);
void record_put_group(struct writer *w, const struct record_group *group);
void record_put_peer(struct writer *w, const struct record_peer *peer);
void record_put_entry(struct writer *w, const struct record_entry *entry);
size_t record_finish(struct writer *w);

/* Reading: open checks version, size and hash; then each part in its order. Each answers false,
 * with *@ret undefined, if there is no such part or a value in it is impossible. */
bool record_open(
	const uint8_t *bytes, size_t size, struct reader *ret_reader, struct record_node *ret_node);
bool record_take_device(struct reader *r, struct record_device *ret_device);
bool record_take_group(struct reader *r, struct record_group *ret_group);
bool record_take_peer(struct reader *r, struct record_peer *ret_peer);
bool record_take_entry(
	struct reader *r, const struct record_node *node, struct record_entry *ret_entry);
/* Whether all was taken. */
bool record_is_read(const struct reader *r);

#endif
