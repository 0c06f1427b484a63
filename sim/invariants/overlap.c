/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 6.3 (R3): "The grantee claims as in R2 and says ACTIVE. On hearing that, the
 * holder stops announcing, goes on answering what is on its way to it for a moment (an eighth of
 * its tolerance, at most 20 ms), releases, then says STANDBY".
 *
 * docs/protocol.md 6.4 (R4): "Of two ACTIVE nodes that hear each other with no grant between them,
 * the one that ranks lower releases at once."
 *
 * Two forms of the same. On a network where nothing is lost or cut, two nodes that once knew each
 * other serve together only for as long as the new holder's word travels, the old one lingers and
 * its keeper works; and never does one take what a stalled one still serves. On any network, two
 * that have both processed the other's word that it is ACTIVE, each named in it, stop within the
 * same time but for the travel.
 */
#include "sim/invariants.h"
#include "sim/tally.h"

#define LINGER_MAX_NS         (20 * NS_PER_MS)
#define LINGERS_PER_TOLERANCE 8

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t linger_ns(const struct node *a, const struct node *b)
{
	int64_t longer = larger(a->conf.node.tolerance_ns, b->conf.node.tolerance_ns);

	return smaller(longer / LINGERS_PER_TOLERANCE, LINGER_MAX_NS);
}

/* The keeper's work, one group after the other, and the spacing of heartbeats; a timer that is
 * late. */
static int64_t work_ns(const struct node *a, const struct node *b)
{
	int64_t groups = larger(a->conf.group_count, b->conf.group_count);

	return 2 * groups * KEEPER_TAKES_NS + 2 * NS_PER_MS + larger(a->late_ns, b->late_ns);
}

static int64_t travel_ns(const struct world *w)
{
	return 2 * (w->delay_ns + w->jitter_ns);
}

/* docs/protocol.md 2.9: who lacks a part of a table asks for it, at most four times an interval;
 * twice, where the answer overtakes what it follows. */
static int64_t asking_ns(const struct world *w, const struct node *a, const struct node *b)
{
	if (!a->tells_changes && !b->tells_changes)
		return 0;
	return larger(a->conf.node.interval_ns, b->conf.node.interval_ns) / 4 + 2 * travel_ns(w);
}

static bool keeper_works(const struct world *w, const struct node *n)
{
	return keeper_is_awake(w, n) && w->now.ns > n->keeper_stalled_until.ns;
}

/* Engine and keeper. */
static ha_time runs_since(const struct node *n)
{
	return time_max(n->awake_since, n->keeper_stalled_until);
}

/* It may be in the middle of a handover that it agreed to before it stalled. */
static bool has_granted(const struct world *w, const struct node *n, size_t group)
{
	return w->checks->granting[node_index(w, n)][group];
}

/* A third one had taken it before, which had missed a heartbeat of the stalled one. */
static bool was_granted(const struct world *w, const struct node *n, size_t group)
{
	for (size_t i = 0; i < w->node_count; i++)
		if (w->checks->decided[node_index(w, n)][group][i].granted)
			return true;
	return false;
}

/* The older one stalled, then the younger one took the group, on a network that was whole. Of what
 * its keeper brought up while it was stalled it has told nobody. */
static void check_taken_from_stalled(
	struct world *w, const struct node *older, const struct node *younger, size_t group)
{
	if (node_is_awake(w, older) ||
		older->stalled_since.ns >= younger->held[group].asked_at.ns ||
		older->held[group].up_at.ns >= older->stalled_since.ns ||
		has_granted(w, older, group) || was_granted(w, younger, group))
		return;
	violated(w, "%s has taken %s, which %s still serves while it is stalled", younger->name,
		older->conf.groups[group].name, older->name);
}

