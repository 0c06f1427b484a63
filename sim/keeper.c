/* SPDX-License-Identifier: ISC */
/*
 * keeper: ha-keeper with a model of a kernel below it. What it decides is the real thing, custody
 * (src/custody); what is here carries that out, as src/keeper does, one thing after the other.
 */
#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "sim/invariants.h"
#include "sim/tally.h"
#include "sim/world.h"

#define JOINING_TAKES_NS (200 * NS_PER_US) /* as src/keeper/work.h tells */

bool keeper_is_awake(const struct world *w, const struct node *n)
{
	return n->keeper.runs && time_reached(w->now, n->keeper_stalled_until);
}

void keeper_notes(struct world *w, struct node *n, const struct note *note, ha_time at)
{
	struct happening h;

	schedule_prepare(&h, HAPPENS_NOTE)->note = *note;
	schedule(w, &h, node_index(w, n), time_max(at, n->keeper_stalled_until));
}

static void says(
	struct world *w, struct node *n, enum channel_verb verb, size_t index, uint64_t number)
{
	struct note note = {.verb = verb, .index = (uint16_t)index, .number = number};

	keeper_notes(w, n, &note, w->now);
}

static bool lease_has_passed(const struct world *w, const struct node *n)
{
	return time_reached(node_clock(n, w->now), n->lease);
}

static void plan_work(struct world *w, struct node *n)
{
	struct happening h;

	if (n->keeper.works || custody_work(&n->keeper.custody) == CUSTODY_REST)
		return;
	n->keeper.works = true;
	schedule(w, schedule_prepare(&h, HAPPENS_WORK), node_index(w, n),
		time_add(w->now, KEEPER_TAKES_NS));
}

static void announce_run(struct world *w, struct node *n, size_t first, size_t more)
{
	char text[IP_TEXT_SIZE];

	for (size_t a = first; a <= first + more; a++) {
		if (w->shows_announcements)
			world_tell(w, "%s announces %s", n->name,
				ip_format(&n->conf.addresses[a].ip, text));
		frames_announce(w, n, a);
	}
}

static void perform_verb(struct world *w, struct node *n, const struct custody_effect *e)
{
	switch (e->verb) {
	case CHANNEL_RESTORE:
		kernel_restore(n, e->index);
		frames_announce(w, n, e->index);
		break;
	case CHANNEL_ANNOUNCE: announce_run(w, n, e->index, e->second); break;
	case CHANNEL_REQUEST: frames_ask(w, n, e->index, e->second); break;
	case CHANNEL_PROBE: frames_probe(w, n, e->index); break;
	default: break;
	}
}

static void take_all_down(struct world *w, struct node *n)
{
	for (size_t g = 0; g < n->conf.group_count; g++) {
		n->held[g].expired |= n->held[g].asked && lease_has_passed(w, n);
		kernel_take_down(w, n, g);
	}
}

static void send_will(struct world *w, struct node *n)
{
	struct packet *p;

	invariant_will(w, n);
	n->keeper.will.source = node_address(n);
	if (n->keeper.will.size == 0)
		return;
	p = lan_packet(w, n, &n->keeper.will);
	p->boot = n->died; /* in the name of the one that died */
	(void)lan_read_packet(p, n);
	lan_multicast(w, n, p);
	lan_drop_packet(w, p);
}

/* What it leaves stays until the next keeper comes; where there is no fence, for a lifetime. */
static void leave(struct world *w, struct node *n)
{
	struct keeper *k = &n->keeper;
	struct happening h;

	k->saved = node_clock(n, w->now);
	k->lease = n->lease;
	for (size_t g = 0; g < n->conf.group_count; g++)
		k->left[g] = custody_is_held(&k->custody, g);
	fence_is_left(w, n);
	if (!fence_is_exact(n) && n->fence != CHANNEL_FENCE_LIFETIME)
		kernel_make_mortal(w, n, custody_lifetime_s(k->saved, k->lease));
	keeper_dies(w, n);
	schedule(w, schedule_prepare(&h, HAPPENS_SUCCESSOR), node_index(w, n),
		time_add(w->now, n->succession.gap_ns - n->succession.gap_ns / 2));
}

/* The driver keeps the first message for itself. */
static void tell_engine(struct world *w, struct node *n, const struct custody_effect *e)
{
	struct note note = {
		.verb = e->verb, .index = e->index, .second = e->second, .number = e->number};

	if (e->verb == CHANNEL_EXPIRED)
		n->held[e->index].expired = true;
	if (e->verb != CHANNEL_BEGIN)
		keeper_notes(w, n, &note, w->now);
}

