/* SPDX-License-Identifier: ISC */
#include "engine/engine.h"

#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "engine/addresses.h"
#include "engine/adopt.h"
#include "engine/attention.h"
#include "engine/beat.h"
#include "engine/devices.h"
#include "engine/due.h"
#include "engine/effects.h"
#include "engine/explain.h"
#include "engine/groups.h"
#include "engine/health.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/measure.h"
#include "engine/node.h"
#include "engine/own.h"
#include "engine/pause.h"
#include "engine/peers.h"
#include "engine/prepare.h"
#include "engine/releases.h"
#include "engine/requests.h"
#include "engine/suspicion.h"
#include "engine/tables.h"

/* R10: a step that comes later than this after its deadline is a stall of ours, told in the log. */
#define STALL_TOLD_NS (20 * NS_PER_MS)

/* Where each part of an engine's memory stands: behind the struct itself. */
struct layout {
	size_t groups, addresses, entries, own, datagrams, bits, due, announcing, size;
};

static size_t append(size_t *size, size_t count, size_t element)
{
	size_t at = (*size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);

	*size = at + count * element;
	return at;
}

static size_t bit_words(const struct conf *conf)
{
	return (conf->group_count + 63u) / 64;
}

static struct layout layout_of(const struct conf *conf)
{
	struct layout l = {.size = sizeof(struct engine)};

	l.groups = append(&l.size, conf->group_count, sizeof(struct group));
	l.addresses = append(&l.size, conf->address_count, sizeof(struct address));
	l.entries =
		append(&l.size, (size_t)PEERS_MAX * conf->group_count, sizeof(struct peer_entry));
	l.own = append(&l.size, conf->group_count, sizeof(struct own_entry));
	l.datagrams = append(&l.size, SENDS_MAX, sizeof(struct datagram_pair));
	l.bits = append(&l.size, 3 * bit_words(conf), sizeof(uint64_t));
	l.due = append(&l.size, conf->group_count, sizeof(struct deadline_slot));
	l.announcing = append(&l.size, conf->address_count, sizeof(struct deadline_slot));
	return l;
}

size_t engine_size(const struct conf *conf)
{
	return layout_of(conf).size;
}

static void lay_out(struct engine *e, const struct conf *conf)
{
	struct layout l = layout_of(conf);
	uint8_t *memory = (uint8_t *)e;
	struct peer_entry *entries = (void *)(memory + l.entries);

	memset(e, 0, l.size);
	e->groups = (void *)(memory + l.groups);
	e->addresses = (void *)(memory + l.addresses);
	for (size_t i = 0; i < PEERS_MAX; i++)
		e->peers[i].entries = entries + i * conf->group_count;
	e->own.entries = (void *)(memory + l.own);
	e->datagrams = (void *)(memory + l.datagrams);
	e->attention.marked = (void *)(memory + l.bits);
	e->attention.again = e->attention.marked + bit_words(conf);
	e->attention.seen = e->attention.again + bit_words(conf);
	e->attention.due = deadlines_init((void *)(memory + l.due), conf->group_count);
	e->announcing = deadlines_init((void *)(memory + l.announcing), conf->address_count);
}

struct engine *engine_init(void *memory, const struct conf *conf, struct engine_identity identity,
	const struct heartbeat_key *key)
{
	struct engine *e = memory;

	assert(identity.id != 0 && identity.nonce != 0);
	assert(conf->group_count > 0 && conf->node.path_count > 0);
	lay_out(e, conf);
	e->conf = conf;
	e->identity = identity;
	e->key = *key;
	releases_start(e);
	for (size_t a = 0; a < conf->address_count; a++)
		announce_stop(&e->addresses[a].announce);
	for (size_t a = 0; a < conf->address_count; a++)
		e->groups[conf->addresses[a].group].devices |=
			(uint16_t)(1u << conf->addresses[a].device);
	if (conf->group_count > HEARTBEAT_GROUPS_MAX)
		engine_tell_changes(e);
	return e;
}

void engine_tell_changes(struct engine *e)
{
	assert(!e->started);
	e->own.in_use = e->attention.lazy = true;
}

static void start(struct engine *e, bool drained, struct effects *out)
{
	e->started = true;
	e->drained = drained;
	e->beat_at = e->now;
	e->answer_at = TIME_NEVER;
	own_start(e);
	attention_start(e);
	groups_start(e);
	health_start(e);
	if (e->adopted) {
		adopt_start(e, out);
		return;
	}
	e->sequence_rotated = e->now;
	effect_keeper(out, CHANNEL_READY, 0, 0, 0);
	effect_report(e, out, REPORT_NODE, REPORT_NOTICE,
		"%s has started: %u group%s, %u address%s", e->conf->node.name,
		e->conf->group_count, e->conf->group_count == 1 ? "" : "s", e->conf->address_count,
		e->conf->address_count == 1 ? "" : "es");
	if (!e->key.present)
		effect_report(e, out, REPORT_NODE, REPORT_WARNING,
			"heartbeats are not authenticated: anybody on this LAN can move the "
			"address; make "
			"a key with `ha keygen` and name it as key-file");
}

