/* SPDX-License-Identifier: ISC */
#include "engine/adopt.h"

#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "engine/addresses.h"
#include "engine/devices.h"
#include "engine/effects.h"
#include "engine/groups.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/node.h"
#include "engine/peers.h"
#include "engine/settle.h"
#include "engine/tables.h"
#include "wire/record.h"

/* --- leaving */

size_t engine_record_size(const struct engine *e)
{
	size_t groups = e->conf->group_count;

	return RECORD_FRAME_SIZE + RECORD_NODE_SIZE + e->conf->device_count * RECORD_DEVICE_SIZE +
	       groups * RECORD_GROUP_SIZE +
	       e->peer_count * (RECORD_PEER_SIZE + groups * RECORD_ENTRY_SIZE);
}

/* One that the next engine will not have is not its business. */
static bool is_left(const struct engine *e, size_t group)
{
	return e->groups[group].election.phase != ELECTION_SHUTDOWN;
}

static uint32_t count_groups(const struct engine *e)
{
	uint32_t count = 0;

	for (size_t g = 0; g < e->conf->group_count; g++)
		count += is_left(e, g);
	return count;
}

static void save_device(const struct engine *e, size_t index, struct writer *w)
{
	const struct device *d = &e->devices[index];
	struct record_device record = {.managed = d->managed, .raised_at = d->raised_at};

	text_copy(record.name, sizeof(record.name), e->conf->devices[index].name);
	record_put_device(w, &record);
}

static void save_group(const struct engine *e, size_t index, struct writer *w)
{
	const struct group *g = &e->groups[index];
	const struct election *election = &g->election;
	struct record_group record = {.phase = election->phase,
		.cause = election->cause,
		.cause_peer = election->cause_peer,
		.since = election->since,
		.epoch = election->epoch,
		.claim = election->claim,
		.yielded_to = election->yielded_to,
		.acknowledged = g->acknowledged,
		.well_since = g->steadiness.well_since,
		.epoch_seen = election->epoch_seen,
		.epoch_rival = election->epoch_rival,
		.holder = election->holder,
		.granter = election->granter,
		.pauses = election->pauses,
		.wants = election->wants,
		.contenders = election->contenders,
		.in_touch = g->in_touch,
		.conflict = g->conflict,
		.told_holder = g->told_holder,
		.held_last = g->held_last,
		.state_since = g->state_since,
		.transitions = g->transitions,
		.cause_silence_ns = g->cause_silence_ns > 0 ? g->cause_silence_ns : 0,
		.cause_ineligible = (uint8_t)g->cause_ineligible,
		.told_ineligible = (uint8_t)g->told_ineligible,
		.hold_off = (uint8_t)g->hold_off,
		.hold_off_until = g->hold_off_until,
		.hold_off_error = (uint32_t)g->hold_off_error,
		.worth_change = (int32_t)g->health.worth - e->conf->groups[index].worth,
		.impaired = g->health.impaired,
		.unfit = g->health.ineligible};

	text_copy(record.health_reason, sizeof(record.health_reason), g->health.reason);
	text_copy(record.name, sizeof(record.name), e->conf->groups[index].name);
	text_copy(record.cause_name, sizeof(record.cause_name), g->cause_peer);
	if (strchr(record.cause_name, ' '))
		record.cause_name[0] = '\0'; /* "another node" is no name */
	record_put_group(w, &record);
}

static void save_entries(const struct engine *e, const struct peer_record *p, struct writer *w)
{
	uint32_t number = 0;

	for (size_t g = 0; g < e->conf->group_count; g++) {
		const struct peer_entry *entry = &p->entries[g];

		if (is_left(e, g) && entry->present)
			record_put_entry(w, &(struct record_entry){.group = number,
						    .state = entry->state,
						    .flags = entry->flags,
						    .renewed = entry->renewed,
						    .granted_us = entry->grantee != 0 &&
								  entry->grantee == e->mark,
						    .worth = entry->worth,
						    .epoch = entry->epoch});
		number += is_left(e, g);
	}
}

static void save_peer(const struct engine *e, const struct peer_record *p, struct writer *w)
{
	struct record_peer record = {.peer = p->peer,
		.address = p->address,
		.source = p->source,
		.received = p->received,
		.was_live = p->was_live,
		.was_hearing = p->was_hearing,
		.deaf = p->deaf,
		.deaf_since = p->deaf_since,
		.deaf_sequence = p->deaf_sequence,
		.fence_margin_ns = p->fence_margin_ns,
		.mac_count = p->mac_count,
		.jitter = p->jitter};

	memcpy(record.macs, p->macs, sizeof(record.macs));
	text_copy(record.name, sizeof(record.name), p->name);
	for (size_t g = 0; g < e->conf->group_count; g++)
		record.entry_count += is_left(e, g) && p->entries[g].present;
	record_put_peer(w, &record);
	save_entries(e, p, w);
}

