/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "world.h"

/* A command's words behind its name. */
struct words {
	char **list;
	size_t count;
};

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool parse_duration(const char *text, int64_t *ret_ns)
{
	char *unit;
	long long number = strtoll(text, &unit, 10);

	if (unit == text || number < 0)
		return false;
	if (is(unit, "us"))
		*ret_ns = number * NS_PER_US;
	else if (is(unit, "ms"))
		*ret_ns = number * NS_PER_MS;
	else if (is(unit, "s"))
		*ret_ns = number * NS_PER_S;
	else
		return false;
	return true;
}

static bool parse_switch(const char *text, bool *ret_on)
{
	*ret_on = is(text, "on");
	return *ret_on || is(text, "off");
}

static size_t find_group(const struct node *n, const char *name)
{
	int group = conf_group_by_name(&n->conf, name);

	return group < 0 ? GROUPS_MAX : (size_t)group;
}

/* The sections of a configuration are written one after the other, the node's first. */
struct sections {
	char node_bytes[2048], group_bytes[4096];
	struct text node, groups;
	unsigned group_count;
	const char *worth;
	const char *secret;
};

static void begin_group(struct sections *s, const char *name, const char *worth, const char *device)
{
	text_add(&s->groups, "[group %s]\naddress = 192.168.1.%u/24%s%s\nworth = %s\n", name,
		100 + s->group_count++, device ? " dev " : "", device ? device : "", worth);
}

static bool node_word(struct sections *s, struct words *rest)
{
	const char *key = rest->list[0];
	size_t taken = 2;

	if (rest->count < 2)
		return false;
	if (is(key, "worth")) {
		s->worth = rest->list[1];
	} else if (is(key, "key")) {
		s->secret = rest->list[1];
	} else if (is(key, "group")) { /* group NAME WORTH */
		if (rest->count < 3)
			return false;
		begin_group(s, rest->list[1], rest->list[2], NULL);
		taken = 3;
	} else if (is(key, "on")) { /* on DEVICE: where the group `web` has its address */
		begin_group(s, "web", s->worth, rest->list[1]);
	} else {
		text_add(&s->node, "%s = %s\n", key, rest->list[1]);
	}
	rest->list += taken;
	rest->count -= taken;
	return true;
}

/* node NAME ADDRESS [worth N] [group NAME WORTH]... [on DEVICE] [key WORD] [KEY VALUE]...: the
 * other keys are those of [node] in ha.conf(5). Without a group it is `web` with 192.168.1.100. */
static bool run_node(struct world *w, struct words words)
{
	static struct sections s;
	char text[sizeof(s.node_bytes) + sizeof(s.group_bytes)];
	struct text t = text_init(text, sizeof(text));
	struct words rest = {words.list + 2, words.count - 2};

	if (words.count < 2 || w->node_count == WORLD_NODES_MAX)
		return false;
	s = (struct sections){.worth = "100", .secret = "shared"};
	s.node = text_init(s.node_bytes, sizeof(s.node_bytes));
	s.groups = text_init(s.group_bytes, sizeof(s.group_bytes));
	while (rest.count > 0)
		if (!node_word(&s, &rest))
			return false;
	if (s.group_count == 0)
		begin_group(&s, "web", s.worth, NULL);
	text_add(&t, "[node]\ninterface = eth0\n%s%s", s.node_bytes, s.group_bytes);
	return node_add(w, words.list[0], text, words.list[1], s.secret);
}

/* For each node that is named, or for all. @running: what each must be for it to make sense. */
static bool for_each_node(struct world *w, struct words words, bool running,
	void (*act)(struct world *w, struct node *n))
{
	bool all = words.count == 1 && is(words.list[0], "all");

	for (size_t i = 0; i < (all ? w->node_count : words.count); i++) {
		struct node *n = all ? &w->nodes[i] : node_find(w, words.list[i]);

		if (!n || n->running != running)
			return false;
		act(w, n);
	}
	return words.count > 0;
}

