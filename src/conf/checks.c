/* SPDX-License-Identifier: ISC */
#include "conf/checks.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "base/word.h"
#include "conf/diagnostics.h"
#include "conf/room.h"
#include "conf/values.h"

#define WORDS_MAX    (STATEMENT_SIZE / 2)
#define LONGEST_NS   (3600 * NS_PER_S)
#define STATUS_FIRST 200
#define STATUS_LAST  399

struct words {
	char *list[WORDS_MAX];
	size_t count;
};

struct kind {
	const char *name;
	const char *form; /* how it is written */
	bool (*take)(struct draft *d, struct conf_check *c, struct words *w);
};

static bool take_tcp(struct draft *d, struct conf_check *c, struct words *w);
static bool take_http(struct draft *d, struct conf_check *c, struct words *w);
static bool take_exec(struct draft *d, struct conf_check *c, struct words *w);
static bool take_word(struct draft *d, struct conf_check *c, struct words *w);
static bool take_file(struct draft *d, struct conf_check *c, struct words *w);
static bool take_interface(struct draft *d, struct conf_check *c, struct words *w);
static bool take_gateway(struct draft *d, struct conf_check *c, struct words *w);
static bool take_arp(struct draft *d, struct conf_check *c, struct words *w);
static bool take_route(struct draft *d, struct conf_check *c, struct words *w);

static const struct kind KINDS[CONF_CHECK_KINDS] = {
	[CONF_CHECK_TCP] = {"tcp", "tcp HOST:PORT", take_tcp},
	[CONF_CHECK_HTTP] = {"http", "http URL [STATUS] [TEXT]", take_http},
	[CONF_CHECK_EXEC] = {"exec", "exec /PATH/TO/PROGRAM [ARGUMENT]...", take_exec},
	[CONF_CHECK_PROCESS] = {"process", "process NAME|/PATH/TO/PIDFILE", take_word},
	[CONF_CHECK_FILE] = {"file", "file /PATH [worth]", take_file},
	[CONF_CHECK_INTERFACE] = {"interface", "interface DEVICE", take_interface},
	[CONF_CHECK_GATEWAY] = {"gateway", "gateway", take_gateway},
	[CONF_CHECK_ARP] = {"arp", "arp ADDRESS", take_arp},
	[CONF_CHECK_ROUTE] = {"route", "route PREFIX|default", take_route},
	[CONF_CHECK_GROUP] = {"group", "group NAME", take_word},
};

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
static bool complain_of_near_options(struct draft *d, const struct words *w)
{
	bool any = false;

	for (size_t i = 1; i < w->count; i++) {
		const char *equals = strchr(w->list[i], '=');
		const struct option *o =
			equals ? find_option(w->list[i], (size_t)(equals - w->list[i]), true)
			       : NULL;

		if (o && w->list[i][0] != '-')
			draft_complain(d, "check: \"%s\" is unknown, did you mean \"%s=\"?",
				quote(w->list[i]).text, o->name);
		any = any || o;
	}
	return any;
}

static bool has_form(struct draft *d, const struct conf_check *c, const struct words *w,
	size_t least, size_t most)
{
	if (w->count >= least && w->count <= most)
		return true;
	draft_complain(
		d, "check = %s: write \"check = %s\"", KINDS[c->kind].name, KINDS[c->kind].form);
	return false;
}

/* "HOST:PORT", "[V6]:PORT". */
static bool take_tcp(struct draft *d, struct conf_check *c, struct words *w)
{
	char *host, *colon;
	uint64_t port = 0;

	if (!has_form(d, c, w, 1, 1))
		return false;
	host = w->list[0];
	colon = strrchr(host, ':');
	if (!colon || !value_number(colon + 1, &port) || port < 1 || port > UINT16_MAX) {
		draft_complain(d, "check = tcp: \"%s\" has no port from 1 to 65535, write %s",
			quote(host).text, "127.0.0.1:80");
		return false;
	}
	*colon = '\0';
	if (host[0] == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		host++;
	} else if (strchr(host, ':')) {
		draft_complain(d, "check = tcp: write an IPv6 address in brackets, as [::1]:80");
		return false;
	}
	if (host[0] == '\0') {
		draft_complain(d, "check = tcp: there is no host, write 127.0.0.1:80");
		return false;
	}
	c->target = room_keep(d, host);
	c->port = (uint16_t)port;
	return true;
}