static void perform(struct world *w, struct node *n, const struct custody_effect *e)
{
	switch (e->kind) {
	case CUSTODY_TELL: tell_engine(w, n, e); break;
	case CUSTODY_REFUSE: tally_refused(w->tally); break;
	case CUSTODY_PERFORM: perform_verb(w, n, e); break;
	case CUSTODY_KEEP_WILL: n->keeper.will = n->own_will; break;
	case CUSTODY_BRING_UP:
	case CUSTODY_LET_GO: plan_work(w, n); break;
	case CUSTODY_WATCH: n->keeper.watchdog = e->until; break;
	case CUSTODY_TAKE_DOWN: take_all_down(w, n); break;
	case CUSTODY_EXPIRED:
	case CUSTODY_SETTLE: break;
	case CUSTODY_SEND_WILL: send_will(w, n); break;
	case CUSTODY_LEAVE: leave(w, n); break;
	}
}

static void step(struct world *w, struct node *n, struct custody_event event)
{
	struct custody_effects out = {.list = w->custody_list};

	custody_step(&n->keeper.custody, node_clock(n, w->now), n->lease, &event, &out);
	for (size_t i = 0; i < out.count; i++)
		perform(w, n, &out.list[i]);
}

/* --- the engine asks */

static void note_hold(struct world *w, struct node *n, const struct note *note)
{
	struct held *held = &n->held[note->index];

	n->said_yes[note->index] = false;
	held->asked = true;
	held->asked_at = w->now;
	held->expired = false;
	held->epoch = held->last_epoch = note->number;
}

static void note_asked(struct world *w, struct node *n, const struct note *note)
{
	struct held *held = &n->held[note->index];

	if (note->verb == CHANNEL_HOLD && n->succession.takes_up && n->keeper.left[note->index])
		return; /* R8: it was held before */
	invariant_asked(w, n, note->verb, note->index, note->number);
	if (note->verb == CHANNEL_HOLD)
		note_hold(w, n, note);
	if (note->verb == CHANNEL_RELEASE) {
		held->asked = false;
		held->expired = held->expired || lease_has_passed(w, n);
	}
}

/* A group that the engine did not go on with is none that it asks for. */
static void note_dropped(struct node *n)
{
	for (size_t g = 0; g < n->conf.group_count; g++)
		if (n->held[g].asked && n->keeper.groups[g].phase == CUSTODY_LEAVING &&
			n->keeper.groups[g].error == 0)
			n->held[g].asked = false;
}

static void hear(struct world *w, struct node *n, const struct note *note)
{
	step(w, n,
		(struct custody_event){.kind = CUSTODY_MESSAGE,
			.verb = note->verb,
			.index = note->index,
			.second = note->second,
			.number = note->number});
	if (note->verb == CHANNEL_WILL)
		note_dropped(n);
}

/* What is said to a frozen keeper waits in the channel. */
static void say(struct world *w, struct node *n, const struct note *note)
{
	struct happening h;

	if (!n->keeper.runs)
		return;
	if (keeper_is_awake(w, n) && n->keeper.unread == 0) {
		hear(w, n, note);
		return;
	}
	n->keeper.unread++;
	schedule_prepare(&h, HAPPENS_TOLD)->note = *note;
	schedule(w, &h, node_index(w, n), w->now);
}

void keeper_reads(struct world *w, struct node *n, const struct note *note)
{
	if (n->keeper.unread > 0)
		n->keeper.unread--;
	if (n->keeper.runs)
		hear(w, n, note);
}

void keeper_told(struct world *w, struct node *n, const struct effect *effect)
{
	const struct note note = {.verb = effect->keeper.verb,
		.index = effect->keeper.index,
		.second = effect->keeper.second,
		.number = effect->keeper.number};

	note_asked(w, n, &note);
	if (note.verb == CHANNEL_WILL) {
		n->own_will = (struct datagram){
			.size = effect->keeper.payload_size, .hop_limit = HEARTBEAT_HOP_LIMIT};
		memcpy(n->own_will.bytes, effect->keeper.payload, n->own_will.size);
	}
	say(w, n, &note);
}

void keeper_told_paused(struct world *w, struct node *n)
{
	const struct note paused = {.verb = CHANNEL_PAUSED, .number = n->succession.size};
	struct happening h;

	say(w, n, &paused);
	/* What it has not read yet, this word above all, comes before the end. */
	if (keeper_is_awake(w, n) && n->keeper.unread == 0)
		keeper_sees_end(w, n);
	else if (n->keeper.runs)
		schedule(w, schedule_prepare(&h, HAPPENS_GONE), node_index(w, n), w->now);
}

/* --- its work */

static uint16_t since_asked(const struct world *w, const struct node *n, size_t group)
{
	int64_t units = time_between(n->held[group].asked_at, w->now) / CHANNEL_HELD_UNIT_NS + 1;

	return units < UINT16_MAX ? (uint16_t)units : UINT16_MAX;
}