static bool run_start(struct world *w, struct words words)
{
	return for_each_node(w, words, false, node_start);
}

static bool run_stop(struct world *w, struct words words)
{
	return for_each_node(w, words, true, node_stop);
}

static bool run_kill(struct world *w, struct words words)
{
	return for_each_node(w, words, true, node_kill);
}

static bool run_crash(struct world *w, struct words words)
{
	return for_each_node(w, words, true, node_crash);
}

static bool run_run(struct world *w, struct words words)
{
	int64_t duration_ns;

	if (words.count != 1 || !parse_duration(words.list[0], &duration_ns))
		return false;
	schedule_run(w, duration_ns);
	return true;
}

/* stall NAME DURATION: its engine does not run; its keeper does. */
static bool run_stall(struct world *w, struct words words)
{
	struct node *n = words.count == 2 ? node_find(w, words.list[0]) : NULL;
	int64_t duration_ns;

	if (!n || !parse_duration(words.list[1], &duration_ns))
		return false;
	node_stall(w, n, duration_ns);
	return true;
}

/* cut [multicast|unicast] NAME [[->] NAME]: without an arrow in both directions, with one name from
 * all. */
static bool run_cut(struct world *w, struct words words)
{
	enum cut what = CUT_ALL;
	struct node *a, *b;
	bool one_way;

	if (words.count > 0 && (is(words.list[0], "multicast") || is(words.list[0], "unicast"))) {
		what = is(words.list[0], "multicast") ? CUT_MULTICAST : CUT_UNICAST;
		words.list++;
		words.count--;
	}
	one_way = words.count == 3 && is(words.list[1], "->");
	a = words.count > 0 ? node_find(w, words.list[0]) : NULL;
	b = words.count > 1 ? node_find(w, words.list[words.count - 1]) : NULL;
	if (!a || (words.count > 1 && !b) || words.count > 3)
		return false;
	for (size_t i = 0; i < w->node_count; i++) {
		if (b && &w->nodes[i] != b)
			continue;
		lan_cut(w, a, &w->nodes[i], what);
		if (!one_way)
			lan_cut(w, &w->nodes[i], a, what);
	}
	return true;
}

static bool run_heal(struct world *w, struct words words)
{
	for (size_t i = 0; i < w->node_count; i++)
		for (size_t j = 0; j < w->node_count; j++)
			if (w->cuts[i][j] != CUT_NOTHING)
				lan_cut(w, &w->nodes[i], &w->nodes[j], CUT_NOTHING);
	return words.count == 0;
}

static bool change_device(struct engine_device *d, struct words words)
{
	bool on;

	if (words.count == 1 && (is(words.list[0], "up") || is(words.list[0], "down"))) {
		d->up = is(words.list[0], "up");
	} else if (words.count == 1 &&
		   (is(words.list[0], "present") || is(words.list[0], "absent"))) {
		d->present = is(words.list[0], "present");
		d->up = d->carrier = d->present;
	} else if (words.count == 2 && is(words.list[0], "carrier") &&
		   parse_switch(words.list[1], &on)) {
		d->carrier = on;
	} else if (words.count == 2 && is(words.list[0], "address")) {
		memset(&d->v4, 0, sizeof(d->v4));
		return is(words.list[1], "none") || ip_parse(words.list[1], &d->v4);
	} else {
		return false;
	}
	return true;
}

/* device NAME DEVICE up|down|present|absent|carrier on|carrier off|address none|address ADDRESS */
static bool run_device(struct world *w, struct words words)
{
	struct node *n = words.count > 2 ? node_find(w, words.list[0]) : NULL;

	for (size_t i = 0; n && i < n->conf.device_count; i++) {
		if (!is(n->conf.devices[i].name, words.list[1]))
			continue;
		if (!change_device(&n->devices[i], (struct words){words.list + 2, words.count - 2}))
			return false;
		node_device(w, n, i);
		return true;
	}
	return false;
}