/* "200" or "200-399". */
static bool take_status(struct conf_check *c, const char *word)
{
	char first[8], *dash;
	uint64_t low, high;

	if (!text_copy(first, sizeof(first), word))
		return false;
	dash = strchr(first, '-');
	if (dash)
		*dash = '\0';
	if (!value_number(first, &low) || !value_number(dash ? dash + 1 : first, &high) ||
		low < 100 || high > 599 || low > high)
		return false;
	c->status_low = (uint16_t)low;
	c->status_high = (uint16_t)high;
	return true;
}

/* Words from the @first on, with one blank between them. */
static const char *keep_words(struct draft *d, const struct words *w, size_t first)
{
	char joined[STATEMENT_SIZE];
	struct text t = text_init(joined, sizeof(joined));

	for (size_t i = first; i < w->count; i++)
		text_add(&t, "%s%s", i > first ? " " : "", w->list[i]);
	return room_keep(d, joined);
}

static bool take_http(struct draft *d, struct conf_check *c, struct words *w)
{
	const char *url = w->count > 0 ? w->list[0] : "";
	size_t text = 1;

	if (!has_form(d, c, w, 1, WORDS_MAX))
		return false;
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
		draft_complain(d,
			"check = http: \"%s\" is not a URL, write one like"
			" http://127.0.0.1/health",
			quote(url).text);
		return false;
	}
	c->target = room_keep(d, url);
	c->status_low = STATUS_FIRST;
	c->status_high = STATUS_LAST;
	if (w->count > 1 && w->list[1][0] >= '0' && w->list[1][0] <= '9') {
		text = 2;
		if (!take_status(c, w->list[1])) {
			draft_complain(d,
				"check = http: \"%s\" is not a status, write one from 100 to"
				" 599, or two as 200-399",
				quote(w->list[1]).text);
			return false;
		}
	}
	if (w->count > text)
		c->text = keep_words(d, w, text);
	return true;
}

static bool take_exec(struct draft *d, struct conf_check *c, struct words *w)
{
	if (!has_form(d, c, w, 1, WORDS_MAX))
		return false;
	if (w->list[0][0] != '/') {
		draft_complain(d,
			"check = exec: \"%s\" is not an absolute path, write a program"
			" like /etc/ha/check",
			quote(w->list[0]).text);
		return false;
	}
	for (size_t i = 0; i < w->count; i++)
		if (strpbrk(w->list[i], "\"'")) {
			draft_complain(d,
				"check = exec: quotation marks mean nothing here, words are"
				" split at blanks; write a script and name it");
			return false;
		}
	c->target = keep_words(d, w, 0);
	return true;
}

static bool take_word(struct draft *d, struct conf_check *c, struct words *w)
{
	if (!has_form(d, c, w, 1, 1))
		return false;
	c->target = room_keep(d, w->list[0]);
	return true;
}

static bool take_file(struct draft *d, struct conf_check *c, struct words *w)
{
	if (!has_form(d, c, w, 1, 2) ||
		(w->count == 2 && strcmp(w->list[1], "worth") != 0 && !has_form(d, c, w, 0, 0)))
		return false;
	if (w->list[0][0] != '/') {
		draft_complain(d,
			"check = file: \"%s\" is not an absolute path, write one like"
			" /run/ready",
			quote(w->list[0]).text);
		return false;
	}
	c->target = room_keep(d, w->list[0]);
	c->is_worth = w->count == 2;
	return true;
}

