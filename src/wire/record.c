/* SPDX-License-Identifier: ISC */
#include "wire/record.h"

#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/text.h"

#define MAGIC       0x48415243 /* "HARC" */
#define HEADER_SIZE 16
#define HASH_SIZE   8

static uint64_t hash_of(const uint8_t *bytes, size_t size)
{
	return id_hash(ID_SEED, bytes, size);
}

/* --- writing */

/* The length in front is set when the section ends. */
static size_t begin_section(struct writer *w)
{
	writer_u16(w, 0);
	return w->used;
}

static void end_section(struct writer *w, size_t start, size_t most)
{
	size_t length = w->used - start;

	if (w->failed)
		return;
	assert(length + 2 <= most && length <= UINT16_MAX);
	w->start[start - 2] = (uint8_t)(length >> 8);
	w->start[start - 1] = (uint8_t)length;
}

static void put_time(struct writer *w, ha_time t)
{
	writer_u64(w, (uint64_t)t.ns);
}

static void put_text(struct writer *w, const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	assert(length < size && length <= UINT8_MAX);
	writer_u8(w, (uint8_t)length);
	writer_bytes(w, text, length);
}

static void put_name(struct writer *w, const char *name)
{
	put_text(w, name, NAME_SIZE);
}

static void put_ip(struct writer *w, const struct ip *ip)
{
	uint8_t bytes[IP_WIRE_SIZE];

	ip_to_wire(ip, bytes);
	writer_bytes(w, bytes, sizeof(bytes));
}

void record_begin(struct writer *w, uint8_t *bytes, size_t size, const struct record_node *n)
{
	size_t start;

	*w = writer_init(bytes, size);
	writer_u32(w, MAGIC);
	writer_u16(w, RECORD_VERSION_MAJOR);
	writer_u16(w, RECORD_VERSION_MINOR);
	writer_u64(w, 0); /* the size, in the end */
	start = begin_section(w);
	writer_u64(w, n->id);
	writer_u64(w, n->nonce);
	writer_u64(w, n->sequence);
	writer_u64(w, n->sequence_recent);
	writer_u64(w, n->sequence_newer);
	put_time(w, n->sequence_rotated);
	put_time(w, n->saved);
	put_time(w, n->lease);
	writer_u64(w, n->sent);
	writer_u64(w, n->received);
	writer_u16(w, n->device_count);
	writer_u16(w, n->peer_count);
	writer_u32(w, n->group_count);
	record_put_metrics(w, &n->metrics);
	end_section(w, start, RECORD_NODE_SIZE);
}

void record_put_device(struct writer *w, const struct record_device *d)
{
	size_t start = begin_section(w);

	put_text(w, d->name, sizeof(d->name));
	writer_u8(w, d->managed);
	put_time(w, d->raised_at);
	end_section(w, start, RECORD_DEVICE_SIZE);
}

enum {
	GROUP_WANTS = 1,
	GROUP_IN_TOUCH = 2,
	GROUP_CONFLICT = 4,
	GROUP_IMPAIRED = 8,
	GROUP_UNFIT = 16,
	GROUP_ACKNOWLEDGED = 32,
};

/* What an engine that knows no other has to respect: the last of them, for all nodes. */
static ha_time last_pause(const struct pauses *p)
{
	ha_time last = TIME_ORIGIN;

	for (size_t i = 0; i < PAUSES_MAX; i++)
		if (p->list[i].id != 0)
			last = time_max(last, p->list[i].until);
	return last;
}

static void put_pauses(struct writer *w, const struct pauses *p)
{
	uint8_t count = 0;

	for (size_t i = 0; i < PAUSES_MAX; i++)
		count = (uint8_t)(count + (p->list[i].id != 0));
	writer_u8(w, count);
	for (size_t i = 0; i < PAUSES_MAX; i++) {
		if (p->list[i].id == 0)
			continue;
		writer_u64(w, p->list[i].id);
		put_time(w, p->list[i].until);
	}
}