/* R10: what we did not see while we did not run is not the peers' silence. */
static void account_for_stall(struct engine *e, struct effects *out)
{
	int64_t late_ns;

	if (time_is_never(e->deadline) || !time_reached(e->now, e->deadline))
		return;
	late_ns = time_between(e->deadline, e->now);
	peers_credit_stall(e, late_ns);
	e->stalled_ns += late_ns;
	groups_credit_stall(e, late_ns);
	if (late_ns < STALL_TOLD_NS)
		return;
	metrics_count(&e->metrics, METRIC_STALLS);
	effect_report(e, out, REPORT_NODE, REPORT_WARNING,
		"this node did not run for %lld ms; its peers are given that time",
		(long long)(late_ns / NS_PER_MS));
}

static void group_message(struct engine *e, const struct channel_message *m, struct effects *out)
{
	size_t group = m->index;

	if (group >= e->conf->group_count)
		return;
	switch (m->verb) {
	case CHANNEL_HELD:
		e->groups[group].unsure = false;
		/* An answer to an earlier claim, overtaken by a release, is none to this one. */
		if (m->number != e->groups[group].election.epoch)
			break;
		measure_held(e, group, m->second);
		groups_step(e, group, ELECTION_HELD, out);
		break;
	case CHANNEL_HOLD_FAILED:
		if (group_is_held(&e->groups[group]) && !e->groups[group].unsure)
			break; /* nothing was asked */
		e->groups[group].unsure = false;
		if (m->second < e->conf->address_count)
			e->groups[group].hold_off_address = m->second;
		e->groups[group].hold_off_error = (int)m->number;
		groups_step(e, group, ELECTION_FAILED, out);
		break;
	case CHANNEL_RELEASED:
		measure_released(e, group);
		groups_step(e, group, ELECTION_RELEASED, out);
		break;
	case CHANNEL_EXPIRED: groups_step(e, group, ELECTION_EXPIRED, out); break;
	default: break;
	}
}

static void stop(struct engine *e, struct effects *out)
{
	if (!e->stopping)
		effect_report(e, out, REPORT_NODE, REPORT_NOTICE, "%s stops", e->conf->node.name);
	e->stopping = true;
	e->pause.wanted = false; /* what is stopped for good waits for no successor */
}

static void keeper_message(struct engine *e, const struct channel_message *m, struct effects *out)
{
	switch (m->verb) {
	case CHANNEL_HELD:
	case CHANNEL_HOLD_FAILED:
	case CHANNEL_RELEASED:
	case CHANNEL_EXPIRED: group_message(e, m, out); break;
	case CHANNEL_REMOVED:
		if (m->index < e->conf->address_count)
			addresses_removed(e, m->index, out);
		break;
	case CHANNEL_TARGET:
		if (m->index < e->conf->address_count)
			addresses_target(e, m);
		break;
	case CHANNEL_FRAME: addresses_frame(e, m, out); break;
	case CHANNEL_STOP: stop(e, out); break;
	case CHANNEL_FENCE:
		e->fence = m->number;
		e->fenced = m->second != 0;
		e->fence_told = true;
		break;
	case CHANNEL_PAUSE:
		pause_begin(e, m->number <= INT64_MAX ? (int64_t)m->number : INT64_MAX, out);
		break;
	case CHANNEL_RETIRE:
		if (m->index < e->conf->group_count)
			e->groups[m->index].retired = true;
		break;
	case CHANNEL_RESUME: pause_end(e, out); break;
	case CHANNEL_ANSWERED: break; /* checks are its owner's business */
	case CHANNEL_BEGIN:
	case CHANNEL_RENEWED: break; /* the driver's */
	case CHANNEL_READY:
	case CHANNEL_HOLD:
	case CHANNEL_RELEASE:
	case CHANNEL_RESTORE:
	case CHANNEL_ANNOUNCE:
	case CHANNEL_REQUEST:
	case CHANNEL_PROBE:
	case CHANNEL_ASK:
	case CHANNEL_WILL:
	case CHANNEL_AFRESH:
	case CHANNEL_PAUSED: break; /* ours to say */
	}
}

