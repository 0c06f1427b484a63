/* SPDX-License-Identifier: ISC */
#include "engine/own.h"

#include <string.h>

#include "base/assert.h"
#include "engine/attention.h"
#include "engine/beat.h"
#include "engine/node.h"
#include "engine/peers.h"

#define NOBODY UINT16_MAX
/* The whole heartbeat; with the headers of UDP and IPv6 it fits an Ethernet frame. */
#define TOLD_SIZE_MAX 1400
#define TOLD_MIN      8 /* also if it then does not */
/* What is asked for is told at once if it is little. A large table, for which many ask that do not
 * know of each other, is begun anew only so often. */
#define LITTLE                 (SENDS_MAX * TABLE_CHANGES_MAX)
#define LOWERINGS_PER_INTERVAL 8

static void append(struct own_table *t, size_t group)
{
	struct own_entry *entry = &t->entries[group];

	entry->older = t->newest;
	entry->newer = NOBODY;
	if (t->newest != NOBODY)
		t->entries[t->newest].newer = (uint16_t)group;
	else
		t->oldest = (uint16_t)group;
	t->newest = (uint16_t)group;
}

static void unlink_entry(struct own_table *t, size_t group)
{
	const struct own_entry *entry = &t->entries[group];

	if (entry->older != NOBODY)
		t->entries[entry->older].newer = entry->newer;
	else
		t->oldest = entry->newer;
	if (entry->newer != NOBODY)
		t->entries[entry->newer].older = entry->older;
	else
		t->newest = entry->older;
}

void own_start(struct engine *e)
{
	e->own.oldest = e->own.newest = NOBODY;
	e->own.owed = UINT32_MAX;
	e->mark = table_mark(e->identity.id, e->identity.nonce);
}

static uint32_t mark_of(struct engine *e, uint64_t id)
{
	const struct peer_record *p = id != 0 ? peers_find(e, id) : NULL;

	return p ? table_mark(id, p->peer.nonce) : 0;
}

static struct table_change say(struct engine *e, size_t group)
{
	struct heartbeat_group g = beat_group(e, group);

	return (struct table_change){.id = g.id,
		.worth = g.worth,
		.state = g.state,
		.flags = g.flags,
		.renewed = g.renewed,
		.grantee =
			g.state == STATE_ACTIVE ? mark_of(e, e->groups[group].election.grantee) : 0,
		.epoch = g.epoch};
}

static bool is_same(const struct table_change *a, const struct table_change *b)
{
	return a->worth == b->worth && a->state == b->state && a->flags == b->flags &&
	       a->renewed == b->renewed && a->grantee == b->grantee && a->epoch == b->epoch;
}

/* After four billion changes: to the others it is a table of lower version, which they ask for. */
static void number_anew(struct own_table *t)
{
	t->version = t->told = 0;
	for (uint16_t group = t->oldest; group != NOBODY; group = t->entries[group].newer)
		t->entries[group].version = ++t->version;
}

static void review_group(struct engine *e, size_t group)
{
	struct own_table *t = &e->own;
	struct own_entry *entry = &t->entries[group];
	struct table_change said = say(e, group);

	if (entry->version != 0 && is_same(&entry->said, &said))
		return;
	if (t->version == UINT32_MAX)
		number_anew(t);
	if (entry->version != 0) {
		t->digest -= table_digest(&entry->said);
		unlink_entry(t, group);
	}
	entry->said = said;
	entry->version = ++t->version;
	t->digest += table_digest(&said);
	append(t, group);
}

/* Goes back to what somebody lacks. */
static void pay(struct engine *e)
{
	struct own_table *t = &e->own;
	int64_t pause_ns = e->conf->node.interval_ns / LOWERINGS_PER_INTERVAL;

	if (t->owed >= t->told)
		t->owed = UINT32_MAX; /* it is about to be told anyway */
	if (t->owed == UINT32_MAX ||
		(t->version - t->owed > LITTLE && time_between(t->lowered, e->now) < pause_ns))
		return;
	t->lowered = e->now;
	t->told = t->owed;
	t->owed = UINT32_MAX;
	e->beat_soon = true;
}

void own_review(struct engine *e)
{
	if (!e->own.in_use)
		return;
	pay(e);
	for (size_t group = 0; attention_seen(e, &group); group++)
		review_group(e, group);
}

/* How many changes fit beside what the heartbeat says already. */
static size_t room(const struct heartbeat *h)
{
	size_t left = heartbeat_room(h, TOLD_SIZE_MAX) / TABLE_CHANGE_SIZE;

	return left < TOLD_MIN ? TOLD_MIN : left > TABLE_CHANGES_MAX ? TABLE_CHANGES_MAX : left;
}

/* The first group that changed after @version. */
static uint16_t first_after(const struct own_table *t, uint32_t version)
{
	uint16_t group = t->newest, first = NOBODY;

	for (; group != NOBODY && t->entries[group].version > version;
		group = t->entries[group].older)
		first = group;
	return first;
}

void own_fill(struct engine *e, struct heartbeat *h)
{
	struct own_table *own = &e->own;
	struct table *t = &h->table;
	size_t left;

	h->no_groups = true;
	t->present = true;
	t->version = own->version;
	t->digest = own->digest;
	t->base = t->last = own->told;
	left = room(h);
	for (uint16_t group = first_after(own, own->told); group != NOBODY && left > 0; left--) {
		t->changes[t->change_count++] = own->entries[group].said;
		t->last = own->entries[group].version;
		group = own->entries[group].newer;
	}
	own->told = t->last;
}

bool own_has_more(const struct engine *e)
{
	return e->own.in_use && e->own.told < e->own.version;
}

void own_asked(struct engine *e, const struct heartbeat *h)
{
	for (size_t i = 0; i < h->table.request_count; i++) {
		const struct table_request *r = &h->table.requests[i];

		if (r->id != e->identity.id || r->nonce != e->identity.nonce)
			continue;
		if (r->have < e->own.owed)
			e->own.owed = r->have;
	}
}
