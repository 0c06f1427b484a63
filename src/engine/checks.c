/* SPDX-License-Identifier: ISC */
#include "engine/checks.h"

#include <string.h>

#include "base/assert.h"
#include "base/text.h"

struct checks checks_init(const struct conf *conf, struct checks_entry *list)
{
	struct checks c = {.conf = conf, .count = conf->check_count, .list = list};

	for (size_t i = 0; i < c.count; i++) {
		list[i] = (struct checks_entry){.believed_until = TIME_NEVER};
		text_copy(list[i].text, sizeof(list[i].text), "it has not answered yet");
	}
	return c;
}

bool checks_take(struct checks *c, const struct verdict *v)
{
	struct checks_entry *entry, before;

	if (v->kind != VERDICT_CHECK || v->index >= c->count)
		return false;
	entry = &c->list[v->index];
	before = *entry;
	/* One that has just been started anew knows less than is still believed. */
	if (v->verdict == CHECK_UNKNOWN)
		return false;
	entry->verdict = v->verdict;
	entry->value = v->value;
	entry->answered = v->answered;
	entry->hold_until = v->hold_until;
	entry->believed_until = TIME_NEVER;
	text_copy(entry->text, sizeof(entry->text), v->text);
	return entry->verdict != before.verdict || entry->value != before.value;
}

void checks_presume(struct checks *c, size_t group, ha_time now)
{
	const struct conf_group *g = &c->conf->groups[group];

	for (size_t i = g->check_first; i < g->check_first + g->check_count; i++) {
		struct checks_entry *entry = &c->list[i];

		if (entry->verdict != CHECK_UNKNOWN)
			continue;
		entry->verdict = CHECK_PASSING;
		entry->value = g->worth;
		entry->believed_until = time_add(
			now, c->conf->checks[i].timeout_ns + c->conf->checks[i].interval_ns);
	}
}

void checks_lost(struct checks *c, ha_time now, bool (*of)(enum conf_check_kind kind))
{
	for (size_t i = 0; i < c->count; i++)
		if (of(c->conf->checks[i].kind) && time_is_never(c->list[i].believed_until))
			c->list[i].believed_until = time_add(now, c->conf->checks[i].timeout_ns);
}

int checks_expire(struct checks *c, ha_time now)
{
	for (size_t i = 0; i < c->count; i++) {
		struct checks_entry *entry = &c->list[i];

		if (time_is_never(entry->believed_until) ||
			!time_reached(now, entry->believed_until))
			continue;
		entry->believed_until = TIME_NEVER;
		text_copy(entry->text, sizeof(entry->text),
			"the process that checks it (ha-checker) does not answer");
		if (entry->verdict == CHECK_FAILING)
			continue;
		entry->verdict = CHECK_FAILING;
		return (int)i;
	}
	return -1;
}

ha_time checks_deadline(const struct checks *c)
{
	ha_time deadline = TIME_NEVER;

	for (size_t i = 0; i < c->count; i++)
		deadline = time_min(deadline, c->list[i].believed_until);
	return deadline;
}

/* Sums up the failing ones of one effect in @reason: the first by name, the others by number. */
struct summary {
	struct text text;
	size_t failing;
};

static void add_failing(
	struct summary *s, const struct conf_check *check, const struct checks_entry *entry)
{
	char name[NAME_SIZE];

	if (s->failing++ > 0)
		return;
	conf_check_describe(check, name, sizeof(name));
	text_add(&s->text, "check %s fails%s%s", name, entry->text[0] != '\0' ? ": " : "",
		entry->text);
}

static void finish(struct summary *s)
{
	char more[32];
	struct text t = text_init(more, sizeof(more));

	if (s->failing < 2)
		return;
	text_add(&t, " (and %zu more)", s->failing - 1);
	/* It must not be what is cut. */
	if (s->text.length + t.length >= s->text.size)
		s->text.length = s->text.size - 1 - t.length;
	text_add(&s->text, "%s", more);
}

static uint16_t lowered(uint16_t worth, uint32_t by)
{
	if (worth == 0)
		return 0;
	return by < worth ? (uint16_t)(worth - by) : 1; /* 0 would be never */
}

struct engine_health checks_health(const struct checks *c, size_t group)
{
	const struct conf_group *g = &c->conf->groups[group];
	struct engine_health health = {.group = (uint16_t)group, .worth = g->worth};
	struct summary s = {.text = text_init(health.reason, sizeof(health.reason))};
	uint32_t lower = 0;

	for (size_t i = 0; i < g->check_count; i++) {
		const struct conf_check *check = &c->conf->checks[g->check_first + i];
		const struct checks_entry *entry = &c->list[g->check_first + i];

		if (entry->verdict == CHECK_PASSING && check->is_worth && g->worth > 0)
			health.worth = entry->value;
		if (entry->verdict == CHECK_PASSING || check->lower > 0)
			continue;
		health.impaired = true;
		add_failing(&s, check, entry);
	}
	/* What impairs is told before what only lowers. */
	for (size_t i = 0; i < g->check_count; i++) {
		const struct conf_check *check = &c->conf->checks[g->check_first + i];
		const struct checks_entry *entry = &c->list[g->check_first + i];

		if (entry->verdict == CHECK_PASSING || check->lower == 0)
			continue;
		lower += check->lower;
		add_failing(&s, check, entry);
	}
	finish(&s);
	health.worth = lowered(health.worth, lower);
	return health;
}

static int badness(const struct engine_health *h)
{
	return h->ineligible ? 2 : h->impaired ? 1 : 0;
}

struct engine_health checks_merge(
	const struct engine_health *a, const struct engine_health *b, uint16_t configured_worth)
{
	const struct engine_health *worse = badness(a) >= badness(b) ? a : b;
	const struct engine_health *other = worse == a ? b : a;
	struct engine_health both = *worse;
	/* Each says how far from the configured worth it is. */
	int64_t worth = (int64_t)a->worth + b->worth - configured_worth;

	both.ineligible = a->ineligible || b->ineligible;
	both.impaired = a->impaired || b->impaired;
	worth = worth < 1 ? 1 : worth > UINT16_MAX ? UINT16_MAX : worth;
	both.worth = a->worth == 0 || b->worth == 0 ? 0 : (uint16_t)worth;
	if (both.reason[0] == '\0')
		text_copy(both.reason, sizeof(both.reason), other->reason);
	return both;
}
