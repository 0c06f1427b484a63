/* SPDX-License-Identifier: ISC */
#include "keeper/work.h"

#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "keeper/session.h"
#include "sys/clock.h"

#define GROWTH        4
#define QUICK_NS      (2 * NS_PER_MS) /* a batch that takes longer is followed by a smaller one */
#define SIZE_MAX_V4   100
#define SIZE_RELEASED 100
/* The kernel tells of an IPv6 address when it can be used: as a rule 0.2 ms after the one before,
 * on a machine that is busy after 50 ms and more. Announced earlier, it would lose what clients
 * send. */
#define ANSWERS_WITHIN_NS (500 * NS_PER_MS)
#define ANSWERS_EACH_NS   (20 * NS_PER_US) /* while many others are awaited */
#define MOVE_WITHIN_NS    (10 * NS_PER_MS) /* after its last batch a move is over */
#define LEAD_WITHIN_NS    (20 * NS_PER_MS) /* so long all others wait for the very first one */

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
		.told = calloc(conf->address_count, sizeof(*w->told)),
		.size = 1,
		.busy = {-MOVE_WITHIN_NS}};
	if (!w->groups || !w->order || !w->awaited || !w->told)
		return -ENOMEM;
	make_order(w, conf);
	return 0;
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

void work_let_go(struct session *s, size_t group)
{
	await_no_more(s, group);
	s->work.groups[group].done = 0;
	addresses_let_go(s->addresses, group);
}

/* Groups that come one after the other are of one move, however soon each is done. */
static bool is_first_of_all(const struct session *s, size_t group, ha_time now)
{
	const struct work *w = &s->work;

	return custody_first(&s->custody, CUSTODY_BRING_UP_NEXT) == group &&
	       w->awaited_count == 0 && time_between(w->busy, now) > MOVE_WITHIN_NS;
}

void work_bring_up(struct session *s, size_t group)
{
	struct work *w = &s->work;

	w->groups[group] = (struct work_group){.asked = s->now};
	if (!is_first_of_all(s, group, s->now))
		return;
	w->size = 1;
	w->lead = true;
}

bool work_is_urgent(const struct session *s)
{
	return s->work.lead && custody_work(&s->custody) == CUSTODY_BRING_UP_NEXT;
}

static void tell(struct session *s, enum custody_event_kind kind, size_t group)
{
	session_step(s, &(struct custody_event){.kind = kind, .group = group});
}

static void fail(struct session *s, size_t group, size_t address, int error)
{
	session_step(s, &(struct custody_event){.kind = CUSTODY_FAILED,
				.group = group,
				.second = (uint16_t)address,
				.number = (uint64_t)-error});
}

/* --- down */

