/* SPDX-License-Identifier: ISC */
/*
 * table: how the state of more groups than fit one heartbeat travels, docs/protocol.md 2.9. Each
 * heartbeat tells the version of its sender's table and a digest of it; one that brings news tells
 * the groups that changed since an earlier version; whoever lacks some asks. Here are the three
 * extensions as bytes; what they mean is the engine's.
 */
#ifndef HA_WIRE_TABLE_H
#define HA_WIRE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct reader;
struct writer;

#define TABLE_CHANGES_MAX  64 /* of one heartbeat */
#define TABLE_CHANGE_SIZE  22
#define TABLE_REQUESTS_MAX 4 /* of one heartbeat */
#define TABLE_REQUEST_SIZE 20

/* One group, as one that tells its whole table says it, but for the grantee, which a table that
 * outlives the datagram cannot name by its place in HEARD. */
struct table_change {
	uint32_t id;
	uint16_t worth;
	uint8_t state;    /* enum node_state */
	uint8_t renewed;  /* as in struct heartbeat_group */
	uint16_t flags;   /* HEARTBEAT_GROUP_... */
	uint32_t grantee; /* table_mark() of whom the holder grants it to; 0: nobody */
	uint64_t epoch;
};

struct table_request {
	uint64_t id, nonce; /* of whom it is asked */
	uint32_t have;      /* all up to this version is there */
};

struct table {
	bool present; /* else the heartbeat has none of this but, perhaps, requests */
	uint32_t version;
	uint64_t digest; /* the sum of table_digest() of all its groups */
	/* All that changed after version `base`, up to version `last`; none if they are equal. */
	uint32_t base, last;
	uint8_t change_count, request_count;
	struct table_change changes[TABLE_CHANGES_MAX];
	struct table_request requests[TABLE_REQUESTS_MAX];
};

/* The content of each extension; the caller writes type and length. */
#define TABLE_VERSION_SIZE 12
void table_encode_version(struct writer *w, const struct table *t);
size_t table_changes_size(const struct table *t);
void table_encode_changes(struct writer *w, const struct table *t);
size_t table_requests_size(const struct table *t);
void table_encode_requests(struct writer *w, const struct table *t);

/* False if the content is not possible. */
bool table_decode_version(struct reader *r, struct table *t);
bool table_decode_changes(struct reader *r, struct table *t);
bool table_decode_requests(struct reader *r, struct table *t);

/* State and flags of a group, in two octets; false if there is no such state. */
void heartbeat_put_state(struct writer *w, uint8_t state, uint16_t flags);
bool heartbeat_take_state(struct reader *r, uint8_t *ret_state, uint16_t *ret_flags);

uint64_t table_digest(const struct table_change *c);
/* A node in one of its boots, in 32 bits; never 0. */
uint32_t table_mark(uint64_t id, uint64_t nonce);

#endif
