/* SPDX-License-Identifier: ISC */
/*
 * heartbeat: the one datagram of the protocol, docs/protocol.md section 2. Fixed header, then
 * type-length-value extensions (unknown ones are skipped), then an HMAC-SHA256 tag cut to 128 bits
 * (RFC 2104, RFC 4868 section 2.3) over everything before it. Numbers are big-endian.
 */
#ifndef HA_WIRE_HEARTBEAT_H
#define HA_WIRE_HEARTBEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nettle/hmac.h>

#include "base/ip.h"
#include "base/limits.h"
#include "wire/table.h"

#define HEARTBEAT_VERSION_MAJOR 1
#define HEARTBEAT_VERSION_MINOR 1 /* 1: tables that travel as changes */
#define HEARTBEAT_HEADER_SIZE   64
#define HEARTBEAT_TAG_SIZE      16
#define HEARTBEAT_SIZE_MAX      2048
#define HEARTBEAT_GROUPS_MAX    60  /* a table of more groups travels as changes, wire/table.h */
#define HEARTBEAT_HOP_LIMIT     255 /* required on receipt: RFC 5082 */
#define HEARTBEAT_GRANTEE_NONE  0xff
#define HEARTBEAT_MACS_MAX      8

/* Why a datagram was refused. Each is a counter; names by heartbeat_drop_name(). */
enum heartbeat_drop {
	HEARTBEAT_ACCEPTED = 0,
	HEARTBEAT_DROP_HOP_LIMIT,       /* not sent on this link */
	HEARTBEAT_DROP_OVERSIZED,       /* longer than HEARTBEAT_SIZE_MAX */
	HEARTBEAT_DROP_MALFORMED,       /* too short, wrong lengths, impossible values */
	HEARTBEAT_DROP_NOT_OURS,        /* wrong magic: another program on this port */
	HEARTBEAT_DROP_VERSION,         /* another major version */
	HEARTBEAT_DROP_FOREIGN,         /* another cluster */
	HEARTBEAT_DROP_UNAUTHENTICATED, /* no tag although we have a key */
	HEARTBEAT_DROP_UNKNOWN_KEY,     /* a tag by a key that we do not have */
	HEARTBEAT_DROP_FORGED,          /* a tag that is not right */
	/* decided by the engine, after decoding */
	HEARTBEAT_DROP_OWN,          /* our own, come back */
	HEARTBEAT_DROP_DUPLICATE_ID, /* another node uses our id */
	HEARTBEAT_DROP_DUPLICATE,    /* the last one once more, by another path */
	HEARTBEAT_DROP_REPLAYED,     /* sequence number not above the last one of that boot */
	HEARTBEAT_DROP_OLD_BOOT,     /* a boot of that peer before the one we know */
	HEARTBEAT_DROP_TABLE_FULL,   /* more than PEERS_MAX peers */
	HEARTBEAT_DROP_REASONS,
};

/* Values are part of the protocol. */
enum node_state { STATE_STANDBY = 1, STATE_ACTIVE = 2, STATE_SHUTDOWN = 3 };

#define HEARTBEAT_GROUP_ELIGIBLE  0x01 /* could hold now: healthy and has listened */
#define HEARTBEAT_GROUP_WANT      0x02 /* asks the holder for it (rule R3) */
#define HEARTBEAT_GROUP_LISTENING 0x04 /* will be eligible when it has listened (rule R1) */
#define HEARTBEAT_GROUP_CLAIMED   0x08 /* not ACTIVE: the epoch is that of its own last claim */
#define HEARTBEAT_GROUP_IMPAIRED  0x10 /* ranks below every node that is not */
#define HEARTBEAT_GROUP_STICKY    0x20 /* its policy: only a fault or a request moves the group */
/* ACTIVE, and somebody outside the cluster has answered since it took it or lost sight of a node */
#define HEARTBEAT_GROUP_ACKNOWLEDGED 0x40
#define HEARTBEAT_GROUP_YIELDED      0x80  /* has given it up on request: ranks last */
#define HEARTBEAT_GROUP_GRANTED      0x100 /* knows that a holder grants it the group */
#define HEARTBEAT_GROUP_FLAGS                                                                      \
	(HEARTBEAT_GROUP_ELIGIBLE | HEARTBEAT_GROUP_WANT | HEARTBEAT_GROUP_LISTENING |             \
		HEARTBEAT_GROUP_CLAIMED | HEARTBEAT_GROUP_IMPAIRED | HEARTBEAT_GROUP_STICKY |      \
		HEARTBEAT_GROUP_ACKNOWLEDGED | HEARTBEAT_GROUP_YIELDED | HEARTBEAT_GROUP_GRANTED)

