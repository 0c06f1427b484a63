/* SPDX-License-Identifier: ISC */
#include "engine/views.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/text.h"
#include "engine/devices.h"
#include "engine/groups.h"
#include "engine/health.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/node.h"
#include "engine/peers.h"
#include "engine/tables.h"

static const struct peer_record *peer_of(const struct engine *e, size_t node)
{
	assert(node > 0 && node <= e->peer_count);
	return &e->peers[node - 1];
}

bool views_node(const struct engine *e, ha_time now, size_t node, struct view_node *ret_node)
{
	const struct peer_record *p;

	if (node > e->peer_count)
		return false;
	if (node == 0) {
		*ret_node = (struct view_node){.id = e->identity.id,
			.name = e->conf->node.name,
			.address = devices_real_address(e),
			.live = true,
			.tolerance_ms = e->conf->node.tolerance_ns / NS_PER_MS};
		return true;
	}
	p = peer_of(e, node);
	*ret_node = (struct view_node){.id = p->peer.id,
		.name = p->name,
		.address = p->address,
		.live = peer_is_live(&p->peer, e->now),
		.last_heard_ms = time_between(p->peer.heard, now) / NS_PER_MS,
		.tolerance_ms = p->peer.tolerance_ns / NS_PER_MS};
	return true;
}

static struct view_group own_view(const struct engine *e, size_t group)
{
	const struct group *g = &e->groups[group];
	bool listens = g->election.phase == ELECTION_LISTENING;
	enum node_state state = group_state(g);

	return (struct view_group){.state = state,
		.eligible = group_ineligible(e, group) == ELIGIBLE && !listens,
		.listens = listens,
		.wants = g->election.wants,
		.impaired = health_is_impaired(e, group),
		.worth = group_own_rank(e, group).worth,
		.epoch = state == STATE_ACTIVE ? g->election.epoch : g->election.epoch_seen};
}

bool views_group(const struct engine *e, size_t node, size_t group, struct view_group *ret_group)
{
	const struct peer_entry *entry;

	assert(group < e->conf->group_count);
	if (node == 0) {
		*ret_group = own_view(e, group);
		return true;
	}
	entry = &peer_of(e, node)->entries[group];
	if (!entry->present)
		return false;
	*ret_group = (struct view_group){
		.state = entry->superseded ? STATE_STANDBY : (enum node_state)entry->state,
		.eligible = entry->flags & HEARTBEAT_GROUP_ELIGIBLE,
		.listens = entry->flags & HEARTBEAT_GROUP_LISTENING,
		.wants = entry->flags & HEARTBEAT_GROUP_WANT,
		.impaired = entry->flags & HEARTBEAT_GROUP_IMPAIRED,
		.worth = entry->worth,
		.epoch = entry->epoch};
	return true;
}

bool views_candidates(
	const struct engine *e, ha_time now, const char *group, struct candidates *ret_candidates)
{
	int index = conf_group_by_name(e->conf, group);
	struct view_node node;
	struct view_group view;

	if (index < 0)
		return false;
	ret_candidates->count = 0;
	for (size_t i = 1; views_node(e, now, i, &node); i++) {
		struct candidate *c = &ret_candidates->list[ret_candidates->count];

		if (!node.live || !views_group(e, i, (size_t)index, &view) || !view.eligible)
			continue;
		*c = (struct candidate){
			.id = node.id, .address = node.address, .worth = view.worth};
		text_copy(c->name, sizeof(c->name), node.name);
		ret_candidates->count++;
	}
	return true;
}

static const char *name_of(const struct engine *e, uint64_t id)
{
	if (id == e->identity.id)
		return e->conf->node.name;
	for (size_t i = 0; i < e->peer_count; i++)
		if (e->peers[i].peer.id == id)
			return e->peers[i].name;
	return NULL;
}

/* Whom this node hears are all its peers, those long silent left out as in its heartbeats. */
static bool own_heard(const struct engine *e, size_t index, struct view_heard *ret_heard)
{
	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];

		if (peers_is_forgettable(e, p) || index-- > 0)
			continue;
		*ret_heard = (struct view_heard){.id = p->peer.id,
			.name = p->name,
			.age_ms = time_between(p->peer.heard, e->now) / NS_PER_MS};
		return true;
	}
	return false;
}

bool views_heard(const struct engine *e, size_t node, size_t index, struct view_heard *ret_heard)
{
	const struct peer_record *p;

	if (node == 0)
		return own_heard(e, index, ret_heard);
	p = peer_of(e, node);
	if (index >= p->hears_count)
		return false;
	*ret_heard = (struct view_heard){.id = p->hears[index].id,
		.name = name_of(e, p->hears[index].id),
		.age_ms = p->hears[index].age_ms};
	return true;
}

