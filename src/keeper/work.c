/* SPDX-License-Identifier: ISC */
#include "keeper/work.h"

#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "keeper/session.h"
#include "sys/clock.h"

#define NOBODY            UINT16_MAX
#define GROWTH            4
#define QUICK_NS          (2 * NS_PER_MS) /* a batch that takes longer is followed by a smaller one */
#define SIZE_MAX_V4       100
#define SIZE_RELEASED     100
#define ANSWERS_WITHIN_NS (10 * NS_PER_MS) /* as a rule 0.2 ms after the one before ... */
#define ANSWERS_EACH_NS   (20 * NS_PER_US) /* ... and while many others are awaited */

static const struct work_queue EMPTY = {NOBODY, NOBODY};

static void make_order(struct work *w, const struct conf *conf)
{
	for (size_t g = 0; g < conf->group_count; g++) {
		size_t first = conf->groups[g].address_first, at = first;
		size_t end = first + conf->groups[g].address_count;

		w->order[at++] = (uint16_t)first;
		for (size_t i = first + 1; i < end; i++) {
			if (conf->addresses[i].ip.family == IP_V6)
				w->order[at++] = (uint16_t)i;
		}
		for (size_t i = first + 1; i < end; i++) {
			if (conf->addresses[i].ip.family == IP_V4)
				w->order[at++] = (uint16_t)i;
		}
		assert(at == end);
	}
}

int work_open(struct work *w, const struct conf *conf)
{
	*w = (struct work){.groups = calloc(conf->group_count, sizeof(*w->groups)),
		.order = calloc(conf->address_count, sizeof(*w->order)),
		.awaited = calloc(conf->address_count, sizeof(*w->awaited)),
		.holding = EMPTY,
		.releasing = EMPTY,
		.size = 1};
	if (!w->groups || !w->order || !w->awaited)
		return -ENOMEM;
	make_order(w, conf);
	return 0;
}

bool work_is_idle(const struct work *w, size_t group)
{
	return w->groups[group].phase == WORK_IDLE;
}

static struct work_queue *queue_of(struct work *w, enum work_phase phase)
{
	assert(phase == WORK_HOLDING || phase == WORK_RELEASING);
	return phase == WORK_HOLDING ? &w->holding : &w->releasing;
}

static void leave_queue(struct work *w, size_t group)
{
	struct work_group *g = &w->groups[group];
	struct work_queue *q;

	if (g->phase == WORK_IDLE || g->phase == WORK_AWAITING) {
		g->phase = WORK_IDLE;
		return;
	}
	q = queue_of(w, g->phase);
	if (g->previous == NOBODY)
		q->first = g->next;
	else
		w->groups[g->previous].next = g->next;
	if (g->next == NOBODY)
		q->last = g->previous;
	else
		w->groups[g->next].previous = g->previous;
	g->phase = WORK_IDLE;
}

static void enter_queue(struct work *w, size_t group, enum work_phase phase)
{
	struct work_queue *q = queue_of(w, phase);
	struct work_group *g = &w->groups[group];

	leave_queue(w, group);
	g->phase = (uint8_t)phase;
	g->done = 0;
	g->next = NOBODY;
	g->previous = q->last;
	if (q->last == NOBODY)
		q->first = (uint16_t)group;
	else
		w->groups[q->last].next = (uint16_t)group;
	q->last = (uint16_t)group;
}

static void await_no_more(struct session *s, size_t group)
{
	struct work *w = &s->work;
	size_t left = 0;

	if (w->groups[group].awaited == 0)
		return;
	w->groups[group].awaited = 0;
	for (size_t i = 0; i < w->awaited_count; i++) {
		if (s->conf->addresses[w->awaited[i]].group != group)
			w->awaited[left++] = w->awaited[i];
	}
	w->awaited_count = left;
}

/* On its way down, for whatever reason. */
static void take_down(struct session *s, size_t group)
{
	await_no_more(s, group);
	enter_queue(&s->work, group, WORK_RELEASING);
	addresses_let_go(s->addresses, group);
}

static void fail(struct session *s, size_t group, size_t address, int error)
{
	struct work_group *g = &s->work.groups[group];

	g->failed = (uint16_t)address;
	g->error = error;
	take_down(s, group);
}