static void check_whole(struct world *w, const struct node *a, const struct node *b, size_t group)
{
	ha_time *since = &w->checks->both_since[node_index(w, a)][node_index(w, b)][group];
	int64_t both_ns, bound_ns = linger_ns(a, b) + work_ns(a, b) + travel_ns(w);
	ha_time whole;

	if (!lan_is_whole(w, node_index(w, a), node_index(w, b), &whole) ||
		!hearing_is_mutual(w, node_index(w, a), node_index(w, b), whole)) {
		*since = w->now;
		return;
	}
	if (!node_is_awake(w, a) || !node_is_awake(w, b) || a->cannot_send || b->cannot_send) {
		if (a->held[group].up_at.ns < b->held[group].up_at.ns)
			check_taken_from_stalled(w, a, b, group);
		else
			check_taken_from_stalled(w, b, a, group);
		*since = w->now;
		return;
	}
	bound_ns += asking_ns(w, a, b);
	both_ns = time_between(time_max(*since, time_max(runs_since(a), runs_since(b))), w->now);
	tally_seen(w->tally, BOUND_OVERLAP, both_ns, bound_ns);
	if (both_ns > bound_ns)
		violated(w, "%s and %s both serve %s for %lld us although nothing is between them",
			a->name, b->name, a->conf.groups[group].name,
			(long long)(both_ns / NS_PER_US));
}

/* Since when each knows; a stall begins it anew, and a word counts only as long as its speaker
 * counts as live. */
static ha_time met_since(
	struct world *w, const struct node *n, const struct node *other, size_t group)
{
	struct word *word = &w->checks->words[node_index(w, n)][node_index(w, other)][group];
	const struct hearing *hearing = &w->checks->hearing[node_index(w, n)][node_index(w, other)];
	int64_t patience_ns = smaller(smaller(other->conf.node.tolerance_ns, hearing->tolerance_ns),
		n->conf.node.max_tolerance_ns);

	if (word->met.ns == 0 || hearing->boot != other->boot)
		return TIME_NEVER;
	/* docs/protocol.md 6.4: "with no grant between them"; and 2.9: "A heartbeat says of every
	 * group what the sender last told of it": it has not been told yet that the grant has
	 * lapsed. */
	if (time_between(hearing->heard_world, w->now) > patience_ns / 2 ||
		(word->granted && !has_granted(w, other, group))) {
		word->met = TIME_ORIGIN;
		return TIME_NEVER;
	}
	return time_max(word->met, runs_since(n));
}

/* docs/protocol.md 6.3: "says ACTIVE. On hearing that, with GRANTED (without it, this is an earlier
 * claim, which may be over), the holder stops announcing": a grantee that was ACTIVE before it
 * heard of the grant does not release any more, and its answer is on its way. */
static int64_t answering_ns(
	const struct world *w, const struct node *a, const struct node *b, size_t group)
{
	return has_granted(w, a, group) || has_granted(w, b, group) ? travel_ns(w) : 0;
}

static void check_met(struct world *w, const struct node *a, const struct node *b, size_t group)
{
	ha_time a_knows = met_since(w, a, b, group), b_knows = met_since(w, b, a, group);
	int64_t both_ns, bound_ns = linger_ns(a, b) + work_ns(a, b) + answering_ns(w, a, b, group);

	if (time_is_never(a_knows) || time_is_never(b_knows) || !node_is_awake(w, a) ||
		!node_is_awake(w, b))
		return;
	both_ns = time_between(time_max(a_knows, b_knows), w->now);
	tally_seen(w->tally, BOUND_MET, both_ns > 0 ? both_ns : 0, bound_ns);
	if (both_ns > bound_ns)
		violated(w, "%s and %s both serve %s, %lld us after each has heard that", a->name,
			b->name, a->conf.groups[group].name, (long long)(both_ns / NS_PER_US));
}

static void forget_pair(struct checks *c, size_t i, size_t j, size_t group)
{
	c->both_since[i][j][group] = TIME_ORIGIN;
	c->words[i][j][group].met = c->words[j][i][group].met = TIME_ORIGIN;
}

static void check_pair(struct world *w, size_t i, size_t j, size_t group)
{
	const struct node *a = &w->nodes[i], *b = &w->nodes[j];

	if (!a->held[group].up || !b->held[group].up || !node_serves(w, a, group) ||
		!node_serves(w, b, group)) {
		if (w->checks->both_since[i][j][group].ns != 0)
			forget_pair(w->checks, i, j, group);
		return;
	}
	if (w->checks->both_since[i][j][group].ns == 0)
		w->checks->both_since[i][j][group] = w->now;
	if (!keeper_works(w, a) || !keeper_works(w, b))
		return;
	check_whole(w, a, b, group);
	check_met(w, a, b, group);
}