void record_put_group(struct writer *w, const struct record_group *g)
{
	size_t start = begin_section(w);

	put_name(w, g->name);
	writer_u8(w, (uint8_t)g->phase);
	writer_u8(w, (uint8_t)g->cause);
	writer_u64(w, g->cause_peer);
	put_time(w, g->since);
	writer_u64(w, g->epoch);
	writer_u64(w, g->epoch_seen);
	writer_u64(w, g->epoch_rival);
	writer_u64(w, g->holder);
	writer_u64(w, g->granter);
	writer_u64(w, g->contenders);
	put_time(w, last_pause(&g->pauses));
	writer_u8(w, (uint8_t)((g->wants ? GROUP_WANTS : 0) | (g->in_touch ? GROUP_IN_TOUCH : 0) |
			       (g->conflict ? GROUP_CONFLICT : 0) |
			       (g->impaired ? GROUP_IMPAIRED : 0) | (g->unfit ? GROUP_UNFIT : 0) |
			       (g->acknowledged ? GROUP_ACKNOWLEDGED : 0)));
	writer_u64(w, g->told_holder);
	put_time(w, g->held_last);
	put_time(w, g->state_since);
	writer_u64(w, g->transitions);
	put_name(w, g->cause_name);
	writer_u64(w, (uint64_t)g->cause_silence_ns);
	writer_u8(w, g->cause_ineligible);
	writer_u8(w, g->told_ineligible);
	writer_u8(w, g->hold_off);
	put_time(w, g->hold_off_until);
	writer_u32(w, g->hold_off_error);
	writer_u32(w, (uint32_t)g->worth_change);
	put_text(w, g->health_reason, sizeof(g->health_reason));
	writer_u64(w, g->claim);
	writer_u64(w, g->yielded_to);
	put_time(w, g->well_since);
	put_pauses(w, &g->pauses);
	end_section(w, start, RECORD_GROUP_SIZE);
}

enum {
	PEER_PROVEN = 1,
	PEER_LEAVING = 2,
	PEER_NAMES_US = 4,
	PEER_WAS_LIVE = 8,
	PEER_WAS_HEARING = 16,
	PEER_DEAF = 32,
};

void record_put_peer(struct writer *w, const struct record_peer *p)
{
	size_t start = begin_section(w);

	writer_u64(w, p->peer.id);
	writer_u64(w, p->peer.nonce);
	writer_u64(w, p->peer.sequence);
	for (size_t i = 0; i < PEER_RETIRED_MAX; i++)
		writer_u64(w, p->peer.retired[i]);
	writer_u8(w, p->peer.retired_next);
	writer_u64(w, p->peer.earlier_nonce);
	writer_u64(w, p->peer.earlier_sequence);
	writer_u8(
		w, (uint8_t)((p->peer.proven ? PEER_PROVEN : 0) |
			     (p->peer.leaving ? PEER_LEAVING : 0) |
			     (p->peer.names_us ? PEER_NAMES_US : 0) |
			     (p->was_live ? PEER_WAS_LIVE : 0) |
			     (p->was_hearing ? PEER_WAS_HEARING : 0) | (p->deaf ? PEER_DEAF : 0)));
	put_time(w, p->peer.heard);
	writer_u64(w, (uint64_t)p->peer.echo_age_ns);
	writer_u64(w, (uint64_t)p->peer.interval_ns);
	writer_u64(w, (uint64_t)p->peer.tolerance_ns);
	put_name(w, p->name);
	put_ip(w, &p->address);
	put_ip(w, &p->source);
	writer_u64(w, p->received);
	put_time(w, p->deaf_since);
	writer_u32(w, p->deaf_sequence);
	writer_u32(w, p->entry_count);
	writer_u64(w, (uint64_t)p->fence_margin_ns);
	writer_u8(w, p->mac_count);
	for (size_t i = 0; i < p->mac_count; i++)
		writer_bytes(w, p->macs[i], MAC_SIZE);
	record_put_histogram(w, &p->jitter);
	end_section(w, start, RECORD_PEER_SIZE);
}

void record_put_entry(struct writer *w, const struct record_entry *e)
{
	size_t start = begin_section(w);

	writer_u32(w, e->group);
	writer_u8(w, e->state);
	writer_u8(w, e->renewed);
	writer_u16(w, e->flags);
	writer_u8(w, e->granted_us);
	writer_u16(w, e->worth);
	writer_u64(w, e->epoch);
	end_section(w, start, RECORD_ENTRY_SIZE);
}

size_t record_finish(struct writer *w)
{
	uint64_t size = w->used + HASH_SIZE;

	if (w->failed || w->size - w->used < HASH_SIZE)
		return 0;
	for (size_t i = 0; i < 8; i++)
		w->start[8 + i] = (uint8_t)(size >> (8 * (7 - i)));
	writer_u64(w, hash_of(w->start, w->used));
	return w->used;
}

/* --- reading */

static struct reader take_section(struct reader *r)
{
	size_t length = reader_u16(r);
	const uint8_t *at = reader_take(r, length);

