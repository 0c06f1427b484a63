/* SPDX-License-Identifier: ISC */
/* What happens to nodes: their processes, their devices and keepers, their services, and what they
 * are asked for. */
#include <stdlib.h>
#include <string.h>

#include "sim/commands/commands.h"

static size_t find_group(const struct node *n, const char *name)
{
	int group = conf_group_by_name(&n->conf, name);

	return group < 0 ? WORLD_GROUPS_MAX : (size_t)group;
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

bool command_start(struct world *w, struct words words)
{
	struct node *n = words.count == 1 ? node_find(w, words.list[0]) : NULL;

	/* A service manager ends what is left of one whose keeper has died. */
	if (n && n->running && !n->keeper.runs) {
		node_start(w, n);
		return true;
	}
	return for_each_node(w, words, false, node_start);
}

/* orphan NAME: its keeper is killed. */
bool command_orphan(struct world *w, struct words words)
{
	struct node *n = words.count == 1 ? node_find(w, words.list[0]) : NULL;

	if (!n || !n->keeper.runs)
		return false;
	disturb(n);
	node_orphan(w, n);
	return true;
}

bool command_stop(struct world *w, struct words words)
{
	return for_each_node(w, words, true, node_stop);
}

bool command_kill(struct world *w, struct words words)
{
	return for_each_node(w, words, true, node_kill);
}

bool command_crash(struct world *w, struct words words)
{
	return for_each_node(w, words, true, node_crash);
}

/* replace NAME GAP PATIENCE [worth GROUP N]: another engine takes its place, so long after it has
 * made room, for which it asks the others for patience; with another worth. */
bool command_replace(struct world *w, struct words words)
{
	struct node *n = words.count == 3 || words.count == 6 ? node_find(w, words.list[0]) : NULL;
	int64_t gap_ns, patience_ns;

	if (!n || !n->running || !words_duration(words.list[1], &gap_ns) ||
		!words_duration(words.list[2], &patience_ns))
		return false;
	n->succession.changes = WORLD_GROUPS_MAX;
	if (n->succession.has_next)
		return false; /* one after the other */
	if (words.count == 6) {
		n->succession.changes = find_group(n, words.list[4]);
		n->succession.worth = (uint16_t)strtoul(words.list[5], NULL, 10);
		if (!is(words.list[3], "worth") || n->succession.changes == WORLD_GROUPS_MAX)
			return false;
	}
	node_replace(w, n, gap_ns, patience_ns);
	return true;
}

/* stall NAME DURATION: its engine does not run; its keeper does. */
bool command_stall(struct world *w, struct words words)
{
	struct node *n = words.count == 2 ? node_find(w, words.list[0]) : NULL;
	int64_t duration_ns;

	if (!n || !words_duration(words.list[1], &duration_ns))
		return false;
	node_stall(w, n, duration_ns);
	return true;
}

/* freeze NAME engine|keeper|host|clock DURATION: a process; the whole host; with its clock. */
bool command_freeze(struct world *w, struct words words)
{
	struct node *n = words.count == 3 ? node_find(w, words.list[0]) : NULL;
	int64_t duration_ns;

	if (!n || !words_duration(words.list[2], &duration_ns))
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

/* late NAME DURATION: its engine's timers come late by up to that. */
bool command_late(struct world *w, struct words words)
{
	struct node *n = words.count == 2 ? node_find(w, words.list[0]) : NULL;

	return n && words_duration(words.list[1], &n->late_ns);
}

/* drift NAME PPM: how much faster its clock goes than the world's; may be negative. */
bool command_drift(struct world *w, struct words words)
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
	n->fence = CHANNEL_FENCE_BPF;
}

static void set_filtered(struct world *w, struct node *n)
{
	(void)w;
	n->fence = CHANNEL_FENCE_NFTABLES;
}

/* fence [nftables] NAME...|all: their kernels have one. Before they start. */
bool command_fence(struct world *w, struct words words)
{
	if (words.count > 0 && is(words.list[0], "nftables"))
		return for_each_node(
			w, (struct words){words.list + 1, words.count - 1}, false, set_filtered);
	return for_each_node(w, words, false, set_fenced);
}

static void set_restarts(struct world *w, struct node *n)
{
	(void)w;
	n->restarts = true;
}

/* restarts NAME...|all: their keepers start a fresh engine when one has crashed. Before they start.
 */
bool command_restarts(struct world *w, struct words words)
{
	return for_each_node(w, words, false, set_restarts);
}

static void set_forwards(struct world *w, struct node *n)
{
	(void)w;
	n->forwards = true;
}

/* router NAME...|all: they forward. Before they start. */
bool command_router(struct world *w, struct words words)
{
	return for_each_node(w, words, false, set_forwards);
}

static void set_lifetimes(struct world *w, struct node *n)
{
	(void)w;
	if (n->fence == CHANNEL_FENCE_WATCHDOG)
		n->fence = CHANNEL_FENCE_LIFETIME;
}

/* lifetimes NAME...|all: their kernels end addresses that no keeper renews, where they have no
 * fence. Before they start. */
bool command_lifetimes(struct world *w, struct words words)
{
	return for_each_node(w, words, false, set_lifetimes);
}

/* changes NAME...: tells its table as changes from its next start on, as with many groups. */
bool command_changes(struct world *w, struct words words)
{
	for (size_t i = 0; i < words.count; i++) {
		struct node *n = node_find(w, words.list[i]);

		if (!n)
			return false;
		n->tells_changes = true;
	}
	return words.count > 0;
}

static bool change_device(const struct node *n, struct engine_device *d, struct words words)
{
	bool on;

	if (words.count == 1 && (is(words.list[0], "up") || is(words.list[0], "down"))) {
		d->up = is(words.list[0], "up");
	} else if (words.count == 1 &&
		   (is(words.list[0], "present") || is(words.list[0], "absent"))) {
		d->present = is(words.list[0], "present");
		d->up = d->carrier = d->present;
	} else if (words.count == 2 && is(words.list[0], "carrier") &&
		   words_switch(words.list[1], &on)) {
		d->carrier = on;
	} else if (words.count == 2 && is(words.list[0], "address")) {
		return node_set_address(n, d, words.list[1]);
	} else {
		return false;
	}
	return true;
}

/* device NAME DEVICE up|down|present|absent|carrier on|carrier off|address none|address ADDRESS */
bool command_device(struct world *w, struct words words)
{
	struct node *n = words.count > 2 ? node_find(w, words.list[0]) : NULL;

	for (size_t i = 0; n && i < n->conf.device_count; i++) {
		if (!is(n->conf.devices[i].name, words.list[1]))
			continue;
		if (!change_device(
			    n, &n->devices[i], (struct words){words.list + 2, words.count - 2}))
			return false;
		disturb(n);
		node_device(w, n, i);
		return true;
	}
	return false;
}

/* restore NAME DEVICE ADDRESS: whatever was done to it, its keeper and its devices is over. */
bool command_restore(struct world *w, struct words words)
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
		if (is(n->conf.devices[i].name, words.list[1]) &&
			!node_set_address(n, d, words.list[2]))
			return false;
		if (memcmp(d, &before, sizeof(before)) != 0)
			node_device(w, n, i);
	}
	return true;
}

