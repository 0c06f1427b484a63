/* SPDX-License-Identifier: ISC */
#include "custody/custody.h"

#include <string.h>

#include "base/assert.h"
#include "wire/handoff.h"
#include "wire/lease.h"

/* A step, while it lasts. */
struct step {
	struct custody *c;
	ha_time now, lease;
	struct custody_effects *out;
};

static struct custody_effect *add(const struct step *s, enum custody_effect_kind kind)
{
	struct custody_effect *e = &s->out->list[s->out->count++];

	*e = (struct custody_effect){.kind = kind};
	return e;
}

static void tell(const struct step *s, enum channel_verb verb, size_t index, uint16_t second,
	uint64_t number)
{
	struct custody_effect *e = add(s, CUSTODY_TELL);

	e->verb = verb;
	e->index = (uint16_t)index;
	e->second = second;
	e->number = number;
}

/* --- phases and queues */

static bool is_held(enum custody_phase phase)
{
	return phase == CUSTODY_COMING || phase == CUSTODY_AWAITED || phase == CUSTODY_HELD;
}

static struct custody_queue *queue_of(struct custody *c, enum custody_phase phase)
{
	switch (phase) {
	case CUSTODY_QUEUED:
	case CUSTODY_COMING: return &c->coming;
	case CUSTODY_LEAVING: return &c->leaving;
	case CUSTODY_FREE:
	case CUSTODY_AWAITED:
	case CUSTODY_HELD: break;
	}
	return NULL;
}

static void leave_queue(struct custody *c, struct custody_queue *q, const struct custody_group *g)
{
	if (g->previous == CUSTODY_NOBODY)
		q->first = g->next;
	else
		c->groups[g->previous].next = g->next;
	if (g->next == CUSTODY_NOBODY)
		q->last = g->previous;
	else
		c->groups[g->next].previous = g->previous;
}

static void enter_queue(struct custody *c, struct custody_queue *q, size_t group)
{
	struct custody_group *g = &c->groups[group];

	g->next = CUSTODY_NOBODY;
	g->previous = q->last;
	if (q->last == CUSTODY_NOBODY)
		q->first = (uint16_t)group;
	else
		c->groups[q->last].next = (uint16_t)group;
	q->last = (uint16_t)group;
}

/* The one place where the phase of a group changes. */
static void set_phase(struct custody *c, size_t group, enum custody_phase phase)
{
	struct custody_group *g = &c->groups[group];
	struct custody_queue *from = queue_of(c, g->phase), *to = queue_of(c, phase);

	c->held_count += (size_t)is_held(phase) - (size_t)is_held(g->phase);
	if (from != to && from)
		leave_queue(c, from, g);
	g->phase = (uint8_t)phase;
	if (from != to && to)
		enter_queue(c, to, group);
}

static void set_unsure(struct custody *c, size_t group, bool unsure)
{
	c->unsure_count += (size_t)unsure - (size_t)c->groups[group].unsure;
	c->groups[group].unsure = unsure;
}

void custody_init(struct custody *c, const struct conf *conf, struct custody_group *groups,
	bool *told_removed)
{
	*c = (struct custody){.conf = conf,
		.groups = groups,
		.told_removed = told_removed,
		.coming = {CUSTODY_NOBODY, CUSTODY_NOBODY},
		.leaving = {CUSTODY_NOBODY, CUSTODY_NOBODY}};
	memset(groups, 0, conf->group_count * sizeof(*groups));
	memset(told_removed, 0, conf->address_count * sizeof(*told_removed));
}

size_t custody_effects_max(const struct conf *conf)
{
	return (size_t)conf->group_count + 8; /* each is RELEASED or EXPIRED; and few others */
}

/* --- the lease */

static ha_time believed(const struct custody *c, ha_time now, ha_time lease)
{
	return lease_bounded(lease, now, c->conf->node.max_tolerance_ns);
}

static bool has_passed(const struct step *s)
{
	return time_reached(s->now, believed(s->c, s->now, s->lease));
}