/* remove NAME GROUP: somebody else takes the group's first address away. */
static bool run_remove(struct world *w, struct words words)
{
	struct node *n = words.count == 2 ? node_find(w, words.list[0]) : NULL;
	size_t group = n ? find_group(n, words.list[1]) : GROUPS_MAX;

	if (group == GROUPS_MAX || !node_serves(n, group))
		return false;
	node_remove_address(w, n, n->conf.groups[group].address_first);
	return true;
}

/* refuse NAME GROUP on|off: its keeper cannot configure the group's addresses. */
static bool run_refuse(struct world *w, struct words words)
{
	struct node *n = words.count == 3 ? node_find(w, words.list[0]) : NULL;
	size_t group = n ? find_group(n, words.list[1]) : GROUPS_MAX;

	return group < GROUPS_MAX && parse_switch(words.list[2], &n->held[group].refuses);
	(void)w;
}

/* mute NAME on|off: nothing that it sends leaves, and it is told so. */
static bool run_mute(struct world *w, struct words words)
{
	struct node *n = words.count == 2 ? node_find(w, words.list[0]) : NULL;

	return n && parse_switch(words.list[1], &n->cannot_send);
}

/* stranger ADDRESS|none: a host outside the cluster uses it. */
static bool run_stranger(struct world *w, struct words words)
{
	w->stranger = (struct ip){0};
	return words.count == 1 &&
	       (is(words.list[0], "none") || ip_parse(words.list[0], &w->stranger));
}

/* remember NAME as WORD: the last datagram that it sent. */
static bool run_remember(struct world *w, struct words words)
{
	struct node *n =
		words.count == 3 && is(words.list[1], "as") ? node_find(w, words.list[0]) : NULL;

	if (!n || w->memory_count == WORLD_MEMORIES_MAX)
		return false;
	text_copy(w->memories[w->memory_count].name, NAME_SIZE, words.list[2]);
	w->memories[w->memory_count++].datagram = n->last;
	return true;
}

/* replay WORD to NAME [hop-limit N] */
static bool run_replay(struct world *w, struct words words)
{
	struct node *to =
		words.count >= 3 && is(words.list[1], "to") ? node_find(w, words.list[2]) : NULL;

	for (size_t i = 0; to && i < w->memory_count; i++) {
		struct datagram d = w->memories[i].datagram;

		if (!is(w->memories[i].name, words.list[0]))
			continue;
		if (words.count == 5 && is(words.list[3], "hop-limit"))
			d.hop_limit = (int)strtol(words.list[4], NULL, 10);
		else if (words.count != 3)
			return false;
		lan_deliver(w, to, &d);
		return true;
	}
	return false;
}

/* forge NAME to NAME key WORD|disguised|none: what the first said last, but with a later sequence
 * number, ACTIVE with the highest worth in every group, and with somebody's own key, disguised by
 * the true key's id. */
static bool run_forge(struct world *w, struct words words)
{
	struct node *from = words.count == 5 ? node_find(w, words.list[0]) : NULL;
	struct node *to = from ? node_find(w, words.list[2]) : NULL;
	struct heartbeat_key key = {0};
	struct heartbeat *h = &w->heartbeat;
	struct datagram d;

	if (!to || heartbeat_decode(from->last.bytes, from->last.size, HEARTBEAT_HOP_LIMIT,
			   from->conf.node.cluster_tag, &from->key, h) != HEARTBEAT_ACCEPTED)
		return false;
	h->sequence += 1000;
	for (size_t g = 0; g < h->group_count; g++) {
		h->groups[g].state = STATE_ACTIVE;
		h->groups[g].worth = UINT16_MAX;
		h->groups[g].flags = HEARTBEAT_GROUP_ELIGIBLE;
	}
	if (!is(words.list[4], "none"))
		heartbeat_key_init(&key, (const uint8_t *)words.list[4], strlen(words.list[4]));
	if (is(words.list[4], "disguised"))
		key.id = from->key.id;
	d = (struct datagram){.hop_limit = HEARTBEAT_HOP_LIMIT, .source = from->last.source};
	d.size = heartbeat_encode(h, from->conf.node.cluster_tag, &key, d.bytes);
	lan_deliver(w, to, &d);
	return true;
}