/* In reverse: the kernel finds the newest IPv6 address of a device first. */
static size_t collect_leaving(struct session *s, uint16_t *list)
{
	struct work *w = &s->work;
	size_t count = 0;

	for (size_t at = custody_first(&s->custody, CUSTODY_TAKE_DOWN_NEXT); at != CUSTODY_NOBODY;
		at = custody_next(&s->custody, at)) {
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
	for (size_t at = custody_first(&s->custody, CUSTODY_TAKE_DOWN_NEXT);
		at != CUSTODY_NOBODY && gone_count < SIZE_RELEASED &&
		w->groups[at].done == s->conf->groups[at].address_count;
		at = custody_next(&s->custody, at))
		gone[gone_count++] = (uint16_t)at;
	addresses_gone(s->addresses, gone, gone_count);
	for (size_t i = 0; i < gone_count; i++)
		tell(s, CUSTODY_DOWN, gone[i]);
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
	tell(s, CUSTODY_BEGAN, group);
	return true;
}

/* The next addresses: IPv6 ones as many as there are, since they cost nothing yet; but the very
 * first address is alone. */
static size_t collect_coming(struct session *s, uint16_t *list)
{
	struct work *w = &s->work;
	size_t count = 0, room = w->size;
	size_t max = w->size == 1 ? 1 : NETLINK_BATCH_MAX;
	size_t next;

	for (size_t at = custody_first(&s->custody, CUSTODY_BRING_UP_NEXT);
		at != CUSTODY_NOBODY && room > 0 && count < max; at = next) {
		const struct conf_group *of = &s->conf->groups[at];
		struct work_group *g = &w->groups[at];

		next = custody_next(&s->custody, at);
		if (g->done == 0 && !begin_group(s, at))
			continue;
		while (g->done < of->address_count && room > 0 && count < max) {
			uint16_t address = w->order[of->address_first + g->done++];

			if (addresses_is_settled(s->addresses, address))
				continue; /* taken over from the keeper before (R8) */
			list[count++] = address;
			room -= s->conf->addresses[address].ip.family == IP_V4;
		}
	}
	return count;
}

/* 0 would say that it was held already. */
static void note_announced(struct work_group *g, ha_time now)
{
	int64_t units =
		(time_between(g->asked, now) + CHANNEL_HELD_UNIT_NS / 2) / CHANNEL_HELD_UNIT_NS;

	if (g->announced == 0)
		g->announced = units < 1 ? 1 : units < UINT16_MAX ? (uint16_t)units : UINT16_MAX;
}

static void announce(struct session *s, const uint16_t *list, size_t count)
{
	ha_time now;

	announce_list(s->announcer, list, count);
	now = clock_now();
	for (size_t i = 0; i < count; i++) {
		s->addresses->fresh[list[i]] = false;
		note_announced(&s->work.groups[s->conf->addresses[list[i]].group], now);
	}
}

static bool answers_already(const struct session *s, uint16_t address)
{
	return s->conf->addresses[address].ip.family == IP_V4 || s->interfaces->told[address];
}

static void await(struct session *s, uint16_t address)
{
	struct work *w = &s->work;

	w->awaited[w->awaited_count++] = address;
	w->groups[s->conf->addresses[address].group].awaited++;
}

/* What has come into the kernel; of a group of which another address has failed, nothing. */
static void welcome(struct session *s, const uint16_t *list, size_t count)
{
	uint16_t now[NETLINK_BATCH_MAX];
	size_t now_count = 0;

	for (size_t i = 0; i < count; i++) {
		if (!custody_is_held(&s->custody, s->conf->addresses[list[i]].group))
			continue;
		if (answers_already(s, list[i]))
			now[now_count++] = list[i];
		else
			await(s, list[i]);
	}
	announce(s, now, now_count);
}

/* All that came together is announced by now: that re-points clients, and the neighbours' answers
 * only tell whether it did. */
static void finish(struct session *s, size_t group)
{
	const struct conf_group *g = &s->conf->groups[group];

	for (size_t i = g->address_first; i < (size_t)g->address_first + g->address_count; i++)
		session_ask(s, i);
	session_step(s, &(struct custody_event){.kind = CUSTODY_UP,
				.group = group,
				.second = s->work.groups[group].announced});
}

/* Those whose last address has gone to the kernel. */
static void finish_groups(struct session *s)
{
	size_t group;

	while ((group = custody_first(&s->custody, CUSTODY_BRING_UP_NEXT)) != CUSTODY_NOBODY) {
		const struct work_group *g = &s->work.groups[group];

		if (g->done < s->conf->groups[group].address_count)
			return;
		if (g->awaited == 0)
			finish(s, group);
		else
			tell(s, CUSTODY_PLACED, group);
	}
}

static void grow(struct work *w, ha_time began)
{
	w->busy = clock_now();
	if (time_between(began, w->busy) > QUICK_NS)
		w->size = w->size > GROWTH ? w->size / GROWTH : 1;
	else
		w->size = w->size * GROWTH < SIZE_MAX_V4 ? w->size * GROWTH : SIZE_MAX_V4;
}

static void be_patient(struct work *w)
{
	w->patience = time_add(
		clock_now(), ANSWERS_WITHIN_NS + (int64_t)w->awaited_count * ANSWERS_EACH_NS);
}

/* Those that the kernel has refused end their groups. Return: how many are left in the list. */
static size_t fail_some(struct session *s, uint16_t *list, size_t count, const int *errors)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		size_t group = s->conf->addresses[list[i]].group;

		if (errors[i] == 0)
			list[left++] = list[i];
		else if (custody_is_held(&s->custody, group))
			fail(s, group, list[i], errors[i]);
	}
	return left;
}