static void watch(const struct step *s, ha_time until)
{
	add(s, CUSTODY_WATCH)->until = until;
}

/* Until the lease ends. One that counts on a longer patience (R8) is shortened by the next engine,
 * which nobody tells; but no lease that is earned later can end before the usual time from now. */
static void watch_lease(const struct step *s)
{
	const struct conf_node *node = &s->c->conf->node;
	ha_time usual = time_add(s->now, node->tolerance_ns - node->margin_ns);

	watch(s, time_min(believed(s->c, s->now, s->lease), usual));
}

static void tell_outcome(const struct step *s, size_t group)
{
	const struct custody_group *g = &s->c->groups[group];

	if (g->error == 0)
		tell(s, CHANNEL_RELEASED, group, 0, g->epoch);
	else
		tell(s, CHANNEL_HOLD_FAILED, group, g->failed, (uint64_t)g->error);
}

/* Those that were on their way down are told of. */
static void take_everything_down(const struct step *s)
{
	struct custody *c = s->c;

	add(s, CUSTODY_TAKE_DOWN);
	while (c->leaving.first != CUSTODY_NOBODY) {
		tell_outcome(s, c->leaving.first);
		set_phase(c, c->leaving.first, CUSTODY_FREE);
	}
	for (size_t g = 0; g < c->conf->group_count; g++) {
		set_phase(c, g, CUSTODY_FREE);
		set_unsure(c, g, false);
	}
	assert(c->held_count == 0);
}

static void give_up(const struct step *s)
{
	take_everything_down(s);
	add(s, CUSTODY_SETTLE);
}

/* First of all everything goes down; who was held, or waited to be, is told of that after it. */
static void expire(const struct step *s)
{
	struct custody *c = s->c;

	for (size_t g = 0; g < c->conf->group_count; g++)
		c->groups[g].expired =
			is_held(c->groups[g].phase) || c->groups[g].phase == CUSTODY_QUEUED;
	take_everything_down(s);
	watch(s, TIME_NEVER);
	add(s, CUSTODY_EXPIRED);
	for (size_t g = 0; g < c->conf->group_count; g++)
		if (c->groups[g].expired)
			tell(s, CHANNEL_EXPIRED, g, 0, c->groups[g].epoch);
	add(s, CUSTODY_SETTLE);
}

/* What is on its way down is there until its turn comes, which must not be after the lease. */
static void check_lease(const struct step *s)
{
	const struct custody *c = s->c;
	bool waits = c->coming.first != CUSTODY_NOBODY;
	bool serves = c->held_count > 0 || c->leaving.first != CUSTODY_NOBODY;

	if ((serves || waits) && has_passed(s))
		expire(s);
	else if (serves)
		watch_lease(s);
	else
		watch(s, TIME_NEVER);
}

/* --- what the engine asks for */

/* On its way down, for whatever reason. */
static void let_go(const struct step *s, size_t group, int error)
{
	s->c->groups[group].error = error;
	if (s->c->groups[group].phase == CUSTODY_LEAVING)
		return;
	set_phase(s->c, group, CUSTODY_LEAVING);
	add(s, CUSTODY_LET_GO)->index = (uint16_t)group;
}

static void bring_up(const struct step *s, size_t group)
{
	const struct conf_group *of = &s->c->conf->groups[group];

	s->c->groups[group].error = 0;
	memset(s->c->told_removed + of->address_first, 0,
		of->address_count * sizeof(*s->c->told_removed));
	set_phase(
		s->c, group, is_held(s->c->groups[group].phase) ? CUSTODY_COMING : CUSTODY_QUEUED);
	add(s, CUSTODY_BRING_UP)->index = (uint16_t)group;
}