	return at ? reader_init(at, length) : (struct reader){.failed = true};
}

/* No instant and no duration of ours is negative. */
static int64_t take_duration(struct reader *r)
{
	int64_t ns = (int64_t)reader_u64(r);

	r->failed = r->failed || ns < 0;
	return ns;
}

static ha_time take_instant(struct reader *r)
{
	return (ha_time){take_duration(r)};
}

static void take_text(struct reader *r, char *ret_text, size_t size)
{
	size_t length = reader_u8(r);

	memset(ret_text, 0, size);
	if (length >= size)
		r->failed = true;
	else
		reader_bytes(r, (uint8_t *)ret_text, length);
	/* What is not text would get into logs and answers. */
	for (size_t i = 0; !r->failed && i < length; i++)
		r->failed = (uint8_t)ret_text[i] < ' ' || ret_text[i] == 127;
}

static void take_name(struct reader *r, char *ret_name, size_t size)
{
	take_text(r, ret_name, size);
	r->failed = r->failed || strchr(ret_name, ' ');
}

static struct ip take_ip(struct reader *r)
{
	uint8_t bytes[IP_WIRE_SIZE];

	reader_bytes(r, bytes, sizeof(bytes));
	return ip_from_wire(bytes);
}

static bool frame_is_good(const uint8_t *bytes, size_t size)
{
	struct reader r = reader_init(bytes, size), end;

	if (size < RECORD_FRAME_SIZE)
		return false;
	end = reader_init(bytes + size - HASH_SIZE, HASH_SIZE);
	return reader_u32(&r) == MAGIC && reader_u16(&r) == RECORD_VERSION_MAJOR &&
	       (reader_u16(&r), reader_u64(&r)) == size &&
	       reader_u64(&end) == hash_of(bytes, size - HASH_SIZE);
}

bool record_open(
	const uint8_t *bytes, size_t size, struct reader *ret_reader, struct record_node *ret_node)
{
	struct record_node *n = ret_node;
	struct reader s;

	if (!frame_is_good(bytes, size))
		return false;
	*ret_reader = reader_init(bytes + HEADER_SIZE, size - HEADER_SIZE - HASH_SIZE);
	s = take_section(ret_reader);
	n->id = reader_u64(&s);
	n->nonce = reader_u64(&s);
	n->sequence = reader_u64(&s);
	n->sequence_recent = reader_u64(&s);
	n->sequence_newer = reader_u64(&s);
	n->sequence_rotated = take_instant(&s);
	n->saved = take_instant(&s);
	n->lease = take_instant(&s);
	n->sent = reader_u64(&s);
	n->received = reader_u64(&s);
	n->device_count = reader_u16(&s);
	n->peer_count = reader_u16(&s);
	n->group_count = reader_u32(&s);
	record_take_metrics(&s, &n->metrics);
	return !s.failed && n->id != 0 && n->nonce != 0 && n->peer_count <= PEERS_MAX &&
	       n->device_count <= DEVICES_MAX && n->sequence <= INT64_MAX &&
	       n->sequence_newer <= n->sequence && n->sequence_recent <= n->sequence_newer;
}

bool record_take_device(struct reader *r, struct record_device *d)
{
	struct reader s = take_section(r);

	take_name(&s, d->name, sizeof(d->name));
	d->managed = reader_u8(&s) != 0;
	d->raised_at = take_instant(&s);
	return !s.failed;
}

static bool group_is_possible(const struct record_group *g)
{
	if (g->phase != ELECTION_LISTENING && g->phase != ELECTION_STANDBY &&
		g->phase != ELECTION_ACTIVE)
		return false;
	if (g->phase == ELECTION_ACTIVE && (g->epoch == 0 || g->wants))
		return false;
	return g->name[0] != '\0' && g->cause < ELECTION_CAUSES && g->epoch <= g->epoch_seen &&
	       g->claim <= g->epoch;
}

/* Minor version 0 ends before them. */
static void take_pauses(struct reader *r, struct pauses *ret_pauses)
{
	size_t count = r->left > 0 ? reader_u8(r) : 0;

	*ret_pauses = (struct pauses){0};
	for (size_t i = 0; i < count; i++) {
		struct pause_of pause = {.id = reader_u64(r)};

		pause.until = take_instant(r);
		if (i < PAUSES_MAX)
			ret_pauses->list[i] = pause;
	}
}

