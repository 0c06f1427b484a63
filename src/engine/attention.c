/* SPDX-License-Identifier: ISC */
#include "engine/attention.h"

#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "engine/devices.h"
#include "engine/inputs.h"
#include "engine/node.h"
#include "engine/peers.h"
#include "engine/prepare.h"

/* Whatever was overlooked is seen after so many intervals. */
#define SWEEP_INTERVALS 64
/* 2^64 divided by the golden ratio, as in Fibonacci hashing. */
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static size_t words(const struct engine *e)
{
	return (e->conf->group_count + 63u) / 64;
}

void attention_start(struct engine *e)
{
	attention_mark_all(e);
}

void attention_mark(struct engine *e, size_t group)
{
	assert(group < e->conf->group_count);
	e->attention.marked[group / 64] |= UINT64_C(1) << (group % 64);
}

void attention_mark_again(struct engine *e, size_t group)
{
	if (e->attention.lazy)
		e->attention.again[group / 64] |= UINT64_C(1) << (group % 64);
}

void attention_mark_all(struct engine *e)
{
	size_t rest = e->conf->group_count % 64;

	memset(e->attention.marked, 0xff, words(e) * sizeof(uint64_t));
	if (rest > 0)
		e->attention.marked[words(e) - 1] = (UINT64_C(1) << rest) - 1;
}

static void mark_subject(struct engine *e, const struct channel_message *m)
{
	switch (m->verb) {
	case CHANNEL_HELD:
	case CHANNEL_HOLD_FAILED:
	case CHANNEL_RELEASED:
	case CHANNEL_EXPIRED:
		if (m->index < e->conf->group_count)
			attention_mark(e, m->index);
		break;
	case CHANNEL_REMOVED:
		if (m->index < e->conf->address_count)
			attention_mark(e, e->conf->addresses[m->index].group);
		break;
	case CHANNEL_TARGET:
	case CHANNEL_FRAME: break; /* whoever finds something in it marks */
	default: attention_mark_all(e); break;
	}
}

static void mark_one(struct engine *e, size_t group)
{
	if (group < e->conf->group_count)
		attention_mark(e, group);
}

void attention_event(struct engine *e, const struct engine_event *event)
{
	if (!e->attention.lazy)
		return;
	switch (event->kind) {
	case ENGINE_TIMER:
	case ENGINE_SENT:
	case ENGINE_SEND_FAILED:
	case ENGINE_DATAGRAM: break; /* as above, or common_of() tells */
	case ENGINE_KEEPER: mark_subject(e, event->keeper); break;
	case ENGINE_HEALTH: mark_one(e, event->health->group); break;
	case ENGINE_PREPARED: mark_one(e, event->preparation.group); break;
	default: attention_mark_all(e); break;
	}
}

static uint64_t add(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * MULTIPLIER + (hash >> 31);
}

static uint64_t address_hash(const struct ip *address)
{
	uint64_t halves[2];

	static_assert(sizeof(halves) == sizeof(address->bytes), "all of it");
	memcpy(halves, address->bytes, sizeof(halves));
	return (halves[0] + address->family) * MULTIPLIER ^ halves[1];
}

/* Odd multipliers of their own keep the parts apart, and none waits for the one before it. */
static uint64_t add_peer(const struct engine *e, uint64_t hash, const struct peer_record *p)
{
	bool silent = time_reached(e->now, peer_silence_deadline(&p->peer));
	bool hears = peer_hears_us(&p->peer, e->conf->node.tolerance_ns);
	uint64_t flags = (uint64_t)(silent | hears << 1 | p->peer.proven << 2 |
				    p->peer.leaving << 3 | p->table.complete << 4);

	return add(hash, p->peer.id * UINT64_C(0xbf58476d1ce4e5b9) +
				 p->peer.nonce * UINT64_C(0x94d049bb133111eb) +
				 (uint64_t)p->peer.tolerance_ns * UINT64_C(0xff51afd7ed558ccd) +
				 address_hash(&p->address) * UINT64_C(0xc4ceb9fe1a85ec53) +
				 flags * UINT64_C(0x2545f4914f6cdd1d));
}

/* What concerns all groups. */
static uint64_t common_of(const struct engine *e)
{
	struct ip own = devices_real_address(e);
	uint64_t hash = add(ID_SEED, (uint64_t)(e->stopping | time_reached(e->now, e->lease) << 1 |
						e->send_failing << 2 | e->pause.wanted << 3 |
						e->pause.patient << 4 | e->pause.last_word << 5));

	hash = add(hash, devices_digest(e));
	hash = add(hash, address_hash(&own));
	hash = add(hash, (uint64_t)groups_listen_ns(e));
	for (size_t i = 0; i < e->peer_count; i++)
		hash = add_peer(e, hash, &e->peers[i]);
	if (e->originals.count > 0)
		hash = add(hash, (uint64_t)e->now.ns); /* their silence is judged elsewhere */
	return hash;
}

/* One more part of all groups is looked at without a reason. */
static void sweep(struct engine *e)
{
	size_t count = e->conf->group_count;

	for (size_t n = 0; n < count / SWEEP_INTERVALS + 1; n++) {
		e->attention.sweep = (e->attention.sweep + 1) % count;
		attention_mark(e, e->attention.sweep);
	}
}

void attention_begin(struct engine *e)
{
	struct attention *a = &e->attention;
	uint64_t common;
	size_t group;

	if (!a->lazy) {
		attention_mark_all(e);
		return;
	}
	memset(a->seen, 0, words(e) * sizeof(uint64_t));
	for (size_t i = 0; i < words(e); i++) {
		a->marked[i] |= a->again[i];
		a->again[i] = 0;
	}
	common = common_of(e);
	if (common != a->common)
		attention_mark_all(e);
	a->common = common;
	while (deadlines_take(&a->due, e->now, &group))
		attention_mark(e, group);
	if (time_reached(e->now, e->beat_at))
		sweep(e);
}

static bool find(const uint64_t *bits, size_t count, size_t from, size_t *ret_found)
{
	for (size_t word = from / 64; word * 64 < count; word++) {
		uint64_t left = bits[word];

		if (word == from / 64)
			left &= ~UINT64_C(0) << (from % 64);
		if (left != 0) {
			*ret_found = word * 64 + (size_t)__builtin_ctzll(left);
			return true;
		}
	}
	return false;
}

bool attention_marked(const struct engine *e, size_t *group)
{
	return find(e->attention.marked, e->conf->group_count, *group, group);
}

bool attention_take(struct engine *e, size_t *ret_group)
{
	struct attention *a = &e->attention;
	size_t group;

	if (!find(a->marked, e->conf->group_count, 0, &group))
		return false;
	a->marked[group / 64] &= ~(UINT64_C(1) << (group % 64));
	a->seen[group / 64] |= UINT64_C(1) << (group % 64);
	*ret_group = group;
	return true;
}

bool attention_seen(const struct engine *e, size_t *group)
{
	return find(e->attention.seen, e->conf->group_count, *group, group);
}

bool attention_is_left(const struct engine *e)
{
	size_t group = 0;

	return attention_marked(e, &group) ||
	       find(e->attention.again, e->conf->group_count, 0, &group);
}