static void hold(const struct step *s, size_t group, uint64_t epoch)
{
	struct custody_group *g = &s->c->groups[group];

	set_unsure(s->c, group, false);
	g->epoch = epoch;
	switch ((enum custody_phase)g->phase) {
	case CUSTODY_QUEUED:
	case CUSTODY_COMING:
	case CUSTODY_AWAITED: break;
	case CUSTODY_LEAVING: /* not what an engine does that waits for its answers */
		tell(s, CHANNEL_EXPIRED, group, 0, epoch);
		break;
	case CUSTODY_HELD:
		if (g->whole)
			tell(s, CHANNEL_HELD, group, 0, epoch);
		else
			bring_up(s, group);
		break;
	case CUSTODY_FREE: bring_up(s, group); break;
	}
}

/* By its first heartbeat an engine has said what it goes on with. */
static void drop_unsure(const struct step *s)
{
	for (size_t g = 0; s->c->unsure_count > 0 && g < s->c->conf->group_count; g++) {
		if (!s->c->groups[g].unsure)
			continue;
		set_unsure(s->c, g, false);
		let_go(s, g, 0);
	}
}

static void perform(const struct step *s, const struct custody_event *e)
{
	struct custody_effect *effect = add(s, CUSTODY_PERFORM);

	effect->verb = e->verb;
	effect->index = (uint16_t)e->index;
	effect->second = e->second;
}

static void carry_out(const struct step *s, const struct custody_event *e)
{
	struct custody *c = s->c;

	switch (e->verb) {
	case CHANNEL_HOLD: hold(s, e->index, e->number); break;
	case CHANNEL_RELEASE: let_go(s, e->index, 0); break;
	case CHANNEL_RESTORE: /* one that cannot be put back is told as removed again */
		c->told_removed[e->index] = false;
		perform(s, e);
		break;
	case CHANNEL_WILL:
		add(s, CUSTODY_KEEP_WILL);
		drop_unsure(s);
		break;
	case CHANNEL_AFRESH: give_up(s); break; /* it knows nothing of what it was to go on with */
	case CHANNEL_PAUSED: /* what it has left is its own word, and the next one's to judge */
		c->paused = e->number > 0 && e->number <= HANDOFF_RECORD_SIZE;
		c->record_size = e->number;
		break;
	default: perform(s, e); break;
	}
}

static void hear(const struct step *s, const struct custody_event *e)
{
	const char *reason = custody_objection(s->c, e);
	struct custody_effect *effect;

	if (!reason) {
		carry_out(s, e);
		return;
	}
	effect = add(s, CUSTODY_REFUSE);
	effect->verb = e->verb;
	effect->reason = reason;
}

/* --- engines come and go */

static void take_over(const struct step *s, const struct custody_event *e)
{
	assert(s->c->groups[e->group].phase == CUSTODY_FREE);
	set_phase(s->c, e->group, CUSTODY_HELD);
	s->c->groups[e->group].whole = e->whole;
}

static void begin(const struct step *s, uint64_t record_size)
{
	struct custody *c = s->c;

	assert(record_size > 0 || c->held_count == 0);
	c->paused = false;
	for (size_t g = 0; g < c->conf->group_count; g++)
		set_unsure(c, g, custody_is_held(c, g));
	memset(c->told_removed, 0, c->conf->address_count * sizeof(*c->told_removed));
	tell(s, CHANNEL_BEGIN, 0, 0, record_size);
	if (record_size > 0)
		watch_lease(s);
}

/* R6: first the addresses, for every one that answers a dead node's clients is an outage; then the
 * word to the others; then the rest. What a fence in the kernel silences is as good as down. An
 * engine that stopped as it was told has said its goodbyes itself. */
static void bury(const struct step *s, const struct custody_event *e)
{
	bool speaks = s->c->held_count > 0 || !e->stopping;

	if (custody_is_left(s->c, e->leaving)) {
		add(s, CUSTODY_LEAVE);
		return;
	}
	if (speaks && e->silenced)
		add(s, CUSTODY_SEND_WILL);
	take_everything_down(s);
	if (speaks && !e->silenced)
		add(s, CUSTODY_SEND_WILL);
	add(s, CUSTODY_SETTLE);
}