static void welcome(struct world *w, struct node *n, size_t group, enum ip_family family)
{
	const struct conf_group *g = &n->conf.groups[group];

	for (size_t a = g->address_first; a < (size_t)g->address_first + g->address_count; a++) {
		if (n->conf.addresses[a].ip.family != family)
			continue;
		frames_announce(w, n, a);
		frames_tell_targets(w, n, a);
	}
}

static bool has_v6(const struct node *n, size_t group)
{
	const struct conf_group *g = &n->conf.groups[group];

	for (size_t a = g->address_first; a < (size_t)g->address_first + g->address_count; a++)
		if (n->conf.addresses[a].ip.family == IP_V6)
			return true;
	return false;
}

static void finish(struct world *w, struct node *n, size_t group)
{
	step(w, n,
		(struct custody_event){
			.kind = CUSTODY_UP, .group = group, .second = since_asked(w, n, group)});
}

/* IPv4 addresses answer at once, IPv6 ones when the kernel has joined their groups. */
static void await(struct world *w, struct node *n, size_t group)
{
	struct happening h;

	step(w, n, (struct custody_event){.kind = CUSTODY_PLACED, .group = group});
	schedule_prepare(&h, HAPPENS_JOINED)->note.index = (uint16_t)group;
	schedule(w, &h, node_index(w, n), time_add(w->now, JOINING_TAKES_NS));
}

void keeper_sees_joined(struct world *w, struct node *n, size_t group)
{
	if (!n->keeper.runs || group >= n->conf.group_count ||
		n->keeper.groups[group].phase != CUSTODY_AWAITED)
		return;
	welcome(w, n, group, IP_V6);
	finish(w, n, group);
}

static void bring_next_up(struct world *w, struct node *n)
{
	size_t group = custody_first(&n->keeper.custody, CUSTODY_BRING_UP_NEXT);

	step(w, n, (struct custody_event){.kind = CUSTODY_BEGAN, .group = group});
	if (n->held[group].refuses) {
		step(w, n,
			(struct custody_event){.kind = CUSTODY_FAILED,
				.group = group,
				.second = n->conf.groups[group].address_first,
				.number = EPERM});
		return;
	}
	kernel_bring_up(w, n, group);
	welcome(w, n, group, IP_V4);
	if (has_v6(n, group))
		await(w, n, group);
	else
		finish(w, n, group);
}

static void take_next_down(struct world *w, struct node *n)
{
	size_t group = custody_first(&n->keeper.custody, CUSTODY_TAKE_DOWN_NEXT);

	kernel_take_down(w, n, group);
	step(w, n, (struct custody_event){.kind = CUSTODY_DOWN, .group = group});
}

void keeper_does_more(struct world *w, struct node *n)
{
	const struct custody *c = &n->keeper.custody;

	n->keeper.works = false;
	if (!n->keeper.runs)
		return;
	if (custody_work(c) == CUSTODY_BRING_UP_NEXT)
		step(w, n, (struct custody_event){.kind = CUSTODY_LEASE});
	if (custody_work(c) == CUSTODY_BRING_UP_NEXT)
		bring_next_up(w, n);
	else if (custody_work(c) == CUSTODY_TAKE_DOWN_NEXT)
		take_next_down(w, n);
	plan_work(w, n);
}

/* --- keepers and engines come and go */

static void begin(struct world *w, struct node *n)
{
	struct keeper *k = &n->keeper;

	k->runs = true;
	k->works = false;
	k->unread = 0;
	k->will.size = 0;
	k->watchdog = TIME_NEVER;
	k->restarting = false;
	k->restarts = (struct restarts){0};
	restarts_start(&k->restarts, node_clock(n, w->now));
	custody_init(&k->custody, &n->conf, k->groups, k->told_removed);
	n->keeper_stalled_until = time_max(w->now, n->host_stalled_until);
}

/* What a node has of an engine that is gone. */
static void forget_engine(struct node *n)
{
	for (size_t g = 0; g < WORLD_GROUPS_MAX; g++)
		n->held[g] = (struct held){.refuses = n->held[g].refuses};
	n->sequence_recent = n->sequence_newer = 0;
	n->up_count = 0;
	n->lease = n->last_sent = n->last_sent_world = TIME_ORIGIN;
	n->own_will.size = 0;
	n->mortal = false;
	memset(n->yielded, 0, sizeof(n->yielded));
}

void keeper_start(struct world *w, struct node *n)
{
	forget_engine(n);
	begin(w, n);
	step(w, n, (struct custody_event){.kind = CUSTODY_BEGIN});
}

void keeper_begins_again(struct world *w, struct node *n)
{
	forget_engine(n);
	n->keeper.restarting = false;
	n->keeper.will.size = 0;
	restarts_start(&n->keeper.restarts, node_clock(n, w->now));
	step(w, n, (struct custody_event){.kind = CUSTODY_BEGIN});
}