/* remove NAME GROUP: somebody else takes the group's first address away. */
bool command_remove(struct world *w, struct words words)
{
	struct node *n = words.count == 2 ? node_find(w, words.list[0]) : NULL;
	size_t group = n ? find_group(n, words.list[1]) : WORLD_GROUPS_MAX;

	if (group == WORLD_GROUPS_MAX || !node_serves(w, n, group))
		return false;
	disturb(n);
	kernel_remove(w, n, n->conf.groups[group].address_first);
	return true;
}

/* refuse NAME GROUP on|off: its keeper cannot configure the group's addresses. */
bool command_refuse(struct world *w, struct words words)
{
	struct node *n = words.count == 3 ? node_find(w, words.list[0]) : NULL;
	size_t group = n ? find_group(n, words.list[1]) : WORLD_GROUPS_MAX;

	if (group == WORLD_GROUPS_MAX)
		return false;
	disturb(n);
	return words_switch(words.list[2], &n->held[group].refuses);
}

/* mute NAME on|off: nothing that it sends leaves, and it is told so. */
bool command_mute(struct world *w, struct words words)
{
	struct node *n = words.count == 2 ? node_find(w, words.list[0]) : NULL;

	if (!n || !words_switch(words.list[1], &n->cannot_send))
		return false;
	lan_joins(w, n);
	return true;
}

/* health NAME GROUP WORTH sound|impaired|unfit: what its checks make of it. */
bool command_health(struct world *w, struct words words)
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
bool command_prepare(struct world *w, struct words words)
{
	struct node *n = words.count == 3 ? node_find(w, words.list[0]) : NULL;

	if (!n || !words_duration(words.list[1], &n->prepare_ns) ||
		(!is(words.list[2], "yes") && !is(words.list[2], "no")))
		return false;
	n->vetoes = is(words.list[2], "no");
	disturb(n);
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
bool command_yield(struct world *w, struct words words)
{
	struct control_request asked = {.command = CONTROL_YIELD};

	if (words.count < 2 || words.count > 3)
		return false;
	text_copy(asked.group, sizeof(asked.group), words.list[1]);
	text_copy(asked.to, sizeof(asked.to), words.count == 3 ? words.list[2] : "");
	return ask(w, words, &asked);
}

/* drain NAME [force]: it is asked to hold nothing. */
bool command_drain(struct world *w, struct words words)
{
	struct control_request asked = {.command = CONTROL_DRAIN, .force = words.count == 2};

	return words.count <= 2 && ask(w, words, &asked);
}

/* resume NAME [GROUP] */
bool command_resume(struct world *w, struct words words)
{
	struct control_request asked = {.command = CONTROL_RESUME};

	if (words.count > 2)
		return false;
	text_copy(asked.group, sizeof(asked.group), words.count == 2 ? words.list[1] : "");
	return ask(w, words, &asked);
}