void work_hold(struct session *s, size_t group, uint64_t epoch)
{
	struct work *w = &s->work;
	struct work_group *g = &w->groups[group];

	g->epoch = epoch;
	g->asked = clock_now();
	g->announced = 0;
	if (g->phase == WORK_HOLDING || g->phase == WORK_AWAITING)
		return;
	if (g->phase == WORK_IDLE && s->addresses->held[group] &&
		addresses_are_placed(s->addresses, group)) {
		session_answer(s, CHANNEL_HELD, group, 0, epoch);
		return;
	}
	if (g->phase == WORK_RELEASING) {
		/* Not what an engine does that waits for its answers. */
		session_answer(s, CHANNEL_EXPIRED, group, 0, epoch);
		return;
	}
	if (w->holding.first == NOBODY)
		w->size = 1;
	g->error = 0;
	enter_queue(w, group, WORK_HOLDING);
}

void work_release(struct session *s, size_t group)
{
	s->work.groups[group].error = 0;
	if (s->work.groups[group].phase != WORK_RELEASING)
		take_down(s, group);
}

/* --- down */

static void tell_outcome(struct session *s, size_t group)
{
	const struct work_group *g = &s->work.groups[group];

	if (g->error == 0)
		session_answer(s, CHANNEL_RELEASED, group, 0, g->epoch);
	else
		session_answer(s, CHANNEL_HOLD_FAILED, group, g->failed, (uint64_t)-g->error);
}

/* In reverse: the kernel finds the newest IPv6 address of a device first. */
static size_t collect_leaving(struct session *s, uint16_t *list)
{
	struct work *w = &s->work;
	size_t count = 0;

	for (uint16_t at = w->releasing.first; at != NOBODY; at = w->groups[at].next) {
		const struct conf_group *of = &s->conf->groups[at];
		struct work_group *g = &w->groups[at];

		while (g->done < of->address_count && count < SIZE_RELEASED)
			list[count++] = w->order[of->address_first + of->address_count - ++g->done];
		if (g->done < of->address_count)
			break;
	}
	return count;
}

static void release_some(struct session *s)
{
	uint16_t list[SIZE_RELEASED], gone[SIZE_RELEASED];
	struct work *w = &s->work;
	size_t count = collect_leaving(s, list), gone_count = 0;

	addresses_remove(s->addresses, list, count);
	while (w->releasing.first != NOBODY && gone_count < SIZE_RELEASED) {
		uint16_t group = w->releasing.first;

		if (w->groups[group].done < s->conf->groups[group].address_count)
			break;
		leave_queue(w, group);
		gone[gone_count++] = group;
	}
	addresses_gone(s->addresses, gone, gone_count);
	for (size_t i = 0; i < gone_count; i++)
		tell_outcome(s, gone[i]);
}

/* --- up */

/* The group's devices, before its first address. False if it has failed. */
static bool begin_group(struct session *s, size_t group)
{
	size_t failed = s->conf->groups[group].address_first;
	int r = addresses_hold(s->addresses, group, &failed);

	if (r < 0) {
		fail(s, group, failed, r);
		return false;
	}
	session_watch_lease(s);
	return true;
}

/* The next addresses: IPv6 ones as many as there are, since they cost nothing yet; but the very
 * first address is alone. */
static size_t collect_coming(struct session *s, uint16_t *list)
{
	struct work *w = &s->work;
	size_t count = 0, room = w->size;
	size_t max = w->size == 1 ? 1 : NETLINK_BATCH_MAX;
	uint16_t next;

	for (uint16_t at = w->holding.first; at != NOBODY && room > 0 && count < max; at = next) {
		const struct conf_group *of = &s->conf->groups[at];
		struct work_group *g = &w->groups[at];

		next = g->next;
		if (g->done == 0 && !begin_group(s, at))
			continue;
		while (g->done < of->address_count && room > 0 && count < max) {
			uint16_t address = w->order[of->address_first + g->done++];

			list[count++] = address;
			room -= s->conf->addresses[address].ip.family == IP_V4;
		}
	}
	return count;
}

static void announce(struct session *s, uint16_t address)
{
	struct work_group *g = &s->work.groups[s->conf->addresses[address].group];
	int64_t units;

	session_announce(s, address);
	if (g->announced != 0)
		return;
	units = time_between(g->asked, clock_now()) / CHANNEL_HELD_UNIT_NS + 1;
	g->announced = units < UINT16_MAX ? (uint16_t)units : UINT16_MAX;
}