static void hold_some(struct session *s)
{
	int errors[NETLINK_BATCH_MAX];
	uint16_t list[NETLINK_BATCH_MAX];
	struct work *w = &s->work;
	ha_time began = clock_now();
	bool lead = w->lead;
	size_t count;

	w->lead = false;
	fence_watch(s->fence); /* it is in place before anything comes */
	count = collect_coming(s, list);
	if (count > 0)
		addresses_add(s->addresses, list, count, errors);
	count = fail_some(s, list, count, errors);
	welcome(s, list, count);
	be_patient(w);
	if (lead)
		w->lead_until = time_add(clock_now(), LEAD_WITHIN_NS);
	grow(w, began);
	finish_groups(s);
}

/* Announces those of whom the kernel has told by now. */
static void await_some(struct session *s)
{
	struct work *w = &s->work;
	bool patient = !time_reached(clock_now(), w->patience);
	size_t count = w->awaited_count, told = 0;

	w->awaited_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (patient && !s->interfaces->told[w->awaited[i]])
			w->awaited[w->awaited_count++] = w->awaited[i];
		else
			w->told[told++] = w->awaited[i];
	}
	announce(s, w->told, told);
	for (size_t i = 0; i < told; i++) {
		size_t group = s->conf->addresses[w->told[i]].group;

		if (--w->groups[group].awaited == 0 &&
			s->custody.groups[group].phase == CUSTODY_AWAITED)
			finish(s, group);
	}
	if (told > 0)
		be_patient(w);
}

/* The very first one is an IPv6 address, and not announced yet: nothing is to keep it waiting. */
static bool is_led(const struct work *w)
{
	return w->awaited_count > 0 && !time_reached(clock_now(), w->lead_until);
}

static void do_some(struct session *s)
{
	struct work *w = &s->work;

	if (custody_work(&s->custody) == CUSTODY_BRING_UP_NEXT)
		session_check_lease(s);
	switch (custody_work(&s->custody)) {
	case CUSTODY_TAKE_DOWN_NEXT:
		if (s->answers.count == 0)
			release_some(s);
		break;
	case CUSTODY_BRING_UP_NEXT:
		if (session_has_room(s) && !is_led(&s->work))
			hold_some(s);
		break;
	case CUSTODY_REST: break;
	}
	if (w->awaited_count > 0)
		await_some(s);
}

enum work_next work_do(struct session *s)
{
	do_some(s);
	if (s->answers.count > 0)
		return WORK_NOTHING; /* until the engine has read some of them */
	switch (custody_work(&s->custody)) {
	case CUSTODY_TAKE_DOWN_NEXT: return WORK_MORE;
	case CUSTODY_BRING_UP_NEXT:
		return session_has_room(s) && !is_led(&s->work) ? WORK_MORE : WORK_LATER;
	case CUSTODY_REST: break;
	}
	/* Addresses of which the engine is not told yet that they are gone. */
	if (s->work.awaited_count > 0 || s->interfaces->gone)
		return WORK_LATER;
	return ahead_some(&s->ahead) ? WORK_MORE : WORK_NOTHING;
}

void work_drop(struct session *s)
{
	s->work.awaited_count = 0;
	for (size_t g = 0; g < s->conf->group_count; g++)
		s->work.groups[g].awaited = 0;
}