/* False: too many have crashed. */
static bool restart_later(struct world *w, struct node *n)
{
	struct happening h;
	int64_t delay_ns = restarts_crash(&n->keeper.restarts, node_clock(n, w->now));

	n->dying = false;
	n->keeper.restarting = delay_ns != RESTARTS_NEVER;
	if (!n->keeper.restarting)
		world_tell(w, "%s gives up: its engine has crashed too often", n->name);
	else
		schedule(w, schedule_prepare(&h, HAPPENS_RESTART), node_index(w, n),
			time_add(w->now, delay_ns));
	return n->keeper.restarting;
}

bool keeper_succeed(struct world *w, struct node *n)
{
	struct keeper *k = &n->keeper;
	bool whole = !n->mortal;
	bool good = custody_may_take_over(k->saved, k->lease, node_clock(n, w->now));

	begin(w, n);
	for (size_t g = 0; g < n->conf.group_count; g++)
		if (good && k->left[g])
			step(w, n,
				(struct custody_event){.kind = CUSTODY_TAKEN_OVER,
					.group = g,
					.whole = whole && n->held[g].up && !n->held[g].missing &&
						 !n->succession.grows[g]});
		else
			kernel_take_down(w, n, g);
	step(w, n,
		(struct custody_event){
			.kind = CUSTODY_BEGIN, .number = good ? n->succession.size : 0});
	keeper_tells_fence(w, n);
	keeper_looks(w, n);
	return good;
}

void keeper_begins_afresh(struct world *w, struct node *n)
{
	const struct note afresh = {.verb = CHANNEL_AFRESH};

	hear(w, n, &afresh);
}

void keeper_dies(struct world *w, struct node *n)
{
	(void)w;
	n->keeper.runs = n->keeper.works = false;
	n->keeper.unread = 0;
	n->keeper.watchdog = TIME_NEVER;
}

void keeper_cleans_up(struct world *w, struct node *n)
{
	struct happening h;

	n->keeper.works = false;
	if (!n->keeper.runs)
		return;
	n->dying = true;
	schedule(w, schedule_prepare(&h, HAPPENS_GONE), node_index(w, n),
		time_add(w->now, KEEPER_TAKES_NS));
}

/* It holds nothing any more, so that its keeper has nothing to do but to end as well. */
void keeper_ends(struct world *w, struct node *n)
{
	if (keeper_is_awake(w, n))
		keeper_sees_end(w, n);
	else
		keeper_dies(w, n);
}

void keeper_sees_end(struct world *w, struct node *n)
{
	bool paused = n->succession.paused;

	if (!n->keeper.runs)
		return;
	if (n->keeper.unread > 0)
		n->keeper.will = n->own_will; /* its last word */
	step(w, n,
		(struct custody_event){.kind = CUSTODY_ENGINE_GONE,
			.stopping = n->told_to_stop,
			.leaving = paused});
	for (size_t g = 0; !paused && g < n->conf.group_count; g++)
		n->held[g].asked = false;
	if (n->restarts && !paused && !n->told_to_stop && !n->start_next && restart_later(w, n))
		return;
	keeper_dies(w, n);
	n->dying = false;
	if (n->start_next)
		node_start(w, n);
}

void keeper_tells_fence(struct world *w, struct node *n)
{
	struct note note = {
		.verb = CHANNEL_FENCE, .second = fence_is_in_time(n), .number = n->fence};

	keeper_notes(w, n, &note, w->now);
}

void keeper_tells_to_stop(struct world *w, struct node *n)
{
	says(w, n, CHANNEL_STOP, 0, 0);
}

void keeper_tells_to_retire(struct world *w, struct node *n, size_t group)
{
	says(w, n, CHANNEL_RETIRE, group, 0);
}

void keeper_tells_to_pause(struct world *w, struct node *n, int64_t patience_ns)
{
	says(w, n, CHANNEL_PAUSE, 0, (uint64_t)patience_ns);
}

void keeper_looks(struct world *w, struct node *n)
{
	for (size_t a = 0; n->keeper.runs && a < n->conf.address_count; a++) {
		const struct held *held = &n->held[n->conf.addresses[a].group];
		bool first = a == n->conf.groups[n->conf.addresses[a].group].address_first;

		if (held->up)
			step(w, n,
				(struct custody_event){.kind = CUSTODY_SEEN,
					.index = a,
					.missing = held->missing && first});
	}
}

ha_time keeper_deadline(const struct node *n)
{
	if (!n->keeper.runs || time_is_never(n->keeper.watchdog))
		return TIME_NEVER;
	return time_max(node_world_time(n, n->keeper.watchdog), n->keeper_stalled_until);
}

void keeper_watchdog(struct world *w, struct node *n)
{
	step(w, n, (struct custody_event){.kind = CUSTODY_LEASE});
}
