/* SPDX-License-Identifier: ISC */
#include "conf/checks.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "base/word.h"
#include "conf/check_kinds.h"
#include "conf/diagnostics.h"
#include "conf/room.h"
#include "conf/values.h"

#define LONGEST_NS (3600 * NS_PER_S)

struct option {
	const char *name;
	void (*take)(struct draft *d, const struct option *o, void *field, const char *value);
	size_t offset;
	int64_t minimum, maximum;
	const char *example;
};

static void take_time(struct draft *d, const struct option *o, void *field, const char *value);
static void take_number(struct draft *d, const struct option *o, void *field, const char *value);
static void take_name(struct draft *d, const struct option *o, void *field, const char *value);

#define FIELD(member) offsetof(struct conf_check, member)

static const struct option OPTIONS[] = {
	{"interval", take_time, FIELD(interval_ns), 10 * NS_PER_MS, LONGEST_NS, "1s"},
	{"timeout", take_time, FIELD(timeout_ns), 1 * NS_PER_MS, LONGEST_NS, "1s"},
	{"damping", take_time, FIELD(damping_ns), 0, LONGEST_NS, "30s"},
	{"rise", take_number, FIELD(rise), 1, 1000, "2"},
	{"fall", take_number, FIELD(fall), 1, 1000, "3"},
	{"lower", take_number, FIELD(lower), 1, UINT16_MAX, "50"},
	{"name", take_name, FIELD(name), 0, 0, "nginx"},
};
#define OPTION_COUNT (sizeof(OPTIONS) / sizeof(OPTIONS[0]))

static void take_time(struct draft *d, const struct option *o, void *field, const char *value)
{
	int64_t ns = 0;

	if (value_duration(value, &ns) != DURATION_GOOD)
		draft_complain(d, "check: %s=%s is not a time, write one like %s=%s", o->name,
			quote(value).text, o->name, o->example);
	else if (ns < o->minimum || ns > o->maximum)
		draft_complain(d, "check: %s=%s is not possible, write a time from %s to %s",
			o->name, quote(value).text, duration_format(o->minimum).text,
			duration_format(o->maximum).text);
	else
		*(int64_t *)field = ns;
}

static void take_number(struct draft *d, const struct option *o, void *field, const char *value)
{
	uint64_t number;

	if (!value_number(value, &number) || number < (uint64_t)o->minimum ||
		number > (uint64_t)o->maximum)
		draft_complain(d,
			"check: %s=%s is not possible, write a whole number from %d to %d", o->name,
			quote(value).text, (int)o->minimum, (int)o->maximum);
	else
		*(uint16_t *)field = (uint16_t)number;
}

static void take_name(struct draft *d, const struct option *o, void *field, const char *value)
{
	if (value_is_name(value))
		*(const char **)field = room_keep(d, value);
	else
		draft_complain(d,
			"check: %s=%s is not a name, use 1 to %d letters, digits, \".\", \"_\" and"
			" \"-\"",
			o->name, quote(value).text, NAME_SIZE - 1);
}

/* The option that @word, "name=value", sets; or that it nearly sets. */
static const struct option *find_option(const char *word, size_t length, bool nearly)
{
	char name[NAME_SIZE];

	if (length >= sizeof(name))
		return NULL;
	memcpy(name, word, length);
	name[length] = '\0';
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (nearly ? value_is_near(name, OPTIONS[i].name)
			   : strcmp(name, OPTIONS[i].name) == 0)
			return &OPTIONS[i];
	return NULL;
}

static bool take_option(struct draft *d, struct conf_check *c, char *word, bool seen[OPTION_COUNT])
{
	const char *equals = strchr(word, '=');
	const struct option *o = equals ? find_option(word, (size_t)(equals - word), false) : NULL;

	if (!o)
		return false;
	if (seen[o - OPTIONS])
		draft_complain(d, "check: %s= stands twice, remove one of them", o->name);
	seen[o - OPTIONS] = true;
	o->take(d, o, (char *)c + o->offset, equals + 1);
	return true;
}

/* A misspelt option would become an argument. */
static bool complain_of_near_options(struct draft *d, const struct check_words *w)
{
	bool any = false;

	for (size_t i = 1; i < w->count; i++) {
		const char *equals = strchr(w->list[i], '=');
		const struct option *o =
			equals ? find_option(w->list[i], (size_t)(equals - w->list[i]), true)
			       : NULL;

		if (!o || w->list[i][0] == '-')
			continue;
		draft_complain(d, "check: \"%s\" is unknown, did you mean \"%s=\"?",
			quote(w->list[i]).text, o->name);
		any = true;
	}
	return any;
}

static const struct check_kind *find_kind(const char *word)
{
	for (size_t i = 0; i < CONF_CHECK_KINDS; i++)
		if (strcmp(CHECK_KINDS[i].name, word) == 0)
			return &CHECK_KINDS[i];
	return NULL;
}

static void complain_of_kind(struct draft *d, const char *word)
{
	for (size_t i = 0; i < CONF_CHECK_KINDS; i++)
		if (value_is_near(word, CHECK_KINDS[i].name)) {
			draft_complain(d, "check = \"%s\" is unknown, did you mean \"%s\"?",
				quote(word).text, CHECK_KINDS[i].form);
			return;
		}
	draft_complain(d,
		"check = \"%s\" is unknown, write one of tcp, http, exec, process, file, interface,"
		" gateway, arp, route, group",
		quote(word).text);
}

