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
#define ANSWERS_WITHIN_NS (10 * NS_PER_MS) /* as a rule 0.2 ms */

static const struct work_queue EMPTY = {NOBODY, NOBODY};

int work_open(struct work *w, const struct conf *conf)
{
	*w = (struct work){.groups = calloc(conf->group_count, sizeof(*w->groups)),
		.holding = EMPTY,
		.releasing = EMPTY,
		.size = 1};
	return w->groups ? 0 : -ENOMEM;
}

bool work_is_idle(const struct work *w, size_t group)
{
	return w->groups[group].phase == WORK_IDLE;
}

static struct work_queue *queue_of(struct work *w, enum work_phase phase)
{
	assert(phase != WORK_IDLE);
	return phase == WORK_HOLDING ? &w->holding : &w->releasing;
}

static void leave_queue(struct work *w, size_t group)
{
	struct work_group *g = &w->groups[group];
	struct work_queue *q;

	if (g->phase == WORK_IDLE)
		return;
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
	if (g->phase == WORK_HOLDING)
		return;
	if (g->phase == WORK_IDLE && s->addresses->held[group]) {
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

/* From the last address to the first: the kernel finds the newest IPv6 address of a device first.
 */
static size_t collect_leaving(struct session *s, uint16_t *list)
{
	struct work *w = &s->work;
	size_t count = 0;

	for (uint16_t at = w->releasing.first; at != NOBODY; at = w->groups[at].next) {
		const struct conf_group *of = &s->conf->groups[at];
		struct work_group *g = &w->groups[at];

		while (g->done < of->address_count && count < NETLINK_BATCH_MAX)
			list[count++] =
				(uint16_t)(of->address_first + of->address_count - ++g->done);
		if (g->done < of->address_count)
			break;
	}
	return count;
}

static void release_some(struct session *s)
{
	uint16_t list[NETLINK_BATCH_MAX], gone[NETLINK_BATCH_MAX];
	struct work *w = &s->work;
	size_t count = collect_leaving(s, list), gone_count = 0;

	addresses_remove(s->addresses, list, count);
	while (w->releasing.first != NOBODY && gone_count < NETLINK_BATCH_MAX) {
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

static size_t collect_coming(struct session *s, uint16_t *list)
{
	struct work *w = &s->work;
	size_t count = 0;
	uint16_t next;

	for (uint16_t at = w->holding.first; at != NOBODY && count < w->size; at = next) {
		const struct conf_group *of = &s->conf->groups[at];
		struct work_group *g = &w->groups[at];

		next = g->next;
		if (g->done == 0 && !begin_group(s, at))
			continue;
		while (g->done < of->address_count && count < w->size)
			list[count++] = (uint16_t)(of->address_first + g->done++);
	}
	return count;
}

/* IPv4 addresses answer at once; the IPv6 ones are waited for, so that nobody is called to an
 * address that does not answer yet. */
static void welcome(struct session *s, size_t address)
{
	struct work *w = &s->work;

	if (s->conf->addresses[address].ip.family == IP_V4 || s->interfaces->told[address])
		session_announce(s, address);
	else
		w->awaited[w->awaited_count++] = (uint16_t)address;
}

static bool is_awaited_of(const struct session *s, size_t group)
{
	for (size_t i = 0; i < s->work.awaited_count; i++) {
		if (s->conf->addresses[s->work.awaited[i]].group == group)
			return true;
	}
	return false;
}

static void finish_groups(struct session *s)
{
	struct work *w = &s->work;

	while (w->holding.first != NOBODY) {
		uint16_t group = w->holding.first;
		const struct work_group *g = &w->groups[group];

		if (g->done < s->conf->groups[group].address_count || is_awaited_of(s, group))
			return;
		leave_queue(w, group);
		session_answer(s, CHANNEL_HELD, group, 0, g->epoch);
	}
}

static void grow(struct work *w, ha_time began)
{
	if (time_between(began, clock_now()) > QUICK_NS)
		w->size = w->size > GROWTH ? w->size / GROWTH : 1;
	else
		w->size =
			w->size * GROWTH < NETLINK_BATCH_MAX ? w->size * GROWTH : NETLINK_BATCH_MAX;
}

static void hold_some(struct session *s)
{
	int errors[NETLINK_BATCH_MAX];
	uint16_t list[NETLINK_BATCH_MAX];
	struct work *w = &s->work;
	ha_time began = clock_now();
	size_t count = collect_coming(s, list);

	assert(w->awaited_count == 0);
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
	w->patience = time_add(began, ANSWERS_WITHIN_NS);
	grow(w, began);
	finish_groups(s);
}

/* Those of whom the kernel has told by now. */
static void await_some(struct session *s)
{
	struct work *w = &s->work;
	bool patient = !time_reached(clock_now(), w->patience);
	size_t left = 0;

	for (size_t i = 0; i < w->awaited_count; i++) {
		uint16_t address = w->awaited[i];

		if (patient && !s->interfaces->told[address])
			w->awaited[left++] = address;
		else
			session_announce(s, address);
	}
	/* As long as some come, the others will. */
	if (left < w->awaited_count)
		w->patience = time_add(clock_now(), ANSWERS_WITHIN_NS);
	w->awaited_count = left;
	finish_groups(s);
}

enum work_next work_do(struct session *s)
{
	struct work *w = &s->work;

	if (w->releasing.first != NOBODY)
		release_some(s);
	else if (w->holding.first != NOBODY && session_lease_passed(s))
		session_expire(s);
	else if (w->awaited_count > 0)
		await_some(s);
	else if (w->holding.first != NOBODY && session_has_room(s))
		hold_some(s);
	else if (w->holding.first != NOBODY)
		return WORK_LATER;
	if (w->releasing.first != NOBODY)
		return WORK_MORE;
	if (w->awaited_count > 0)
		return WORK_LATER;
	if (w->holding.first != NOBODY)
		return WORK_MORE;
	return s->interfaces->gone ? WORK_LATER : WORK_NOTHING; /* not all of them are told yet */
}

void work_drop(struct session *s)
{
	struct work *w = &s->work;

	w->awaited_count = 0;
	while (w->holding.first != NOBODY)
		leave_queue(w, w->holding.first);
	while (w->releasing.first != NOBODY) {
		uint16_t group = w->releasing.first;

		leave_queue(w, group);
		tell_outcome(s, group);
	}
}
