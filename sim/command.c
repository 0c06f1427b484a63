/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "sim/invariants.h"
#include "sim/world.h"

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

	return group < 0 ? WORLD_GROUPS_MAX : (size_t)group;
}

/* The sections of a configuration are written one after the other, the node's first. */
struct sections {
	char node_bytes[2048], group_bytes[4096], web_bytes[256];
	struct text node, groups;
	struct text web; /* keys of the group `web`, which is not named */
	unsigned group_count;
	const char *worth;
	const char *when_all_fail;
	const char *secret;
};

static void begin_group(struct sections *s, const char *name, const char *worth, const char *device)
{
	text_add(&s->groups,
		"[group %s]\naddress = 192.168.1.%u/24%s%s\nworth = %s\nwhen-all-fail = %s\n", name,
		100 + s->group_count++, device ? " dev " : "", device ? device : "", worth,
		s->when_all_fail);
	if (is(name, "web"))
		text_add(&s->groups, "%s", s->web_bytes);
}

static bool is_key_of_group(const char *key)
{
	return is(key, "policy") || is(key, "settle") || is(key, "hold-down") ||
	       is(key, "before-active") || is(key, "before-active-timeout");
}

static bool node_word(struct sections *s, struct words *rest)
{
	const char *key = rest->list[0];
	size_t taken = 2;

	if (rest->count < 2)
		return false;
	if (is(key, "worth")) {
		s->worth = rest->list[1];
	} else if (is(key, "when-all-fail")) { /* of the groups that follow */
		s->when_all_fail = rest->list[1];
	} else if (is(key, "key")) {
		s->secret = rest->list[1];
	} else if (is(key, "group")) { /* group NAME WORTH */
		if (rest->count < 3)
			return false;
		begin_group(s, rest->list[1], rest->list[2], NULL);
		taken = 3;
	} else if (is(key, "on")) { /* on DEVICE: where the group `web` has its address */
		begin_group(s, "web", s->worth, rest->list[1]);
	} else if (is_key_of_group(key)) { /* of the last group */
		text_add(
			s->group_count > 0 ? &s->groups : &s->web, "%s = %s\n", key, rest->list[1]);
	} else {
		text_add(&s->node, "%s = %s\n", key, rest->list[1]);
	}
	rest->list += taken;
	rest->count -= taken;
	return true;
}

/* node NAME ADDRESS [when-all-fail HOW] [worth N] [group NAME WORTH]... [on DEVICE] [key WORD]
 * [KEY VALUE]...: the other keys are those of [node] in ha.conf(5); policy, settle, hold-down
 * and before-active are of the last group. Without a group it is `web` with 192.168.1.100. */