static void welcome(struct session *s, uint16_t address)
{
	const struct conf_address *a = &s->conf->addresses[address];
	struct work *w = &s->work;

	if (a->ip.family == IP_V4 || s->interfaces->told[address]) {
		announce(s, address);
		return;
	}
	w->awaited[w->awaited_count++] = address;
	w->groups[a->group].awaited++;
}

static void finish(struct session *s, size_t group)
{
	const struct work_group *g = &s->work.groups[group];

	leave_queue(&s->work, group);
	session_answer(s, CHANNEL_HELD, group, g->announced, g->epoch);
}

/* Those whose last address has gone to the kernel. */
static void finish_groups(struct session *s)
{
	struct work *w = &s->work;

	while (w->holding.first != NOBODY) {
		uint16_t group = w->holding.first;
		struct work_group *g = &w->groups[group];

		if (g->done < s->conf->groups[group].address_count)
			return;
		if (g->awaited == 0) {
			finish(s, group);
			continue;
		}
		leave_queue(w, group);
		g->phase = WORK_AWAITING;
	}
}

static void grow(struct work *w, ha_time began)
{
	if (time_between(began, clock_now()) > QUICK_NS)
		w->size = w->size > GROWTH ? w->size / GROWTH : 1;
	else
		w->size = w->size * GROWTH < SIZE_MAX_V4 ? w->size * GROWTH : SIZE_MAX_V4;
}

static void be_patient(struct work *w)
{
	w->patience = time_add(
		clock_now(), ANSWERS_WITHIN_NS + (int64_t)w->awaited_count * ANSWERS_EACH_NS);
}

static void hold_some(struct session *s)
{
	int errors[NETLINK_BATCH_MAX];
	uint16_t list[NETLINK_BATCH_MAX];
	struct work *w = &s->work;
	ha_time began = clock_now();
	size_t count = collect_coming(s, list);

	if (count > 0)
		addresses_add(s->addresses, list, count, errors);
	for (size_t i = 0; i < count; i++) {
		size_t group = s->conf->addresses[list[i]].group;

		if (w->groups[group].phase != WORK_HOLDING)
			continue; /* another one of it has failed */
		if (errors[i] == 0)
			welcome(s, list[i]);
		else
			fail(s, group, list[i], errors[i]);
	}
	be_patient(w);
	grow(w, began);
	finish_groups(s);
}

/* Announces those of whom the kernel has told by now. */
static void await_some(struct session *s)
{
	struct work *w = &s->work;
	bool patient = !time_reached(clock_now(), w->patience);
	size_t count = w->awaited_count;

	w->awaited_count = 0;
	for (size_t i = 0; i < count; i++) {
		uint16_t address = w->awaited[i];
		size_t group = s->conf->addresses[address].group;

		if (patient && !s->interfaces->told[address]) {
			w->awaited[w->awaited_count++] = address;
			continue;
		}
		announce(s, address);
		if (--w->groups[group].awaited == 0 && w->groups[group].phase == WORK_AWAITING)
			finish(s, group);
	}
	if (w->awaited_count < count)
		be_patient(w);
}

static void do_some(struct session *s)
{
	struct work *w = &s->work;

	if (w->releasing.first != NOBODY)
		release_some(s);
	else if (w->holding.first != NOBODY && session_lease_passed(s))
		session_expire(s);
	else if (w->holding.first != NOBODY && session_has_room(s))
		hold_some(s);
	if (w->awaited_count > 0)
		await_some(s);
}

enum work_next work_do(struct session *s)
{
	struct work *w = &s->work;

	do_some(s);
	if (w->releasing.first != NOBODY)
		return WORK_MORE;
	if (w->holding.first != NOBODY)
		return session_has_room(s) ? WORK_MORE : WORK_LATER;
	/* Addresses of which the engine is not told yet that they are gone. */
	return w->awaited_count > 0 || s->interfaces->gone ? WORK_LATER : WORK_NOTHING;
}

void work_drop(struct session *s)
{
	struct work *w = &s->work;

	w->awaited_count = 0;
	while (w->releasing.first != NOBODY) {
		uint16_t group = w->releasing.first;

		leave_queue(w, group);
		tell_outcome(s, group);
	}
	for (size_t g = 0; g < s->conf->group_count; g++) {
		leave_queue(w, g);
		w->groups[g].awaited = 0;
	}
}