/* Only those that have, or had at the last step, something up. */
void overlap_check(struct world *w)
{
	size_t serving[WORLD_NODES_MAX], count = 0;

	for (size_t i = 0; i < w->node_count; i++) {
		bool serves = w->nodes[i].up_count > 0;

		if (serves || w->checks->served[i])
			serving[count++] = i;
		w->checks->served[i] = serves;
	}
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			for (size_t g = 0; g < w->nodes[serving[i]].conf.group_count; g++)
				check_pair(w, serving[i], serving[j], g);
}

/* docs/protocol.md 3.1 and 3.4: a boot counts once it has named ours. */
static bool is_proven(const struct world *w, size_t listener, size_t speaker)
{
	return w->checks->hearing[listener][speaker].named.ns != 0;
}

/* What @p tells of groups by itself. */
static void take_words(
	const struct world *w, const struct node *n, const struct packet *p, struct word *words)
{
	const struct table *t = &p->says.table;
	uint32_t mark = table_mark(n->identity.id, n->identity.nonce);

	/* Of what it does not have any more it says nothing. */
	for (size_t i = w->nodes[p->from].conf.group_count; i < n->conf.group_count; i++)
		words[i].says_active = words[i].says_granted = false;
	for (size_t i = 0; p->says.leaving && i < n->conf.group_count; i++)
		words[i].says_active = words[i].says_granted = false;
	for (size_t i = 0; i < p->says.group_count && i < n->conf.group_count; i++) {
		const struct heartbeat_group *g = &p->says.groups[i];

		words[i].says_active = g->state == STATE_ACTIVE;
		words[i].says_granted = g->grantee != HEARTBEAT_GRANTEE_NONE &&
					p->says.heard[g->grantee].id == n->identity.id;
	}
	for (size_t i = 0; t->present && i < t->change_count; i++) {
		int group = conf_group_by_id(&n->conf, t->changes[i].id);

		if (group < 0)
			continue;
		words[group].says_active = t->changes[i].state == STATE_ACTIVE;
		words[group].says_granted = t->changes[i].grantee == mark;
	}
}

void overlap_hears_of_next(struct world *w, const struct node *n, const struct packet *p)
{
	struct word *words = w->checks->words[node_index(w, n)][p->from];
	struct hearing *hearing = &w->checks->hearing[node_index(w, n)][p->from];
	static struct word told[WORLD_GROUPS_MAX];

	for (size_t g = 0; g < n->conf.group_count; g++)
		told[g] = (struct word){
			.says_active = hearing->next == p->boot && words[g].next_active,
			.says_granted = hearing->next == p->boot && words[g].next_granted};
	take_words(w, n, p, told);
	for (size_t g = 0; g < n->conf.group_count; g++) {
		words[g].next_active = told[g].says_active;
		words[g].next_granted = told[g].says_granted;
	}
	hearing->next = p->boot;
}

void overlap_begins_boot(struct world *w, const struct node *n, const struct packet *p)
{
	struct word *words = w->checks->words[node_index(w, n)][p->from];
	bool heard = w->checks->hearing[node_index(w, n)][p->from].next == p->boot;

	for (size_t g = 0; g < n->conf.group_count; g++)
		words[g] = (struct word){.says_active = heard && words[g].next_active,
			.says_granted = heard && words[g].next_granted};
}

/* In a handover the new holder stays: it does not have to stop. The other one does. A heartbeat
 * that tells nothing new of a group says of it what was said last. */
void overlap_hears(struct world *w, const struct node *n, const struct packet *p, bool news)
{
	size_t listener = node_index(w, n);
	bool names = hearing_names(n, p);

	if (news)
		take_words(w, n, p, w->checks->words[listener][p->from]);
	for (size_t i = 0; news && i < n->conf.group_count; i++) {
		struct word *word = &w->checks->words[listener][p->from][i];
		bool active = word->says_active && is_proven(w, listener, p->from);

		word->told = word->says_active && w->checks->hearing[listener][p->from].proven;
		word->last = active;
		if (active)
			word->active = node_clock(n, w->now);
		word->granted = active && word->says_granted;
		if (!active || !names || !n->held[i].up)
			word->met = TIME_ORIGIN;
		else if (word->met.ns == 0)
			word->met = w->now;
	}
}