bool record_take_group(struct reader *r, struct record_group *g)
{
	struct reader s = take_section(r);
	unsigned flags;

	take_name(&s, g->name, sizeof(g->name));
	g->phase = (enum election_phase)reader_u8(&s);
	g->cause = (enum election_cause)reader_u8(&s);
	g->cause_peer = reader_u64(&s);
	g->since = take_instant(&s);
	g->epoch = reader_u64(&s);
	g->epoch_seen = reader_u64(&s);
	g->epoch_rival = reader_u64(&s);
	g->holder = reader_u64(&s);
	g->granter = reader_u64(&s);
	g->contenders = reader_u64(&s);
	(void)take_instant(&s); /* the last pause: whose they are follows */
	flags = reader_u8(&s);
	g->wants = flags & GROUP_WANTS;
	g->in_touch = flags & GROUP_IN_TOUCH;
	g->conflict = flags & GROUP_CONFLICT;
	g->impaired = flags & GROUP_IMPAIRED;
	g->unfit = flags & GROUP_UNFIT;
	g->told_holder = reader_u64(&s);
	g->held_last = take_instant(&s);
	g->state_since = take_instant(&s);
	g->transitions = reader_u64(&s);
	take_name(&s, g->cause_name, sizeof(g->cause_name));
	g->cause_silence_ns = take_duration(&s);
	g->cause_ineligible = reader_u8(&s);
	g->told_ineligible = reader_u8(&s);
	g->hold_off = reader_u8(&s);
	g->hold_off_until = take_instant(&s);
	g->hold_off_error = reader_u32(&s);
	g->worth_change = (int32_t)reader_u32(&s);
	take_text(&s, g->health_reason, sizeof(g->health_reason));
	g->claim = reader_u64(&s);
	g->yielded_to = reader_u64(&s);
	g->well_since = take_instant(&s);
	take_pauses(&s, &g->pauses);
	g->acknowledged = flags & GROUP_ACKNOWLEDGED;
	return !s.failed && group_is_possible(g);
}

bool record_take_peer(struct reader *r, struct record_peer *p)
{
	struct reader s = take_section(r);
	unsigned flags;

	*p = (struct record_peer){.peer.id = reader_u64(&s)};
	p->peer.nonce = reader_u64(&s);
	p->peer.sequence = reader_u64(&s);
	for (size_t i = 0; i < PEER_RETIRED_MAX; i++)
		p->peer.retired[i] = reader_u64(&s);
	p->peer.retired_next = reader_u8(&s);
	p->peer.earlier_nonce = reader_u64(&s);
	p->peer.earlier_sequence = reader_u64(&s);
	flags = reader_u8(&s);
	p->peer.proven = flags & PEER_PROVEN;
	p->peer.leaving = flags & PEER_LEAVING;
	p->peer.names_us = flags & PEER_NAMES_US;
	p->was_live = flags & PEER_WAS_LIVE;
	p->was_hearing = flags & PEER_WAS_HEARING;
	p->deaf = flags & PEER_DEAF;
	p->peer.heard = take_instant(&s);
	p->peer.echo_age_ns = take_duration(&s);
	p->peer.interval_ns = take_duration(&s);
	p->peer.tolerance_ns = take_duration(&s);
	take_name(&s, p->name, sizeof(p->name));
	p->address = take_ip(&s);
	p->source = take_ip(&s);
	p->received = reader_u64(&s);
	p->deaf_since = take_instant(&s);
	p->deaf_sequence = reader_u32(&s);
	p->entry_count = reader_u32(&s);
	p->fence_margin_ns = take_duration(&s);
	p->mac_count = reader_u8(&s);
	s.failed = s.failed || p->mac_count > HEARTBEAT_MACS_MAX;
	for (size_t i = 0; !s.failed && i < p->mac_count; i++)
		reader_bytes(&s, p->macs[i], MAC_SIZE);
	record_take_histogram(&s, &p->jitter);
	return !s.failed && p->peer.id != 0 && p->peer.retired_next < PEER_RETIRED_MAX;
}

bool record_take_entry(struct reader *r, const struct record_node *node, struct record_entry *e)
{
	struct reader s = take_section(r);

	e->group = reader_u32(&s);
	e->state = reader_u8(&s);
	e->renewed = reader_u8(&s);
	e->flags = reader_u16(&s);
	e->granted_us = reader_u8(&s) != 0;
	e->worth = reader_u16(&s);
	e->epoch = reader_u64(&s);
	return !s.failed && e->group < node->group_count && e->state >= STATE_STANDBY &&
	       e->state <= STATE_SHUTDOWN;
}

bool record_is_read(const struct reader *r)
{
	return !r->failed && r->left == 0;
}