static bool run_node(struct world *w, struct words words)
{
	static struct sections s;
	char text[sizeof(s.node_bytes) + sizeof(s.group_bytes)];
	struct text t = text_init(text, sizeof(text));
	struct words rest = {words.list + 2, words.count - 2};

	if (words.count < 2 || w->node_count == WORLD_NODES_MAX)
		return false;
	s = (struct sections){.worth = "100", .when_all_fail = "keep", .secret = "shared"};
	s.node = text_init(s.node_bytes, sizeof(s.node_bytes));
	s.groups = text_init(s.group_bytes, sizeof(s.group_bytes));
	s.web = text_init(s.web_bytes, sizeof(s.web_bytes));
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

/* replace NAME GAP PATIENCE [worth GROUP N]: another engine takes its place, so long after it has
 * made room, for which it asks the others for patience; with another worth. */
static bool run_replace(struct world *w, struct words words)
{
	struct node *n = words.count == 3 || words.count == 6 ? node_find(w, words.list[0]) : NULL;
	int64_t gap_ns, patience_ns;

	if (!n || !n->running || !parse_duration(words.list[1], &gap_ns) ||
		!parse_duration(words.list[2], &patience_ns))
		return false;
	n->succession.changes = WORLD_GROUPS_MAX;
	if (words.count == 6) {
		n->succession.changes = find_group(n, words.list[4]);
		n->succession.worth = (uint16_t)strtoul(words.list[5], NULL, 10);
		if (!is(words.list[3], "worth") || n->succession.changes == WORLD_GROUPS_MAX)
			return false;
	}
	node_replace(w, n, gap_ns, patience_ns);
	return true;
}

static bool run_run(struct world *w, struct words words)
{
	int64_t duration_ns;

	if (words.count != 1 || !parse_duration(words.list[0], &duration_ns))
		return false;
	schedule_run(w, duration_ns);
	return true;
}

/* Something happens to @n that may make it give a group up. */
static void disturb(struct node *n)
{
	n->disturbed = true;
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

/* The ports in @words: names, separated by commas, or "all". */
static bool parse_ports(const struct world *w, const char *text, bool *ret_ports)
{
	char copy[512], *rest = copy, *name;
	size_t port;

	memset(ret_ports, is(text, "all"), WORLD_PORTS_MAX * sizeof(*ret_ports));
	if (is(text, "all"))
		return true;
	if (!text_copy(copy, sizeof(copy), text))
		return false;
	while ((name = strsep(&rest, ",")) != NULL) {
		port = lan_find_port(w, name);
		if (port == WORLD_PORTS_MAX)
			return false;
		ret_ports[port] = true;
	}
	return true;
}

static void cut_all(struct world *w, const bool *from, const bool *to, bool one_way, enum cut what)
{
	for (size_t i = 0; i < lan_port_count(w); i++)
		for (size_t j = 0; j < lan_port_count(w); j++) {
			if (!from[i] || !to[j] || i == j)
				continue;
			lan_cut(w, i, j, what);
			if (!one_way)
				lan_cut(w, j, i, what);
		}
}

/* cut [multicast|unicast|heartbeats|nothing] NAME[,NAME]... [[->] NAME[,NAME]...]: without an arrow
 * in both directions, without a second list from all others. */
static bool run_cut(struct world *w, struct words words)
{
	bool from[WORLD_PORTS_MAX], to[WORLD_PORTS_MAX], one_way;
	enum cut what = CUT_ALL;

	if (words.count > 0 && is(words.list[0], "multicast"))
		what = CUT_MULTICAST;
	else if (words.count > 0 && is(words.list[0], "unicast"))
		what = CUT_UNICAST;
	else if (words.count > 0 && is(words.list[0], "heartbeats"))
		what = CUT_HEARTBEATS;
	else if (words.count > 0 && is(words.list[0], "nothing"))
		what = CUT_NOTHING;
	if (what != CUT_ALL) {
		words.list++;
		words.count--;
	}
	one_way = words.count == 3 && is(words.list[1], "->");
	if (words.count < 1 || words.count > 3 || (words.count == 3 && !one_way) ||
		!parse_ports(w, words.list[0], from) ||
		!parse_ports(w, words.count > 1 ? words.list[words.count - 1] : "all", to))
		return false;
	for (size_t i = 0; words.count == 1 && i < WORLD_PORTS_MAX; i++)
		to[i] = !from[i];
	cut_all(w, from, to, one_way, what);
	return true;
}

static bool run_heal(struct world *w, struct words words)
{
	for (size_t i = 0; i < WORLD_PORTS_MAX; i++)
		for (size_t j = 0; j < WORLD_PORTS_MAX; j++)
			if (w->cuts[i][j] != CUT_NOTHING)
				lan_cut(w, i, j, CUT_NOTHING);
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
		disturb(n);
		node_device(w, n, i);
		return true;
	}
	return false;
}

/* restore NAME DEVICE ADDRESS: whatever was done to it, its keeper and its devices is over. */
static bool run_restore(struct world *w, struct words words)
{
	struct node *n = words.count == 3 ? node_find(w, words.list[0]) : NULL;

	if (!n)
		return false;
	n->cannot_send = false;
	for (size_t g = 0; g < n->conf.group_count; g++)
		n->held[g].refuses = false;
	for (size_t i = 0; i < n->conf.device_count; i++) {
		struct engine_device *d = &n->devices[i], before = *d;

		d->present = d->up = d->carrier = true;
		if (is(n->conf.devices[i].name, words.list[1]) && !ip_parse(words.list[2], &d->v4))
			return false;
		if (memcmp(d, &before, sizeof(before)) != 0)
			node_device(w, n, i);
	}
	return true;
}

static bool ask(struct world *w, struct words words, const struct control_request *asked)
{
	struct node *n = words.count > 0 ? node_find(w, words.list[0]) : NULL;

	if (!n || !n->running || !node_is_awake(w, n))
		return false;
	disturb(n);
	node_request(w, n, asked);
	return true;
}

/* yield NAME GROUP [NODE]: it is asked to hand the group over, to that one. */
static bool run_yield(struct world *w, struct words words)
{
	struct control_request asked = {.command = CONTROL_YIELD};

	if (words.count < 2 || words.count > 3)
		return false;
	text_copy(asked.group, sizeof(asked.group), words.list[1]);
	text_copy(asked.to, sizeof(asked.to), words.count == 3 ? words.list[2] : "");
	return ask(w, words, &asked);
}

/* drain NAME [force]: it is asked to hold nothing. */
static bool run_drain(struct world *w, struct words words)
{
	struct control_request asked = {.command = CONTROL_DRAIN, .force = words.count == 2};

	return words.count <= 2 && ask(w, words, &asked);
}

/* resume NAME [GROUP] */
static bool run_resume(struct world *w, struct words words)
{
	struct control_request asked = {.command = CONTROL_RESUME};

	if (words.count > 2)
		return false;
	text_copy(asked.group, sizeof(asked.group), words.count == 2 ? words.list[1] : "");
	return ask(w, words, &asked);
}

/* remove NAME GROUP: somebody else takes the group's first address away. */
static bool run_remove(struct world *w, struct words words)
{
	struct node *n = words.count == 2 ? node_find(w, words.list[0]) : NULL;
	size_t group = n ? find_group(n, words.list[1]) : WORLD_GROUPS_MAX;

	if (group == WORLD_GROUPS_MAX || !node_serves(w, n, group))
		return false;
	disturb(n);
	keeper_remove_address(w, n, n->conf.groups[group].address_first);
	return true;
}

/* refuse NAME GROUP on|off: its keeper cannot configure the group's addresses. */
static bool run_refuse(struct world *w, struct words words)
{
	struct node *n = words.count == 3 ? node_find(w, words.list[0]) : NULL;
	size_t group = n ? find_group(n, words.list[1]) : WORLD_GROUPS_MAX;

	if (group == WORLD_GROUPS_MAX)
		return false;
	disturb(n);
	return parse_switch(words.list[2], &n->held[group].refuses);
}

/* health NAME GROUP WORTH sound|impaired|unfit: what its checks make of it. */
static bool run_health(struct world *w, struct words words)
{
	struct node *n = words.count == 4 ? node_find(w, words.list[0]) : NULL;
	size_t group = n ? find_group(n, words.list[1]) : WORLD_GROUPS_MAX;
	struct engine_health *h;
	unsigned long worth;
	char *end;

	if (group == WORLD_GROUPS_MAX)
		return false;
	worth = strtoul(words.list[2], &end, 10);
	h = &n->health[group];
	h->impaired = is(words.list[3], "impaired");
	h->ineligible = is(words.list[3], "unfit");
	if (*end != '\0' || worth > UINT16_MAX ||
		(!h->impaired && !h->ineligible && !is(words.list[3], "sound")))
		return false;
	h->worth = (uint16_t)worth;
	text_copy(
		h->reason, sizeof(h->reason), h->impaired || h->ineligible ? "a check fails" : "");
	disturb(n);
	node_health(w, n, group);
	return true;
}

/* prepare NAME DURATION yes|no: how long its before-active takes, and what it says. */
static bool run_prepare(struct world *w, struct words words)
{
	struct node *n = words.count == 3 ? node_find(w, words.list[0]) : NULL;

	if (!n || !parse_duration(words.list[1], &n->prepare_ns) ||
		(!is(words.list[2], "yes") && !is(words.list[2], "no")))
		return false;
	n->vetoes = is(words.list[2], "no");
	disturb(n);
	return true;
}

/* mute NAME on|off: nothing that it sends leaves, and it is told so. */
static bool run_mute(struct world *w, struct words words)
{
	struct node *n = words.count == 2 ? node_find(w, words.list[0]) : NULL;

	if (!n || !parse_switch(words.list[1], &n->cannot_send))
		return false;
	lan_joins(w, n);
	return true;
}

/* stranger ADDRESS|none: a host outside the cluster uses it. */
static bool run_stranger(struct world *w, struct words words)
{
	w->stranger = (struct ip){0};
	for (size_t i = 0; i < w->node_count; i++)
		disturb(&w->nodes[i]);
	return words.count == 1 &&
	       (is(words.list[0], "none") || ip_parse(words.list[0], &w->stranger));
}

/* remember NAME as WORD: the last datagram that it sent. */
static bool run_remember(struct world *w, struct words words)
{
	struct node *n =
		words.count == 3 && is(words.list[1], "as") ? node_find(w, words.list[0]) : NULL;

	if (!n || !n->last || w->memory_count == WORLD_MEMORIES_MAX)
		return false;
	w->memories[w->memory_count] = (struct memory){.from = n->last->from,
		.boot = n->last->boot,
		.sent = n->last->sent,
		.datagram = n->last->datagram};
	text_copy(w->memories[w->memory_count++].name, NAME_SIZE, words.list[2]);
	return true;
}

/* What somebody sends in the name of a node. */
static struct packet *packet_in_the_name_of(
	struct world *w, const struct node *n, const struct datagram *d)
{
	struct packet *p = lan_packet(w, n, d);

	(void)lan_read_packet(p, n);
	return p;
}

/* replay WORD to NAME [hop-limit N] */
static bool run_replay(struct world *w, struct words words)
{
	struct node *to =
		words.count >= 3 && is(words.list[1], "to") ? node_find(w, words.list[2]) : NULL;

	struct packet *p;

	for (size_t i = 0; to && i < w->memory_count; i++) {
		struct datagram d = w->memories[i].datagram;

		if (!is(w->memories[i].name, words.list[0]))
			continue;
		if (words.count == 5 && is(words.list[3], "hop-limit"))
			d.hop_limit = (int)strtol(words.list[4], NULL, 10);
		else if (words.count != 3)
			return false;
		p = packet_in_the_name_of(w, &w->nodes[w->memories[i].from], &d);
		p->boot = w->memories[i].boot;
		p->sent = w->memories[i].sent;
		lan_deliver(w, to, p);
		lan_drop_packet(w, p);
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
	struct packet *p;
	struct datagram d;

	if (!to || !from->last ||
		heartbeat_decode(from->last->datagram.bytes, from->last->datagram.size,
			HEARTBEAT_HOP_LIMIT, from->conf.node.cluster_tag, &from->key,
			h) != HEARTBEAT_ACCEPTED)
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
	d = (struct datagram){
		.hop_limit = HEARTBEAT_HOP_LIMIT, .source = from->last->datagram.source};
	d.size = heartbeat_encode(h, from->conf.node.cluster_tag, &key, d.bytes);
	p = packet_in_the_name_of(w, from, &d);
	lan_deliver(w, to, p);
	lan_drop_packet(w, p);
	return true;
}

/* steps on|off: tell those of moves, as `ha watch` does. */
static bool run_steps(struct world *w, struct words words)
{
	return words.count == 1 && parse_switch(words.list[0], &w->shows_steps);
}

static bool run_announcements(struct world *w, struct words words)
{
	return words.count == 1 && parse_switch(words.list[0], &w->shows_announcements);
}

static bool parse_permille(struct words words, unsigned *ret_permille)
{
	char *end;

	if (words.count != 1)
		return false;
	*ret_permille = (unsigned)strtoul(words.list[0], &end, 10);
	return end != words.list[0] && *end == '\0' && *ret_permille <= 1000;
}

/* duplicates on|off|PERMILLE */
static bool run_duplicates(struct world *w, struct words words)
{
	bool on;

	if (words.count == 1 && parse_switch(words.list[0], &on)) {
		w->duplicate_permille = on ? 1000 : 0;
		return true;
	}
	return parse_permille(words, &w->duplicate_permille);
}

/* loss PERMILLE: so many of all datagrams and frames get lost. */
static bool run_loss(struct world *w, struct words words)
{
	w->lossless_since = w->now;
	return parse_permille(words, &w->loss_permille);
}

static bool run_delay(struct world *w, struct words words)
{
	w->lossless_since = w->now;
	return words.count == 1 && parse_duration(words.list[0], &w->delay_ns);
}

/* jitter DURATION: each takes up to so much longer; they may overtake each other. */
static bool run_jitter(struct world *w, struct words words)
{
	w->lossless_since = w->now;
	return words.count == 1 && parse_duration(words.list[0], &w->jitter_ns);
}

/* seed NUMBER: what loss, jitter and lateness are drawn from. */
static bool run_seed(struct world *w, struct words words)
{
	if (words.count != 1)
		return false;
	w->random = random_init(strtoull(words.list[0], NULL, 10));
	return true;
}

/* drift NAME PPM: how much faster its clock goes than the world's; may be negative. */
static bool run_drift(struct world *w, struct words words)
{
	struct node *n = words.count == 2 ? node_find(w, words.list[0]) : NULL;

	if (!n)
		return false;
	node_set_clock(w, n, strtol(words.list[1], NULL, 10));
	return true;
}

static void set_fenced(struct world *w, struct node *n)
{
	(void)w;
	n->fenced = true;
}

/* fence NAME...|all: their kernels have one. Before they start. */
static bool run_fence(struct world *w, struct words words)
{
	return for_each_node(w, words, false, set_fenced);
}

/* late NAME DURATION: its engine's timers come late by up to that. */
static bool run_late(struct world *w, struct words words)
{
	struct node *n = words.count == 2 ? node_find(w, words.list[0]) : NULL;

	return n && parse_duration(words.list[1], &n->late_ns);
}

/* freeze NAME engine|keeper|host|clock DURATION: a process; the whole host; with its clock. */
static bool run_freeze(struct world *w, struct words words)
{
	struct node *n = words.count == 3 ? node_find(w, words.list[0]) : NULL;
	int64_t duration_ns;

	if (!n || !parse_duration(words.list[2], &duration_ns))
		return false;
	if (is(words.list[1], "engine"))
		node_stall(w, n, duration_ns);
	else if (is(words.list[1], "keeper"))
		node_stall_keeper(w, n, duration_ns);
	else if (is(words.list[1], "host"))
		node_stall_host(w, n, duration_ns);
	else if (is(words.list[1], "clock"))
		node_pause(w, n, duration_ns);
	else
		return false;
	return true;
}

/* client NAME ADDRESS PERIOD: a host that uses every shared address as often as that. */
static bool run_client(struct world *w, struct words words)
{
	int64_t period_ns;

	return words.count == 3 && parse_duration(words.list[2], &period_ns) &&
	       client_add(w, words.list[0], words.list[1], period_ns);
}

/* settled: tells what is not as it must be when all faults are over. */
static bool run_settled(struct world *w, struct words words)
{
	char what[WORLD_VIOLATION_MAX];

	if (convergence_failure(w, what, sizeof(what)) ||
		convergence_client_is_lost(w, TIME_ORIGIN, what, sizeof(what)))
		violated(w, "%s", what);
	return words.count == 0;
}

/* changes NAME...: tells its table as changes from its next start on, as with many groups. */
static bool run_changes(struct world *w, struct words words)
{
	for (size_t i = 0; i < words.count; i++) {
		struct node *n = node_find(w, words.list[i]);

		if (!n)
			return false;
		n->tells_changes = true;
	}
	return words.count > 0;
}

static void take_status(const struct world *w, const struct node *n, struct status *ret_status)
{
	bool has_room = status_init(ret_status, n->conf.group_count, n->conf.address_count);

	assert(has_room);
	engine_status(n->engine, w->now, 0, ret_status);
}

/* who: each node's own view, as `ha status` shows it. */
static bool run_who(struct world *w, struct words words)
{
	static struct status s;

	for (size_t i = 0; i < w->node_count; i++) {
		const struct node *n = &w->nodes[i];

		if (!n->running)
			continue;
		take_status(w, n, &s);
		for (size_t g = 0; g < s.group_count; g++)
			world_tell(w, "%s: %s %s, epoch %llu, holder %s: %s", s.name,
				s.groups[g].name, node_state_name(s.groups[g].state),
				(unsigned long long)s.groups[g].epoch,
				s.groups[g].holder[0] ? s.groups[g].holder : "nobody",
				s.groups[g].reason);
		for (size_t i_warning = 0; i_warning < s.warning_count; i_warning++)
			world_tell(w, "%s warns: %s", s.name, s.warnings[i_warning]);
		status_done(&s);
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
	take_status(w, n, &s);
	for (enum heartbeat_drop d = HEARTBEAT_ACCEPTED; d < HEARTBEAT_DROP_REASONS; d++)
		if (s.dropped[d] > 0)
			text_add(&t, " %s %llu", heartbeat_drop_name(d),
				(unsigned long long)s.dropped[d]);
	status_done(&s);
	world_tell(w, "%s has refused:%s", n->name, line[0] ? line : " nothing");
	return true;
}

static const struct {
	const char *name;
	bool (*run)(struct world *w, struct words words);
} COMMANDS[] = {
	{"announcements", run_announcements},
	{"client", run_client},
	{"crash", run_crash},
	{"cut", run_cut},
	{"delay", run_delay},
	{"device", run_device},
	{"drain", run_drain},
	{"drift", run_drift},
	{"drops", run_drops},
	{"duplicates", run_duplicates},
	{"fence", run_fence},
	{"forge", run_forge},
	{"freeze", run_freeze},
	{"heal", run_heal},
	{"health", run_health},
	{"jitter", run_jitter},
	{"kill", run_kill},
	{"late", run_late},
	{"loss", run_loss},
	{"mute", run_mute},
	{"node", run_node},
	{"prepare", run_prepare},
	{"refuse", run_refuse},
	{"remember", run_remember},
	{"remove", run_remove},
	{"replay", run_replay},
	{"replace", run_replace},
	{"restore", run_restore},
	{"resume", run_resume},
	{"run", run_run},
	{"seed", run_seed},
	{"settled", run_settled},
	{"stall", run_stall},
	{"start", run_start},
	{"steps", run_steps},
	{"stop", run_stop},
	{"changes", run_changes},
	{"stranger", run_stranger},
	{"who", run_who},
	{"yield", run_yield},
};

static bool dispatch(struct world *w, char **words, size_t count)
{
	for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
		if (is(COMMANDS[i].name, words[0])) {
			bool done = COMMANDS[i].run(w, (struct words){words + 1, count - 1});

			if (w->tell)
				world_tell_serving(w);
			return done;
		}
	return false;
}

/* Leaves out everything but broken promises. */
static void tell_violations(void *context, const char *line)
{
	const struct world *w = context;

	if (strstr(line, "] VIOLATION: "))
		w->quiet_tell(w->quiet_context, line);
}

static bool run_quietly(struct world *w, char **words, size_t count)
{
	bool done;

	w->quiet_tell = w->tell;
	w->quiet_context = w->tell_context;
	w->tell = tell_violations;
	w->tell_context = w;
	done = dispatch(w, words, count);
	w->tell = w->quiet_tell;
	w->tell_context = w->quiet_context;
	return done;
}

bool command_run(struct world *w, char **words, size_t count)
{
	if (count == 0)
		return false;
	if (is(words[0], "quietly"))
		return count > 1 && run_quietly(w, words + 1, count - 1);
	return dispatch(w, words, count);
}

bool command_run_text(struct world *w, const char *text)
{
	char copy[COMMAND_TEXT_SIZE], *words[COMMAND_WORDS_MAX], *rest = copy, *word;
	size_t count = 0;

	if (!text_copy(copy, sizeof(copy), text))
		return false;
	while ((word = strsep(&rest, " \t")) != NULL && count < COMMAND_WORDS_MAX)
		if (word[0] != '\0')
			words[count++] = word;
	return command_run(w, words, count);
}
