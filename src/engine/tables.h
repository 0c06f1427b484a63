/* SPDX-License-Identifier: ISC */
/*
 * tables: the peers' tables: what each says of our groups. They may travel as changes
 * (docs/protocol.md 2.9): a change is news whenever it comes, because only heartbeats newer than
 * the last one are looked at; but all up to a version is known only when nothing is missing before
 * it.
 */
#ifndef HA_ENGINE_TABLES_H
#define HA_ENGINE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "wire/heartbeat.h"
#include "wire/table.h"

struct engine;
struct peer_record;

/* What a peer says of one of our groups. */
struct peer_entry {
	uint64_t epoch;
	uint32_t grantee; /* table_mark() of it; 0: nobody */
	uint16_t worth;
	uint8_t state;
	uint8_t renewed;
	uint16_t flags;
	bool present;
	bool fresh;      /* told since its table was last begun anew */
	bool superseded; /* it fell silent as the holder, and somebody has taken it since */
};

/* How far we know a peer's table that travels as changes: docs/protocol.md 2.9. */
struct peer_table {
	bool in_use;
	bool complete;
	bool foreign;    /* has groups that we do not: its digest says nothing to us */
	bool asking;     /* until it is complete */
	uint32_t have;   /* all up to this version */
	uint64_t digest; /* of the fresh entries */
	ha_time lacking; /* since when it is not complete */
	size_t active;   /* groups that it holds */
	bool superseded; /* in some of them */
	ha_time asked;
};

void tables_take(struct engine *e, const struct heartbeat *h, struct peer_record *p);
/* Forgets what @p has said. */
void tables_forget(struct engine *e, struct peer_record *p);
/* A heartbeat at once where something of a table is to be asked for, and when that is the next
 * time. */
void tables_due(struct engine *e);
ha_time tables_deadline(const struct engine *e);
/* What we ask our peers for, at most @room of them. */
void tables_fill(struct engine *e, struct table *t, size_t room);
/* It is the holder no more, whatever it said, unless it is heard again. */
void tables_supersede(struct peer_record *p, size_t group);
bool entry_is_active(const struct peer_entry *entry);
/* Some live node has not told yet what it says of the group. */
bool tables_leave_open(const struct engine *e, size_t group);

#endif
