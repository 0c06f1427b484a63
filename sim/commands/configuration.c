/* SPDX-License-Identifier: ISC */
/* A node, from its name and some keys of ha.conf(5). */
#include "sim/commands/commands.h"

/* The sections of a configuration are written one after the other, the node's first. */
struct sections {
	char node_bytes[2048], group_bytes[4096], web_bytes[256];
	struct text node, groups;
	struct text web; /* keys of the group `web`, which is not named */
	unsigned group_count;
	const char *worth;
	const char *when_all_fail;
	const char *families; /* "v4", "v6" or "both" */
	const char *secret;
};

static void add_addresses(struct sections *s, const char *device)
{
	const char *dev = device ? " dev " : "", *name = device ? device : "";
	unsigned number = 100 + s->group_count++;

	if (!is(s->families, "v6"))
		text_add(&s->groups, "address = 192.168.1.%u/24%s%s\n", number, dev, name);
	if (!is(s->families, "v4"))
		text_add(&s->groups, "address = 2001:db8::%x/64%s%s\n", number, dev, name);
}

static void begin_group(struct sections *s, const char *name, const char *worth, const char *device)
{
	text_add(&s->groups, "[group %s]\nworth = %s\nwhen-all-fail = %s\n", name, worth,
		s->when_all_fail);
	add_addresses(s, device);
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
	} else if (is(key, "families")) { /* likewise */
		s->families = rest->list[1];
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

/* The configuration that @rest tells, in ha.conf(5)'s words. */
static bool write_text(struct sections *s, struct words rest, struct text *t)
{
	*s = (struct sections){
		.worth = "100", .when_all_fail = "keep", .families = "v4", .secret = "shared"};
	s->node = text_init(s->node_bytes, sizeof(s->node_bytes));
	s->groups = text_init(s->group_bytes, sizeof(s->group_bytes));
	s->web = text_init(s->web_bytes, sizeof(s->web_bytes));
	while (rest.count > 0)
		if (!node_word(s, &rest))
			return false;
	if (s->group_count == 0)
		begin_group(s, "web", s->worth, NULL);
	text_add(t, "[node]\ninterface = eth0\n%s%s", s->node_bytes, s->group_bytes);
	return true;
}

/* node NAME ADDRESS [when-all-fail HOW] [families v4|v6|both] [worth N] [group NAME WORTH]... [on
 * DEVICE] [key WORD] [KEY VALUE]...: the other keys are those of [node] in ha.conf(5); policy,
 * settle, hold-down and before-active are of the last group. Without a group it is `web` with
 * 192.168.1.100. */
bool command_node(struct world *w, struct words words)
{
	static struct sections s;
	char text[CONFIGURATION_SIZE];
	struct text t = text_init(text, sizeof(text));
	struct words rest = {words.list + 2, words.count - 2};

	return words.count >= 2 && w->node_count < WORLD_NODES_MAX && write_text(&s, rest, &t) &&
	       node_add(w, words.list[0], text, words.list[1], s.secret);
}

/* configuration WORD [...]: what nodes may be told to reload; the rest as behind the address of
 * `node`. */
bool command_configuration(struct world *w, struct words words)
{
	static struct sections s;
	struct configuration *c = &w->configurations[w->configuration_count];
	struct words rest = {words.list + 1, words.count - 1};
	struct text t;

	if (words.count < 1 || w->configuration_count == WORLD_CONFIGURATIONS_MAX)
		return false;
	t = text_init(c->text, sizeof(c->text));
	if (!text_copy(c->name, sizeof(c->name), words.list[0]) || !write_text(&s, rest, &t))
		return false;
	w->configuration_count++;
	return true;
}

/* reload NAME GAP PATIENCE WORD: as `replace`, with that configuration. */
bool command_reload(struct world *w, struct words words)
{
	struct node *n = words.count == 4 ? node_find(w, words.list[0]) : NULL;
	int64_t gap_ns, patience_ns;

	if (!n || !n->running || n->succession.asked || !words_duration(words.list[1], &gap_ns) ||
		!words_duration(words.list[2], &patience_ns))
		return false;
	for (size_t i = 0; i < w->configuration_count; i++)
		if (is(w->configurations[i].name, words.list[3]))
			return node_reload(w, n, w->configurations[i].text, gap_ns, patience_ns);
	return false;
}