struct heartbeat_group {
	uint32_t id;
	uint16_t worth;
	uint8_t state;   /* enum node_state */
	uint16_t flags;  /* HEARTBEAT_GROUP_... */
	uint8_t grantee; /* index into heard[] of whom the holder grants it to, or GRANTEE_NONE */
	uint8_t renewed; /* by how much the epoch has grown since the claim, 255: or more */
	uint64_t epoch;  /* of the current or the last claim known */
};

struct heartbeat_heard {
	uint64_t id;
	uint64_t nonce;
	uint32_t sequence; /* low 32 bits of its last accepted heartbeat: the echo that proves
			      freshness */
	uint32_t age_ms;   /* since then */
};

struct heartbeat {
	uint64_t id;
	uint64_t nonce;    /* drawn at each start */
	uint64_t sequence; /* grows with each datagram of one nonce */
	uint32_t interval_us;
	uint32_t tolerance_us;
	struct ip address; /* real address: the tie-breaker of worth */
	bool leaving;      /* this node stops: do not wait for its tolerance */
	/* "": as last said, like the fence; only with a table */
	char name[NAME_SIZE];
	/* R11: so long before its tolerance ends, a fence in its kernel has silenced it if it has
	 * not sent since; 0: it has none. And the hardware addresses by which it answers. */
	uint32_t fence_margin_us;
	uint8_t mac_count;
	uint8_t macs[HEARTBEAT_MACS_MAX][MAC_SIZE];
	bool no_groups; /* there is no list of groups; else it is the whole table */
	uint8_t heard_count, group_count;
	struct heartbeat_heard heard[PEERS_MAX];
	struct heartbeat_group groups[HEARTBEAT_GROUPS_MAX];
	struct table table;
};

/* Empties it. Of its lists only the counts: they are large, and made for each heartbeat. */
void heartbeat_clear(struct heartbeat *h);

/* A key ready for use. present: false means no authentication. */
struct heartbeat_key {
	bool present;
	uint32_t id; /* the first bytes of the key's SHA-256 */
	struct hmac_sha256_ctx context;
	/* While keys are changed: another one whose tags are as good. */
	bool accepts_other;
	uint32_t other_id;
	struct hmac_sha256_ctx other;
};

void heartbeat_key_init(struct heartbeat_key *key, const uint8_t *secret, size_t size);
/* Nothing is signed with it. */
void heartbeat_key_accept(struct heartbeat_key *key, const uint8_t *secret, size_t size);

/* How many bytes are left of @size for more changes or requests. */
size_t heartbeat_room(const struct heartbeat *h, size_t size);

/**
 * heartbeat_encode - a heartbeat to the datagram
 * @cluster_tag: id_from_name() of the cluster's name
 * @key:         borrowed; without a present key no tag is added
 * @bytes:       HEARTBEAT_SIZE_MAX bytes
 *
 * Return: the size of the datagram.
 */
size_t heartbeat_encode(const struct heartbeat *h, uint32_t cluster_tag,
	const struct heartbeat_key *key, uint8_t *bytes);

/**
 * heartbeat_decode - check and decode a datagram from the network
 * @hop_limit:     TTL or hop limit on receipt; -1 if the system did not tell (refused)
 * @ret_heartbeat: undefined unless HEARTBEAT_ACCEPTED, and always behind the counts of its lists
 *
 * The tag is verified (in constant time) before anything behind the header is looked at.
 *
 * Return: HEARTBEAT_ACCEPTED or why not.
 */
enum heartbeat_drop heartbeat_decode(const uint8_t *bytes, size_t size, int hop_limit,
	uint32_t cluster_tag, const struct heartbeat_key *key, struct heartbeat *ret_heartbeat);

/* "forged", "hop-limit", ...: the key of its counter in `ha status --json`. */
const char *heartbeat_drop_name(enum heartbeat_drop drop);
/* "STANDBY", "ACTIVE", "SHUTDOWN". */
const char *node_state_name(enum node_state state);

#endif