static void handle(struct engine *e, const struct engine_event *event, struct effects *out)
{
	switch (event->kind) {
	case ENGINE_START: start(e, event->drained, out); break;
	case ENGINE_TIMER: break;
	case ENGINE_DATAGRAM: peers_hear(e, event, out); break;
	case ENGINE_SENT:
		beat_sent(e, out);
		pause_spoken(e, out);
		break;
	case ENGINE_SEND_FAILED:
		beat_failed(e, event->error, out);
		pause_spoken(e, out);
		break;
	case ENGINE_DEVICE: devices_changed(e, &event->device, out); break;
	case ENGINE_KEEPER: keeper_message(e, event->keeper, out); break;
	case ENGINE_PREPARED: prepare_answered(e, &event->preparation); break;
	case ENGINE_HEALTH: health_changed(e, event->health, out); break;
	case ENGINE_ORIGINAL: original_heard(e, &event->datagram.source); break;
	case ENGINE_REQUEST: requests_take(e, event->request, out); break;
	case ENGINE_STOP: stop(e, out); break;
	}
}

/* R10: of what waits for one that comes late, the first is older than the rest: nothing is judged
 * by it before the timer, ahead of which everything is read. */
static bool may_have_more_to_read(const struct engine *e, const struct engine_event *event)
{
	return e->started && event->kind != ENGINE_TIMER && time_reached(e->now, e->deadline);
}

static void finish_if_stopped(struct engine *e, struct effects *out)
{
	if (!e->stopping || !groups_are_shut_down(e))
		return;
	assert(!e->stopped); /* engine_step() does nothing any more then */
	e->stopped = true;
	beat_last(e, out);
	effect_add(out, EFFECT_STOPPED);
}

static ha_time next_deadline(const struct engine *e)
{
	ha_time deadline = time_min(beat_deadline(e), pause_deadline(e));

	deadline = time_min(deadline, peers_deadline(e));
	deadline = time_min(deadline, suspicion_deadline(e));
	deadline = time_min(deadline, groups_deadline(e));
	deadline = time_min(deadline, original_deadline(e));
	deadline = time_min(deadline, tables_deadline(e));
	deadline = time_min(deadline, requests_deadline(e));
	return time_min(deadline, addresses_deadline(e));
}

void engine_step(
	struct engine *e, ha_time now, const struct engine_event *event, struct effects *out)
{
	bool late;

	assert(now.ns >= e->now.ns);
	assert(e->started != (event->kind == ENGINE_START));
	out->count = 0;
	e->before = e->now;
	e->now = now;
	if (e->stopped)
		return;
	late = may_have_more_to_read(e, event);
	if (e->started)
		account_for_stall(e, out);
	attention_event(e, event);
	handle(e, event, out);
	if (e->stopped || adopt_is_blind(e)) {
		/* Else the fence and the devices are told next. */
		e->deadline = e->stopped || time_reached(now, e->lease) ? TIME_NEVER : e->lease;
		return;
	}
	if (late) {
		e->deadline = now;
		return;
	}
	if (e->adopted)
		adopt_begin(e, out);
	/* A datagram or a sending decides nothing by itself; what it changed does. */
	attention_begin(e);
	suspicion_review(e, out);
	groups_evaluate(e, out);
	requests_review(e, out);
	beat_lease(e, out);
	peers_review(e, out);
	addresses_due(e, out);
	probes_due(e, out);
	original_due(e, out);
	groups_plan(e);
	own_review(e);
	tables_due(e);
	finish_if_stopped(e, out);
	if (!e->stopped)
		pause_review(e, out);
	if (!e->stopped)
		beat_due(e, out);
	/* At the end there is nothing to wait for: a deadline that passed would come again and
	 * again. */
	e->deadline = e->stopped ? TIME_NEVER : next_deadline(e);
}

ha_time engine_deadline(const struct engine *e)
{
	return e->deadline;
}

bool engine_holds(const struct engine *e, size_t group)
{
	return group < e->conf->group_count && group_is_held(&e->groups[group]);
}

void engine_describe(const struct engine *e, size_t group, struct engine_hook *ret_hook)
{
	const struct group *g = &e->groups[group];
	uint64_t holder = group_holder(e, group);

	*ret_hook = (struct engine_hook){
		.group = (uint16_t)group, .state = group_state(g), .previous = group_state(g)};
	ret_hook->epoch =
		ret_hook->state == STATE_ACTIVE ? g->election.epoch : g->election.epoch_seen;
	if (holder != 0)
		text_copy(ret_hook->holder, sizeof(ret_hook->holder),
			holder == e->identity.id ? e->conf->node.name : peers_name(e, holder));
	explain_cause(e, group, ret_hook->reason, sizeof(ret_hook->reason));
}