size_t engine_save(const struct engine *e, uint8_t *bytes, size_t size)
{
	struct record_node node = {.id = e->identity.id,
		.nonce = e->identity.nonce,
		.sequence = e->sequence,
		.sequence_recent = e->sequence_recent,
		.sequence_newer = e->sequence_newer,
		.sequence_rotated = e->sequence_rotated,
		.saved = e->now,
		.lease = e->lease,
		.sent = e->sent,
		.received = e->received,
		.device_count = e->conf->device_count,
		.peer_count = (uint16_t)e->peer_count,
		.group_count = count_groups(e),
		.metrics.metrics = e->metrics};
	struct writer w;

	memcpy(node.metrics.dropped, e->dropped, sizeof(e->dropped));
	record_begin(&w, bytes, size, &node);
	for (size_t d = 0; d < e->conf->device_count; d++)
		save_device(e, d, &w);
	for (size_t g = 0; g < e->conf->group_count; g++)
		if (is_left(e, g))
			save_group(e, g, &w);
	for (size_t i = 0; i < e->peer_count; i++)
		save_peer(e, &e->peers[i], &w);
	return record_finish(&w);
}

/* --- coming */

static bool take_devices(struct engine *e, const struct record_node *node, struct reader *r)
{
	for (size_t n = 0; n < node->device_count; n++) {
		struct record_device record;

		if (!record_take_device(r, &record))
			return false;
		for (size_t d = 0; d < e->conf->device_count; d++) {
			if (strcmp(e->conf->devices[d].name, record.name) != 0)
				continue;
			e->devices[d].managed = record.managed && !e->conf->devices[d].path;
			e->devices[d].adopted = true;
			e->devices[d].raised_at = record.raised_at;
		}
	}
	return true;
}

/* A worth of 0 in the configuration is a word of its own: nothing raises it. */
static void take_health(struct engine *e, size_t index, const struct record_group *record)
{
	struct engine_health *h = &e->groups[index].health;
	int64_t configured = e->conf->groups[index].worth;
	int64_t worth = configured + (configured != 0 ? record->worth_change : 0);

	*h = (struct engine_health){.group = (uint16_t)index,
		.worth = (uint16_t)(worth < 0            ? 0
				    : worth > UINT16_MAX ? UINT16_MAX
							 : worth),
		.impaired = record->impaired,
		.ineligible = record->unfit};
	text_copy(h->reason, sizeof(h->reason), record->health_reason);
}

static void take_group(struct engine *e, size_t index, const struct record_group *record)
{
	struct group *g = &e->groups[index];

	g->election = (struct election){.phase = record->phase,
		.cause = record->cause,
		.cause_peer = record->cause_peer,
		.since = record->since,
		.epoch = record->epoch,
		.claim = record->claim,
		.yielded_to = record->yielded_to,
		.epoch_seen = record->epoch_seen,
		.epoch_rival = record->epoch_rival,
		.holder = record->holder,
		.granter = record->granter,
		.pauses = record->pauses,
		.wants = record->wants,
		.contenders = record->contenders};
	g->adopted = true;
	g->acknowledged = record->acknowledged;
	g->steadiness.well_since = record->well_since;
	g->steadiness.impaired = record->impaired;
	g->in_touch = record->in_touch;
	g->conflict = record->conflict;
	g->told_state = group_state(g);
	g->told_epoch = record->epoch;
	g->told_holder = record->told_holder;
	g->held_last = record->held_last;
	g->state_since = record->state_since;
	g->transitions = record->transitions;
	text_copy(g->cause_peer, sizeof(g->cause_peer), record->cause_name);
	g->cause_silence_ns = record->cause_silence_ns;
	g->cause_ineligible = record->cause_ineligible;
	g->told_ineligible = record->told_ineligible;
	g->hold_off = record->hold_off;
	g->hold_off_until = record->hold_off_until;
	g->hold_off_address = e->conf->groups[index].address_first;
	g->hold_off_error = (int)record->hold_off_error;
	take_health(e, index, record);
}

/* @ret_index: of the record's groups, which of ours they are; -1: none. */
static bool take_groups(struct engine *e, const struct record_node *node, struct reader *r,
	int16_t ret_index[GROUPS_MAX])
{
	for (size_t n = 0; n < node->group_count; n++) {
		struct record_group record;
		int index;

		if (!record_take_group(r, &record) || record.cause_ineligible > INELIGIBLE_LAST ||
			record.told_ineligible > INELIGIBLE_LAST ||
			record.hold_off > INELIGIBLE_LAST)
			return false;
		index = conf_group_by_name(e->conf, record.name);
		ret_index[n] = (int16_t)index;
		if (index >= 0)
			take_group(e, (size_t)index, &record);
	}
	return true;
}

static bool take_entries(const struct engine *e, const struct record_node *node,
	const struct record_peer *record, struct reader *r, const int16_t index[GROUPS_MAX],
	struct peer_record *p)
{
	for (uint32_t n = 0; n < record->entry_count; n++) {
		struct record_entry entry;

		if (!record_take_entry(r, node, &entry))
			return false;
		p->holds = p->holds || entry.state == STATE_ACTIVE;
		if (index[entry.group] < 0)
			continue;
		p->entries[index[entry.group]] = (struct peer_entry){.present = true,
			.state = entry.state,
			.flags = entry.flags & HEARTBEAT_GROUP_FLAGS,
			.renewed = entry.renewed,
			.grantee = entry.granted_us ? e->mark : 0,
			.worth = entry.worth,
			.epoch = entry.epoch};
		p->table.active += entry_is_active(&p->entries[index[entry.group]]);
	}
	return true;
}