/* --- what became of it */

/* It is held from now on. */
static void began(const struct step *s, size_t group)
{
	assert(queue_of(s->c, s->c->groups[group].phase) == &s->c->coming);
	set_phase(s->c, group, CUSTODY_COMING);
	watch_lease(s);
}

static void up(const struct step *s, const struct custody_event *e)
{
	struct custody_group *g = &s->c->groups[e->group];

	assert(g->phase == CUSTODY_COMING || g->phase == CUSTODY_AWAITED);
	set_phase(s->c, e->group, CUSTODY_HELD);
	g->whole = true;
	tell(s, CHANNEL_HELD, e->group, e->second, g->epoch);
}

static void failed(const struct step *s, const struct custody_event *e)
{
	s->c->groups[e->group].failed = e->second;
	let_go(s, e->group, (int)e->number);
}

static void down(const struct step *s, size_t group)
{
	assert(s->c->groups[group].phase == CUSTODY_LEAVING);
	set_phase(s->c, group, CUSTODY_FREE);
	tell_outcome(s, group);
}

static void see(const struct step *s, const struct custody_event *e)
{
	if (e->missing && !s->c->told_removed[e->index])
		tell(s, CHANNEL_REMOVED, e->index, 0, 0);
	s->c->told_removed[e->index] = e->missing;
}

void custody_step(struct custody *c, ha_time now, ha_time lease, const struct custody_event *e,
	struct custody_effects *out)
{
	const struct step s = {.c = c, .now = now, .lease = lease, .out = out};

	out->count = 0;
	switch (e->kind) {
	case CUSTODY_TAKEN_OVER: take_over(&s, e); break;
	case CUSTODY_BEGIN: begin(&s, e->number); break;
	case CUSTODY_MESSAGE: hear(&s, e); break;
	case CUSTODY_BEGAN: began(&s, e->group); break;
	case CUSTODY_PLACED: set_phase(c, e->group, CUSTODY_AWAITED); break;
	case CUSTODY_UP: up(&s, e); break;
	case CUSTODY_FAILED: failed(&s, e); break;
	case CUSTODY_DOWN: down(&s, e->group); break;
	case CUSTODY_SEEN: see(&s, e); break;
	case CUSTODY_LEASE: check_lease(&s); break;
	case CUSTODY_ENGINE_GONE: bury(&s, e); break;
	case CUSTODY_GIVE_UP: give_up(&s); break;
	}
	assert(out->count <= custody_effects_max(c->conf));
}

enum custody_work custody_work(const struct custody *c)
{
	if (c->leaving.first != CUSTODY_NOBODY)
		return CUSTODY_TAKE_DOWN_NEXT;
	return c->coming.first != CUSTODY_NOBODY ? CUSTODY_BRING_UP_NEXT : CUSTODY_REST;
}

size_t custody_first(const struct custody *c, enum custody_work which)
{
	assert(which != CUSTODY_REST);
	return which == CUSTODY_TAKE_DOWN_NEXT ? c->leaving.first : c->coming.first;
}

size_t custody_next(const struct custody *c, size_t group)
{
	return c->groups[group].next;
}

bool custody_is_held(const struct custody *c, size_t group)
{
	return is_held(c->groups[group].phase);
}

bool custody_holds_any(const struct custody *c)
{
	return c->held_count > 0;
}

bool custody_is_left(const struct custody *c, bool leaving)
{
	return c->paused && leaving;
}

bool custody_may_renew(const struct custody *c, ha_time now, ha_time lease)
{
	return c->held_count > 0 && !time_reached(now, believed(c, now, lease));
}

bool custody_may_take_over(ha_time saved, ha_time lease, ha_time now)
{
	return time_reached(now, saved) && !time_reached(now, lease);
}

uint32_t custody_lifetime_s(ha_time now, ha_time lease)
{
	int64_t left_s = time_between(now, lease) / NS_PER_S - 1;

	return left_s < 1 ? 1 : (uint32_t)left_s;
}
