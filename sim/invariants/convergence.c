/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 6.2 (R2), 6.3 (R3) and 6.4 (R4) together: once all faults are over, in each part
 * of the network whose nodes hear each other, exactly one node holds each group: one that is
 * eligible, with the policy `worthiest` the worthiest of them; every client reaches it.
 */
#include <stdio.h>
#include <string.h>

#include "sim/invariants.h"

static bool connected(const struct world *w, size_t a, size_t b)
{
	return lan_connects(w, a, b, CUT_UNICAST) && lan_connects(w, b, a, CUT_UNICAST);
}

/* docs/protocol.md 5.1 and 5.4, by what its checks say. */
static bool is_fit(const struct node *n, size_t group)
{
	const struct engine_health *h = &n->health[group];

	return h->worth > 0 && !h->ineligible &&
	       !(h->impaired && n->conf.groups[group].release_when_all_fail);
}

/* What it would not claim now it may have claimed before. */
static bool would_veto(const struct node *n, size_t group)
{
	return n->vetoes && n->conf.groups[group].hook_count[CONF_HOOK_BEFORE] > 0 &&
	       !n->held[group].up;
}

static bool is_able(const struct world *w, const struct node *n, size_t group)
{
	const struct engine_device *d = &n->devices[n->conf.node.path[0]];

	return group < n->conf.group_count && n->running && !n->told_to_stop && !n->drained &&
	       !n->cannot_send && is_fit(n, group) && !n->held[group].refuses && d->present &&
	       d->up && d->carrier && node_address(n).family != IP_NONE &&
	       w->stranger.family == IP_NONE;
}

static bool can_hold(const struct world *w, const struct node *n, size_t group)
{
	return is_able(w, n, group) && !would_veto(n, group);
}

/* docs/protocol.md 1.3, written anew: what is judged here must not be what judges. */
bool convergence_outranks(const struct node *a, const struct node *b, size_t group)
{
	const struct engine_health *a_health = &a->health[group], *b_health = &b->health[group];
	struct ip a_address = node_address(a), b_address = node_address(b);
	int order = memcmp(a_address.bytes, b_address.bytes, sizeof(a_address.bytes));

	if (a->yielded[group] != b->yielded[group]) /* 6.12, by their own word */
		return b->yielded[group];
	if (a_health->impaired != b_health->impaired)
		return b_health->impaired;
	if (a_health->worth != b_health->worth)
		return a_health->worth > b_health->worth;
	return order != 0 ? order < 0 : a->identity.id < b->identity.id;
}

/* Of those that hear @port. */
struct part {
	size_t serving, sticky, eligible;
	const struct node *server;    /* one of those that serve */
	const struct node *worthiest; /* of those that are eligible; NULL: none is */
};

static struct part survey(const struct world *w, size_t port, size_t group)
{
	struct part part = {0};

	for (size_t i = 0; i < w->node_count; i++) {
		const struct node *n = &w->nodes[i];

		if (i != port && !connected(w, port, i))
			continue;
		if (node_serves(w, n, group)) {
			part.serving++;
			part.server = n;
		}
		if (!is_able(w, n, group))
			continue;
		/* One that would say no is not asked as long as it is content with the holder. */
		part.sticky += n->conf.groups[group].policy == CONF_POLICY_STICKY;
		if (would_veto(n, group))
			continue;
		part.eligible++;
		if (!part.worthiest || convergence_outranks(n, part.worthiest, group))
			part.worthiest = n;
	}
	return part;
}

/* By the policy: with sticky it is as good on any node that is eligible, and sound if any is. */
static bool is_right(const struct world *w, const struct part *part, size_t group)
{
	if (part->sticky > 0)
		return can_hold(w, part->server, group) &&
		       (!part->server->health[group].impaired ||
			       part->worthiest->health[group].impaired);
	return part->server == part->worthiest;
}

/* Exactly one serves where node @i is, if any can, and it is the right one. */
static bool node_failure(struct world *w, size_t i, size_t group, char *buffer, size_t size)
{
	struct part part = survey(w, i, group);
	const char *name = w->nodes[i].conf.groups[group].name;

	if (part.serving == 0 && part.eligible > 0)
		snprintf(buffer, size, "%s should hold %s, but nobody does", part.worthiest->name,
			name);
	else if (part.serving > 1)
		snprintf(buffer, size, "%zu nodes hold %s where %s is", part.serving, name,
			w->nodes[i].name);
	/* What nobody else can take is kept by a drained node. */
	else if (part.serving == 1 && !is_right(w, &part, group) &&
		 !(part.eligible == 0 && part.server->drained))
		snprintf(buffer, size, "%s holds %s, but it should be %s", part.server->name, name,
			part.worthiest ? part.worthiest->name : "nobody");
	else
		return false;
	return true;
}

bool convergence_failure(struct world *w, char *buffer, size_t size)
{
	for (size_t i = 0; i < w->node_count; i++)
		for (size_t g = 0; g < w->nodes[i].conf.group_count; g++)
			if (node_failure(w, i, g, buffer, size))
				return true;
	return false;
}

static bool client_failure(
	const struct world *w, size_t client, size_t address, char *buffer, size_t size)
{
	const struct client *c = &w->clients[client];
	size_t group = w->shared[address].group;
	const struct node *reached = client_reaches(w, c, address);
	const struct node *right = survey(w, WORLD_NODES_MAX + client, group).server;

	/* One that is not configured with the address is reached by nobody. */
	if (reached == right ||
		(right && conf_address_by_ip(&right->conf, &w->shared[address].ip) < 0))
		return false;
	snprintf(buffer, size, "%s reaches %s for %s, but it should be %s", c->name,
		reached ? reached->name : "nobody", w->group_names[group],
		right ? right->name : "nobody");
	return true;
}

/* docs/protocol.md 8.1: "the router flag follows the forwarding state of the interface": a client
 * that uses the address as its gateway drops its route if the flag says otherwise. */
static bool router_failure(
	const struct world *w, size_t client, size_t address, char *buffer, size_t size)
{
	const struct client *c = &w->clients[client];
	const struct node *reached = client_reaches(w, c, address);

	if (w->shared[address].ip.family != IP_V6 || !reached ||
		c->neighbours[address].router == reached->forwards)
		return false;
	snprintf(buffer, size, "%s believes that %s is %s router", c->name, reached->name,
		reached->forwards ? "no" : "a");
	return true;
}

bool convergence_client_is_lost(struct world *w, ha_time since, char *buffer, size_t size)
{
	for (size_t c = 0; c < w->client_count; c++)
		for (size_t a = 0; a < w->shared_count; a++)
			if (w->checks->changed_at[w->shared[a].group].ns >= since.ns &&
				(client_failure(w, c, a, buffer, size) ||
					(since.ns > 0 && router_failure(w, c, a, buffer, size))))
				return true;
	return false;
}