void conf_check_take(struct draft *d, struct conf_check *check, char *value)
{
	struct check_words w = {.count = 0};
	bool seen[OPTION_COUNT] = {false};
	const char *first = value_word(&value);
	const struct check_kind *kind = find_kind(first);
	char *word;

	if (!kind) {
		complain_of_kind(d, first);
		return;
	}
	check->kind = (enum conf_check_kind)(kind - CHECK_KINDS);
	check->interval_ns = CONF_CHECK_INTERVAL_NS;
	check->timeout_ns = CONF_CHECK_TIMEOUT_NS;
	check->damping_ns = CONF_CHECK_DAMPING_NS;
	check->rise = CONF_CHECK_RISE;
	check->fall = CONF_CHECK_FALL;
	while ((word = value_word(&value)) != NULL)
		if (!take_option(d, check, word, seen)) {
			assert(w.count < CHECK_WORDS_MAX); /* as a value is a statement at most */
			w.list[w.count++] = word;
		}
	if (complain_of_near_options(d, &w))
		return;
	(void)kind->take(d, check, &w);
	if (check->is_worth && check->lower > 0)
		draft_complain(
			d, "check = file: its content is the worth, remove lower=%u", check->lower);
}

/* Groups that follow each other in a circle would never come to rest. */
static bool is_follower(const struct conf *c, size_t group)
{
	const struct conf_group *g = &c->groups[group];

	for (size_t i = 0; i < g->check_count; i++)
		if (c->checks[g->check_first + i].kind == CONF_CHECK_GROUP)
			return true;
	return false;
}

static void resolve_group(struct draft *d, struct conf_check *check, unsigned line)
{
	int group = -1;

	for (size_t g = 0; g < d->conf.group_count; g++)
		if (strcmp(d->conf.groups[g].name, check->target) == 0)
			group = (int)g;
	if (group < 0)
		draft_complain_at(d, line, "check = group: there is no group \"%s\" in this file",
			quote(check->target).text);
	check->follows = group < 0 ? check->group : (uint16_t)group;
}

void conf_checks_finish(struct draft *d)
{
	struct conf *c = &d->conf;
	size_t complaints = d->diagnostics->count + d->diagnostics->omitted;

	for (size_t i = 0; i < c->check_count; i++)
		if (c->checks[i].kind == CONF_CHECK_GROUP && c->checks[i].target)
			resolve_group(d, &c->checks[i], d->check_line[i]);
	if (d->diagnostics->count + d->diagnostics->omitted > complaints)
		return;
	for (size_t i = 0; i < c->check_count; i++) {
		const struct conf_check *check = &c->checks[i];

		if (check->kind == CONF_CHECK_GROUP && is_follower(c, check->follows))
			draft_complain_at(d, d->check_line[i],
				"check = group: \"%s\" has a group that it follows itself, follow "
				"one"
				" that does not",
				c->groups[check->follows].name);
	}
}

void conf_check_describe(const struct conf_check *c, char *buffer, size_t size)
{
	struct text t = text_init(buffer, size);

	if (c->name) {
		text_add(&t, "%s", c->name);
		return;
	}
	text_add(&t, "%s", CHECK_KINDS[c->kind].name);
	switch (c->kind) {
	case CONF_CHECK_TCP:
		text_add(&t, strchr(c->target, ':') ? " [%s]:%u" : " %s:%u", c->target, c->port);
		break;
	case CONF_CHECK_ARP: text_add(&t, " %s", value_ip_text(&c->ip).text); break;
	case CONF_CHECK_ROUTE:
		if (c->ip.family == IP_NONE)
			text_add(&t, " default");
		else
			text_add(&t, " %s/%u", value_ip_text(&c->ip).text, c->prefix_length);
		break;
	case CONF_CHECK_GATEWAY: break;
	case CONF_CHECK_HTTP:
	case CONF_CHECK_EXEC:
	case CONF_CHECK_PROCESS:
	case CONF_CHECK_FILE:
	case CONF_CHECK_INTERFACE:
	case CONF_CHECK_GROUP: text_add(&t, " %s", c->target); break;
	case CONF_CHECK_KINDS: break;
	}
}

bool conf_check_is_carried_out_apart(enum conf_check_kind kind)
{
	return kind != CONF_CHECK_GROUP && kind != CONF_CHECK_GATEWAY && kind != CONF_CHECK_ARP;
}

const char *conf_check_kind_name(enum conf_check_kind kind)
{
	assert(kind < CONF_CHECK_KINDS);
	return CHECK_KINDS[kind].name;
}

static void print_time(struct text *t, const char *name, int64_t ns)
{
	text_add(t, " %s=%s", name, duration_format(ns).text);
}

void conf_check_print(struct text *t, const struct conf *c, const struct conf_check *check)
{
	struct conf_check nameless = *check;
	char form[STATEMENT_SIZE + NAME_SIZE];

	(void)c;
	nameless.name = NULL;
	conf_check_describe(&nameless, form, sizeof(form));
	text_add(t, "check = %s", form);
	if (check->kind == CONF_CHECK_HTTP)
		text_add(t, " %u-%u%s%s", check->status_low, check->status_high,
			check->text ? " " : "", check->text ? check->text : "");
	if (check->is_worth)
		text_add(t, " worth");
	if (check->name)
		text_add(t, " name=%s", check->name);
	print_time(t, "interval", check->interval_ns);
	print_time(t, "timeout", check->timeout_ns);
	print_time(t, "damping", check->damping_ns);
	text_add(t, " rise=%u fall=%u", check->rise, check->fall);
	if (check->lower > 0)
		text_add(t, " lower=%u", check->lower);
	text_add(t, "\n");
}