static bool run_announcements(struct world *w, struct words words)
{
	return words.count == 1 && parse_switch(words.list[0], &w->shows_announcements);
}

static bool run_duplicates(struct world *w, struct words words)
{
	return words.count == 1 && parse_switch(words.list[0], &w->duplicates);
}

static bool run_delay(struct world *w, struct words words)
{
	return words.count == 1 && parse_duration(words.list[0], &w->delay_ns);
}

/* who: each node's own view, as `ha status` shows it. */
static bool run_who(struct world *w, struct words words)
{
	static struct status s;

	for (size_t i = 0; i < w->node_count; i++) {
		const struct node *n = &w->nodes[i];

		if (!n->running)
			continue;
		engine_status(n->engine, w->now, 0, &s);
		for (size_t g = 0; g < s.group_count; g++)
			world_tell(w, "%s: %s %s, epoch %llu, holder %s: %s", s.name,
				s.groups[g].name, node_state_name(s.groups[g].state),
				(unsigned long long)s.groups[g].epoch,
				s.groups[g].holder[0] ? s.groups[g].holder : "nobody",
				s.groups[g].reason);
		for (size_t i_warning = 0; i_warning < s.warning_count; i_warning++)
			world_tell(w, "%s warns: %s", s.name, s.warnings[i_warning]);
	}
	return words.count == 0;
}

/* drops NAME: what it refused, by reason. */
static bool run_drops(struct world *w, struct words words)
{
	static struct status s;
	struct node *n = words.count == 1 ? node_find(w, words.list[0]) : NULL;
	char line[512];
	struct text t = text_init(line, sizeof(line));

	if (!n || !n->running)
		return false;
	engine_status(n->engine, w->now, 0, &s);
	for (enum heartbeat_drop d = HEARTBEAT_ACCEPTED; d < HEARTBEAT_DROP_REASONS; d++)
		if (s.dropped[d] > 0)
			text_add(&t, " %s %llu", heartbeat_drop_name(d),
				(unsigned long long)s.dropped[d]);
	world_tell(w, "%s has refused:%s", n->name, line[0] ? line : " nothing");
	return true;
}

static const struct {
	const char *name;
	bool (*run)(struct world *w, struct words words);
} COMMANDS[] = {
	{"announcements", run_announcements},
	{"crash", run_crash},
	{"cut", run_cut},
	{"delay", run_delay},
	{"device", run_device},
	{"drops", run_drops},
	{"duplicates", run_duplicates},
	{"forge", run_forge},
	{"heal", run_heal},
	{"kill", run_kill},
	{"mute", run_mute},
	{"node", run_node},
	{"refuse", run_refuse},
	{"remember", run_remember},
	{"remove", run_remove},
	{"replay", run_replay},
	{"run", run_run},
	{"stall", run_stall},
	{"start", run_start},
	{"stop", run_stop},
	{"stranger", run_stranger},
	{"who", run_who},
};

bool command_run(struct world *w, char **words, size_t count)
{
	struct words rest = {words + 1, count - 1};
	size_t mark = w->output.length;

	if (count == 0)
		return false;
	if (is(words[0], "quietly")) { /* what it tells is left out, but for broken promises */
		size_t violations = w->violations;
		bool done = command_run(w, rest.list, rest.count);

		if (w->violations == violations) {
			w->output.length = mark;
			w->output_bytes[mark] = '\0';
		}
		return done;
	}
	for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
		if (is(COMMANDS[i].name, words[0])) {
			bool done = COMMANDS[i].run(w, rest);

			world_tell_serving(w);
			return done;
		}
	return false;
}
