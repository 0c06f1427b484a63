/* SPDX-License-Identifier: ISC */
#include "engine/tables.h"

#include <string.h>

#include "base/assert.h"
#include "engine/attention.h"
#include "engine/node.h"
#include "engine/peers.h"

#define ASKS_PER_INTERVAL 4

void tables_forget(struct engine *e, struct peer_record *p)
{
	memset(p->entries, 0, e->conf->group_count * sizeof(p->entries[0]));
	p->holds = false;
	p->table = (struct peer_table){.lacking = e->now, .asked = TIME_ORIGIN};
}

static struct table_change change_of(
	const struct engine *e, size_t group, const struct peer_entry *e1)
{
	return (struct table_change){.id = e->conf->groups[group].id,
		.worth = e1->worth,
		.state = e1->state,
		.flags = e1->flags,
		.renewed = e1->renewed,
		.grantee = e1->grantee,
		.epoch = e1->epoch};
}

bool entry_is_active(const struct peer_entry *entry)
{
	return entry->present && entry->state == STATE_ACTIVE && !entry->superseded;
}

/* R11: whether it holds anything. */
static void count_active(struct peer_record *p, const struct peer_entry *entry, int by)
{
	if (entry_is_active(entry))
		p->table.active += (size_t)by;
	p->holds = p->table.active > 0;
}

static void take_change(struct engine *e, struct peer_record *p, const struct table_change *c)
{
	int group = conf_group_by_id(e->conf, c->id);
	struct table_change before;
	struct peer_entry *entry;

	if (group < 0) {
		p->table.foreign = true;
		return;
	}
	if (p->peer.proven)
		election_learn_epoch(&e->groups[group].election, c->epoch);
	entry = &p->entries[group];
	count_active(p, entry, -1);
	before = change_of(e, (size_t)group, entry);
	if (entry->fresh)
		p->table.digest -= table_digest(&before);
	p->table.digest += table_digest(c);
	*entry = (struct peer_entry){.present = true,
		.fresh = true,
		.state = c->state,
		.flags = c->flags,
		.renewed = c->renewed,
		.grantee = c->grantee,
		.worth = c->worth,
		.epoch = c->epoch};
	count_active(p, entry, 1);
	attention_mark(e, (size_t)group);
}

/* Its whole table is to be told again; until then what we know stands. */
static void begin_anew(struct engine *e, struct peer_record *p)
{
	p->table.have = 0;
	p->table.digest = 0;
	p->table.foreign = p->table.complete = false;
	for (size_t g = 0; g < e->conf->group_count; g++)
		p->entries[g].fresh = false;
}

/* It was told as a whole: what was not told is not in it any more. */
static void drop_stale(struct engine *e, struct peer_record *p)
{
	for (size_t g = 0; g < e->conf->group_count; g++) {
		if (!p->entries[g].present || p->entries[g].fresh)
			continue;
		count_active(p, &p->entries[g], -1);
		p->entries[g] = (struct peer_entry){0};
		attention_mark(e, g);
	}
}

static ha_time next_asking(const struct engine *e, const struct peer_record *p)
{
	return time_add(p->table.asked, e->conf->node.interval_ns / ASKS_PER_INTERVAL);
}

static bool asks(const struct engine *e, const struct peer_record *p)
{
	return p->table.asking && peers_is_audible(e, p);
}

void tables_due(struct engine *e)
{
	for (size_t i = 0; i < e->peer_count; i++)
		if (asks(e, &e->peers[i]) && time_reached(e->now, next_asking(e, &e->peers[i])))
			e->beat_soon = true;
}

ha_time tables_deadline(const struct engine *e)
{
	ha_time deadline = TIME_NEVER;

	/* What could not be asked for when it was due waits for the next regular heartbeat. */
	for (size_t i = 0; i < e->peer_count; i++)
		if (asks(e, &e->peers[i]) && !time_reached(e->now, next_asking(e, &e->peers[i])))
			deadline = time_min(deadline, next_asking(e, &e->peers[i]));
	return deadline;
}

static void review(struct engine *e, const struct table *t, struct peer_record *p)
{
	bool was_complete = p->table.complete;
	bool follows = t->last > t->base && t->base <= p->table.have && t->last < t->version;

	if (t->version < p->table.have)
		begin_anew(e, p);
	p->table.complete = p->table.have == t->version;
	if (p->table.complete && !p->table.foreign && p->table.digest != t->digest)
		begin_anew(e, p);
	if (p->table.complete && !was_complete)
		drop_stale(e, p);
	if (!p->table.complete && was_complete)
		p->table.lacking = e->now;
	if (p->table.complete)
		p->table.asking = false;
	else if (!follows)
		p->table.asking = true;
}

void tables_supersede(struct peer_record *p, size_t group)
{
	struct peer_entry *entry = &p->entries[group];

	count_active(p, entry, -1);
	entry->superseded = p->table.superseded = true;
}

/* It is heard again: what it says stands, also what it does not repeat. */
static void restore(struct engine *e, struct peer_record *p)
{
	for (size_t g = 0; p->table.superseded && g < e->conf->group_count; g++) {
		if (!p->entries[g].superseded)
			continue;
		p->entries[g].superseded = false;
		count_active(p, &p->entries[g], 1);
		attention_mark(e, g);
	}
	p->table.superseded = false;
}

void tables_take(struct engine *e, const struct heartbeat *h, struct peer_record *p)
{
	const struct table *t = &h->table;

	p->table.in_use = true;
	restore(e, p);
	for (size_t i = 0; i < t->change_count; i++)
		take_change(e, p, &t->changes[i]);
	if (t->base <= p->table.have && t->last > p->table.have)
		p->table.have = t->last;
	review(e, t, p);
}

void tables_fill(struct engine *e, struct table *t, size_t room)
{
	for (size_t i = 0; i < e->peer_count; i++) {
		struct peer_record *p = &e->peers[i];

		if (!asks(e, p) || !time_reached(e->now, next_asking(e, p)))
			continue;
		if (t->request_count == TABLE_REQUESTS_MAX || t->request_count >= room)
			return; /* with the next one */
		p->table.asked = e->now;
		t->requests[t->request_count++] = (struct table_request){
			.id = p->peer.id, .nonce = p->peer.nonce, .have = p->table.have};
	}
}

/* Bounded: one that never tells must not keep a group from being served. */
bool tables_leave_open(const struct engine *e, size_t group)
{
	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];

		if (p->table.in_use && !p->table.complete && !p->entries[group].present &&
			peer_is_live(&p->peer, e->now) &&
			time_between(p->table.lacking, e->now) < 2 * p->peer.tolerance_ns)
			return true;
	}
	return false;
}