static bool take_interface(struct draft *d, struct conf_check *c, struct words *w)
{
	if (!has_form(d, c, w, 1, 1))
		return false;
	if (!value_is_device(w->list[0])) {
		draft_complain(d,
			"check = interface: \"%s\" is not a device's name, write one like"
			" eth0",
			quote(w->list[0]).text);
		return false;
	}
	c->target = room_keep(d, w->list[0]);
	return true;
}

static bool take_gateway(struct draft *d, struct conf_check *c, struct words *w)
{
	c->target = "";
	return has_form(d, c, w, 0, 0);
}

static bool take_arp(struct draft *d, struct conf_check *c, struct words *w)
{
	if (!has_form(d, c, w, 1, 1))
		return false;
	if (!ip_parse(w->list[0], &c->ip) || ip_is_multicast(&c->ip) || ip_is_unspecified(&c->ip)) {
		draft_complain(d,
			"check = arp: \"%s\" is not the address of a neighbour, write one"
			" like 192.168.1.1",
			quote(w->list[0]).text);
		return false;
	}
	c->target = "";
	return true;
}

static bool take_route(struct draft *d, struct conf_check *c, struct words *w)
{
	char *slash;
	uint64_t length;

	if (!has_form(d, c, w, 1, 1))
		return false;
	c->target = "";
	if (strcmp(w->list[0], "default") == 0)
		return true; /* of either family: IP_NONE */
	slash = strchr(w->list[0], '/');
	if (slash)
		*slash = '\0';
	if (!slash || !ip_parse(w->list[0], &c->ip) || !value_number(slash + 1, &length) ||
		length > ip_bits(&c->ip) || !value_host_bits_are(&c->ip, (unsigned)length, false)) {
		draft_complain(d,
			"check = route: \"%s%s%s\" is not a prefix, write one like"
			" 10.0.0.0/8, or default",
			quote(w->list[0]).text, slash ? "/" : "",
			slash ? quote(slash + 1).text : "");
		return false;
	}
	c->prefix_length = (uint8_t)length;
	return true;
}

static const struct kind *find_kind(const char *word)
{
	for (size_t i = 0; i < CONF_CHECK_KINDS; i++)
		if (strcmp(KINDS[i].name, word) == 0)
			return &KINDS[i];
	return NULL;
}

static void complain_of_kind(struct draft *d, const char *word)
{
	for (size_t i = 0; i < CONF_CHECK_KINDS; i++)
		if (value_is_near(word, KINDS[i].name)) {
			draft_complain(d, "check = \"%s\" is unknown, did you mean \"%s\"?",
				quote(word).text, KINDS[i].form);
			return;
		}
	draft_complain(d,
		"check = \"%s\" is unknown, write one of tcp, http, exec, process, file, interface,"
		" gateway, arp, route, group",
		quote(word).text);
}

void conf_check_take(struct draft *d, struct conf_check *check, char *value)
{
	struct words w = {.count = 0};
	bool seen[OPTION_COUNT] = {false};
	const char *first = value_word(&value);
	const struct kind *kind = find_kind(first);
	char *word;

	if (!kind) {
		complain_of_kind(d, first);
		return;
	}
	check->kind = (enum conf_check_kind)(kind - KINDS);
	check->interval_ns = CONF_CHECK_INTERVAL_NS;
	check->timeout_ns = CONF_CHECK_TIMEOUT_NS;
	check->damping_ns = CONF_CHECK_DAMPING_NS;
	check->rise = CONF_CHECK_RISE;
	check->fall = CONF_CHECK_FALL;
	while ((word = value_word(&value)) != NULL)
		if (!take_option(d, check, word, seen) && w.count < WORDS_MAX)
			w.list[w.count++] = word;
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
	text_add(&t, "%s", KINDS[c->kind].name);
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
	return KINDS[kind].name;
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