/* --- where it does not fit together */

struct teller {
	const struct engine *e;
	void (*told)(void *context, const char *text);
	void *context;
};

__attribute__((format(printf, 2, 3))) static void tell(
	const struct teller *t, const char *format, ...)
{
	char text[STATUS_REASON_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	t->told(t->context, text);
}

static uint64_t id_of(const struct engine *e, size_t node)
{
	return node == 0 ? e->identity.id : peer_of(e, node)->peer.id;
}

static const char *node_name(const struct engine *e, size_t node)
{
	return node == 0 ? e->conf->node.name : peer_of(e, node)->name;
}

static int64_t tolerance_ns(const struct engine *e, size_t node)
{
	return node == 0 ? e->conf->node.tolerance_ns : peer_of(e, node)->peer.tolerance_ns;
}

/* Whether its word counts: this node, and those that have been heard for a tolerance. Who has just
 * come needs that long to hear everybody. */
static bool is_settled(const struct engine *e, size_t node)
{
	const struct peer_record *p;

	if (node == 0)
		return true;
	p = peer_of(e, node);
	return peers_is_audible(e, p) &&
	       time_between(p->heard_since, e->now) > tolerance_ns(e, node);
}

/* Whether @a heard @b within @b's tolerance when it last spoke. */
static bool hears(const struct engine *e, size_t a, size_t b)
{
	const struct peer_record *p;

	if (a == 0)
		return peers_is_audible(e, peer_of(e, b));
	p = peer_of(e, a);
	for (size_t i = 0; i < p->hears_count; i++)
		if (p->hears[i].id == id_of(e, b))
			return p->hears[i].age_ms * NS_PER_MS <= tolerance_ns(e, b);
	return false;
}

static void compare_links(const struct teller *t, size_t a, size_t b)
{
	const struct engine *e = t->e;
	bool forth = hears(e, b, a), back = hears(e, a, b);

	if (!forth && !back)
		tell(t, "%s and %s do not hear each other", node_name(e, a), node_name(e, b));
	else if (!forth)
		tell(t, "%s does not hear %s, which hears it", node_name(e, b), node_name(e, a));
	else if (!back)
		tell(t, "%s does not hear %s, which hears it", node_name(e, a), node_name(e, b));
}

/* Nodes that @node hears well and this one does not. */
static void look_beyond(const struct teller *t, size_t node)
{
	const struct engine *e = t->e;
	const struct peer_record *p = peer_of(e, node);

	for (size_t i = 0; i < p->hears_count; i++) {
		const struct peer_record *other = peers_find((struct engine *)e, p->hears[i].id);
		int64_t fresh_ns = other ? other->peer.tolerance_ns : p->peer.tolerance_ns;

		if (p->hears[i].id == e->identity.id || (other && peers_is_audible(e, other)) ||
			(other && other->peer.leaving) || p->hears[i].age_ms * NS_PER_MS > fresh_ns)
			continue;
		if (other)
			tell(t, "%s hears %s, which this node does not", p->name, other->name);
		else
			tell(t, "%s hears a node that this one has never heard", p->name);
	}
}

static void compare_groups(const struct teller *t, size_t group)
{
	const struct engine *e = t->e;
	char names[STATUS_REASON_SIZE];
	struct text text = text_init(names, sizeof(names));
	size_t holders = 0;

	for (size_t node = 0; node <= e->peer_count; node++) {
		struct view_group v;

		if ((node > 0 && !peers_is_audible(e, peer_of(e, node))) ||
			!views_group(e, node, group, &v) || v.state != STATE_ACTIVE)
			continue;
		text_add(&text, "%s%s", holders++ > 0 ? " and " : "", node_name(e, node));
	}
	if (holders > 1)
		tell(t, "group %s is held by %s at once", e->conf->groups[group].name, names);
	else if (holders == 0 && e->groups[group].told_holder == 0 &&
		 e->groups[group].election.phase != ELECTION_LISTENING)
		tell(t, "group %s is held by nobody", e->conf->groups[group].name);
}

void views_differences_of_group(const struct engine *e, size_t group,
	void (*told)(void *context, const char *text), void *context)
{
	const struct teller t = {.e = e, .told = told, .context = context};

	compare_groups(&t, group);
}

void views_differences_of_links(
	const struct engine *e, void (*told)(void *context, const char *text), void *context)
{
	const struct teller t = {.e = e, .told = told, .context = context};

	for (size_t a = 0; a <= e->peer_count; a++) {
		if (!is_settled(e, a))
			continue;
		for (size_t b = a + 1; b <= e->peer_count; b++)
			if (is_settled(e, b))
				compare_links(&t, a, b);
		if (a > 0)
			look_beyond(&t, a);
	}
}
