/* SPDX-License-Identifier: ISC */
#include "engine/original.h"

#include <string.h>

#include "base/text.h"
#include "engine/devices.h"
#include "engine/effects.h"
#include "engine/groups.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/node.h"
#include "engine/peers.h"

/* The only group that a configuration with `protocol = original` has. */
#define THE_GROUP 0

static int64_t tolerance_ns(const struct engine *e)
{
	int64_t own_ns = e->conf->node.tolerance_ns;

	return own_ns > ORIGINAL_TOLERANCE_NS ? own_ns : ORIGINAL_TOLERANCE_NS;
}

static int64_t interval_ns(const struct engine *e)
{
	int64_t own_ns = e->conf->node.interval_ns;

	return own_ns < ORIGINAL_INTERVAL_NS ? own_ns : ORIGINAL_INTERVAL_NS;
}

/* Nodes of ours speak so, too. One that died may have had its last packet still on the way. */
static bool is_ours(const struct engine *e, const struct ip *address)
{
	struct ip own = devices_real_address(e);

	if (ip_equal(address, &own))
		return true;
	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];

		if (time_between(p->peer.heard, e->now) < 2 * tolerance_ns(e) &&
			(ip_equal(&p->address, address) || ip_equal(&p->source, address)))
			return true;
	}
	return false;
}

static bool is_live(const struct engine *e, const struct original_node *o)
{
	return time_between(o->heard, e->now) < tolerance_ns(e) && !is_ours(e, &o->address);
}

/* As text, which is how they compare each other: 10.0.0.10 comes before 10.0.0.9. */
static bool is_lower(const struct ip *a, const struct ip *b)
{
	char a_text[IP_TEXT_SIZE], b_text[IP_TEXT_SIZE];

	return strcmp(ip_format(a, a_text), ip_format(b, b_text)) < 0;
}

/* One that is live and outranks this node; else any that is live; else NULL. */
static const struct original_node *find(const struct engine *e, bool worthier)
{
	struct ip own = devices_real_address(e);

	for (size_t i = 0; i < e->originals.count; i++) {
		const struct original_node *o = &e->originals.list[i];

		if (is_live(e, o) && (!worthier || is_lower(&o->address, &own)))
			return o;
	}
	return NULL;
}

/* An entry for @address: its own, a free one, or that of who was heard longest ago. */
static struct original_node *entry_for(struct originals *all, const struct ip *address)
{
	struct original_node *oldest = &all->list[0];

	for (size_t i = 0; i < all->count; i++) {
		if (ip_equal(&all->list[i].address, address))
			return &all->list[i];
		if (all->list[i].heard.ns < oldest->heard.ns)
			oldest = &all->list[i];
	}
	if (all->count < NODES_MAX)
		oldest = &all->list[all->count++];
	*oldest = (struct original_node){.address = *address};
	return oldest;
}

void original_heard(struct engine *e, const struct ip *source)
{
	if (e->conf->node.original && source->family == IP_V4)
		entry_for(&e->originals, source)->heard = e->now;
}

bool original_outranks(const struct engine *e)
{
	return e->conf->node.original && find(e, true);
}

void original_explain(const struct engine *e, struct text *text)
{
	const struct original_node *o = find(e, true);
	char address[IP_TEXT_SIZE];

	text_add(text, "%s, which runs the original program, comes before this node's address",
		o ? ip_format(&o->address, address) : "a node");
}

static bool is_answered_by_stranger(const struct engine *e)
{
	const struct conf_group *g = &e->conf->groups[THE_GROUP];

	for (size_t a = g->address_first; a < (size_t)g->address_first + g->address_count; a++) {
		if (e->addresses[a].conflict_at.ns != TIME_ORIGIN.ns)
			return true;
	}
	return false;
}

/* While it listens it keeps those quiet who are about to take the group, but lets one serve on who
 * does already, until it can take it over. */
static bool wants_to_speak(const struct engine *e)
{
	const struct group *g = &e->groups[THE_GROUP];
	enum ineligible why = group_ineligible(e, THE_GROUP);
	int64_t listened_ns = time_between(g->election.since, e->now);

	if (group_is_held(g))
		return true;
	if (why != ELIGIBLE && why != INELIGIBLE_CONFLICT)
		return false;
	if (g->election.phase == ELECTION_LISTENING)
		return listened_ns >= groups_listen_ns(e) / 2 && !is_answered_by_stranger(e) &&
		       !group_active_peer(e, THE_GROUP);
	return why == INELIGIBLE_CONFLICT && find(e, false);
}

static void report_changes(struct engine *e, struct effects *out)
{
	char address[IP_TEXT_SIZE];

	for (size_t i = 0; i < e->originals.count; i++) {
		struct original_node *o = &e->originals.list[i];
		bool live = is_live(e, o);

		if (live == o->told || !effects_have_room(out))
			continue;
		o->told = live;
		effect_report(e, out, REPORT_PEER, REPORT_NOTICE,
			live ? "%s is here and runs the original program"
			     : "%s, which ran the original program, is gone",
			ip_format(&o->address, address));
	}
}

void original_due(struct engine *e, struct effects *out)
{
	if (!e->conf->node.original)
		return;
	report_changes(e, out);
	if (!time_reached(e->now, e->originals.speak_at))
		return;
	e->originals.speak_at = time_add(e->now, interval_ns(e));
	if (wants_to_speak(e))
		effect_add(out, EFFECT_SEND_ORIGINAL);
}

ha_time original_deadline(const struct engine *e)
{
	return e->conf->node.original ? e->originals.speak_at : TIME_NEVER;
}
