/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 6.9 (R11): whoever answers for the group's addresses after its fence must have
 * closed is alive and holds it: "nobody claims".
 *
 * On a LAN that carries ARP frames, whatever it does to heartbeats, nobody claims what a node of
 * which it last heard that it is ACTIVE goes on serving under a fence.
 */
#include <string.h>

#include "sim/invariants.h"
#include "sim/tally.h"

/* Of the margin, the part in which the answer must come: docs/protocol.md 6.9. */
#define WINDOW_PARTS 3
/* "The first two" addresses are asked for. */
#define QUESTIONS_MAX 2

/* docs/protocol.md 6.9: "until a claim is due", which is when the tolerance has passed: one that
 * could not send has no lease, and claims later than that. 6.14: "It begins when all other
 * conditions of R2 or R3 hold, and claims when that is done": the question was put before that. */
static ha_time claim_was_due(
	const struct world *w, const struct node *n, const struct node *holder, size_t group)
{
	const struct hearing *h = &w->checks->hearing[node_index(w, n)][node_index(w, holder)];
	ha_time silent = time_add(h->heard_world, h->tolerance_ns);
	bool prepares = n->conf.groups[group].hook_count[CONF_HOOK_BEFORE] > 0;

	return time_min(silent, prepares ? n->prepares_since[group] : w->now);
}

/* Nothing was in the way of question and answer for a margin. */
static bool could_ask(
	const struct world *w, const struct node *n, const struct node *holder, size_t group)
{
	int64_t margin_ns = holder->conf.node.margin_ns;
	ha_time begin = time_add(claim_was_due(w, n, holder, group), -margin_ns), whole;

	return lan_carries_frames(w, node_index(w, n), node_index(w, holder), &whole) &&
	       whole.ns <= begin.ns && n->keeper_stalled_until.ns <= begin.ns &&
	       n->awake_since.ns <= begin.ns && holder->host_stalled_until.ns <= begin.ns &&
	       2 * (w->delay_ns + w->jitter_ns) + n->late_ns < margin_ns / WINDOW_PARTS;
}

/* While configurations differ it may answer for others than those that are asked for. */
static bool is_asked_for(
	const struct world *w, const struct node *n, const struct node *holder, size_t group)
{
	const struct conf_group *g = &n->conf.groups[group];

	for (size_t i = 0; i < g->address_count && i < QUESTIONS_MAX; i++)
		if (node_serves_address(w, holder, &n->conf.addresses[g->address_first + i].ip))
			return true;
	return false;
}

/* Somebody else was heard to hold it later. */
static bool is_succeeded(const struct world *w, size_t listener, size_t holder, size_t group)
{
	const struct word *words = w->checks->decided[listener][group];

	for (size_t i = 0; i < w->node_count; i++)
		if (words[i].active.ns > words[holder].active.ns)
			return true;
	return false;
}

/* By its last word, and neither @n nor anybody else has held the group since: that one superseded
 * it. */
static bool is_known_holder(
	const struct world *w, const struct node *n, const struct node *holder, size_t group)
{
	const struct checks *c = w->checks;
	size_t i = node_index(w, n), h = node_index(w, holder);

	return c->hearing[i][h].boot == holder->boot && c->decided[i][group][h].last &&
	       c->hearing[i][h].heard_world.ns > n->held[group].down_at.ns &&
	       !is_succeeded(w, i, h, group);
}

/* Since before the question, and with a lease that it has earned. */
static bool serves_under_fence(const struct world *w, const struct node *holder, size_t group)
{
	return fence_is_in_time(holder) && node_serves(w, holder, group) &&
	       !holder->held[group].expired &&
	       time_between(holder->held[group].up_at, w->now) > holder->conf.node.margin_ns;
}

/* "Where heartbeats begin to be lost in the middle of a handover (R3), both may hold." */
static bool was_in_handover(
	const struct world *w, const struct node *n, const struct node *holder, size_t group)
{
	const struct word *words = w->checks->decided[node_index(w, n)][group];

	for (size_t i = 0; i < w->node_count; i++)
		if (i != node_index(w, holder) && words[i].last)
			return true;
	return false;
}

static bool was_granted(const struct world *w, const struct node *n, size_t group)
{
	for (size_t i = 0; i < w->node_count; i++)
		if (w->checks->decided[node_index(w, n)][group][i].granted)
			return true;
	return false;
}

void suspicion_check(struct world *w, const struct node *n, size_t group)
{
	for (size_t i = 0; i < w->node_count; i++) {
		const struct node *holder = &w->nodes[i];

		if (holder == n || group >= holder->conf.group_count ||
			!serves_under_fence(w, holder, group) ||
			!is_asked_for(w, n, holder, group) ||
			!is_known_holder(w, n, holder, group) || was_granted(w, n, group) ||
			was_in_handover(w, n, holder, group) || !could_ask(w, n, holder, group))
			continue;
		violated(w, "%s claims %s, although %s would have told it that it serves it",
			n->name, n->conf.groups[group].name, holder->name);
	}
}

void suspicion_reported(struct world *w, const struct report *r)
{
	if (r->kind == REPORT_PEER && strstr(r->text, "is not heard but answers"))
		tally_transition(w->tally, "a holder that is not heard has answered");
}