static bool take_peer(struct engine *e, const struct record_peer *record, int64_t gap_ns)
{
	struct peer_record *p = &e->peers[e->peer_count];

	if (record->peer.id == e->identity.id || peers_find(e, record->peer.id))
		return false;
	e->peer_count++;
	p->peer = record->peer;
	p->peer.heard = time_min(p->peer.heard, time_add(e->now, -gap_ns));
	if (p->peer.tolerance_ns > e->conf->node.max_tolerance_ns)
		p->peer.tolerance_ns = e->conf->node.max_tolerance_ns;
	peer_credit_stall(&p->peer, e->now, gap_ns);
	text_copy(p->name, sizeof(p->name), record->name);
	p->address = record->address;
	p->source = record->source;
	p->received = record->received;
	p->heard_since = e->now; /* it has not heard us either */
	p->was_live = record->was_live;
	p->was_hearing = record->was_hearing;
	p->deaf = record->deaf;
	p->deaf_since = record->deaf_since;
	p->deaf_sequence = record->deaf_sequence;
	p->fence_margin_ns = record->fence_margin_ns;
	p->mac_count = record->mac_count;
	p->jitter = record->jitter;
	memcpy(p->macs, record->macs, sizeof(p->macs));
	return true;
}

static bool take_peers(struct engine *e, const struct record_node *node, struct reader *r,
	const int16_t index[GROUPS_MAX])
{
	int64_t gap_ns = time_between(node->saved, e->now);

	for (size_t n = 0; n < node->peer_count; n++) {
		struct record_peer record;

		if (!record_take_peer(r, &record) || !take_peer(e, &record, gap_ns) ||
			!take_entries(e, node, &record, r, index, &e->peers[e->peer_count - 1]))
			return false;
	}
	return true;
}

static void take_node(struct engine *e, const struct record_node *node)
{
	int64_t gap_ns = time_between(node->saved, e->now);

	e->identity.nonce = node->nonce;
	e->sequence = node->sequence;
	e->sequence_recent = node->sequence_recent;
	e->sequence_newer = node->sequence_newer;
	e->sequence_rotated = time_min(node->sequence_rotated, e->now);
	e->lease = e->lease_earned = node->lease;
	e->sent = node->sent;
	e->received = node->received;
	e->metrics = node->metrics.metrics;
	memcpy(e->dropped, node->metrics.dropped, sizeof(e->dropped));
	for (size_t g = 0; g < e->conf->group_count; g++)
		if (e->groups[g].adopted)
			election_credit_stall(&e->groups[g].election, e->now, gap_ns);
}

static bool is_good(const struct engine *e, ha_time now, const struct record_node *node)
{
	return node->id == e->identity.id && node->group_count <= GROUPS_MAX &&
	       time_reached(now, node->saved) && !time_reached(now, node->lease);
}

bool engine_adopt(struct engine *e, ha_time now, const uint8_t *bytes, size_t size)
{
	const struct engine_identity identity = e->identity;
	const struct heartbeat_key key = e->key;
	int16_t index[GROUPS_MAX];
	struct record_node node;
	struct reader r;

	assert(!e->started);
	if (!record_open(bytes, size, &r, &node) || !is_good(e, now, &node))
		return false;
	e->now = now;
	e->mark = table_mark(node.id, node.nonce);
	if (!take_devices(e, &node, &r) || !take_groups(e, &node, &r, index) ||
		!take_peers(e, &node, &r, index) || !record_is_read(&r)) {
		(void)engine_init(e, e->conf, identity, &key);
		return false;
	}
	take_node(e, &node);
	e->adopted = true;
	return true;
}

void adopt_start(struct engine *e, struct effects *out)
{
	effect_add(out, EFFECT_LEASE)->lease = e->lease;
	effect_keeper(out, CHANNEL_READY, 0, 0, 0);
	for (size_t g = 0; g < e->conf->group_count; g++) {
		struct group *group = &e->groups[g];

		if (!group->adopted || !group_is_held(group))
			continue;
		group->unsure = true;
		effect_keeper(out, CHANNEL_HOLD, (uint16_t)g, 0, group->election.epoch);
	}
	effect_report(e, out, REPORT_NODE, REPORT_NOTICE,
		"%s goes on where the last engine left off", e->conf->node.name);
}

bool adopt_is_blind(const struct engine *e)
{
	return e->adopted && !(devices_are_known(e) && e->fence_told);
}

void adopt_begin(struct engine *e, struct effects *out)
{
	(void)out;
	e->adopted = false;
	for (size_t g = 0; g < e->conf->group_count; g++) {
		struct group *group = &e->groups[g];

		if (!group->adopted)
			continue;
		if (group_is_held(group))
			addresses_resumed(e, g);
		else if (group->conflict)
			probes_resume(e, g);
		else if (group->election.phase == ELECTION_LISTENING)
			probes_start(e, g);
	}
}
