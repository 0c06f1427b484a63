/* SPDX-License-Identifier: ISC */
#include "engine/due.h"

#include "engine/attention.h"
#include "engine/groups.h"
#include "engine/inputs.h"
#include "engine/node.h"
#include "engine/prepare.h"
#include "engine/settle.h"

/* When a group must be evaluated again although nothing happens. */
static ha_time group_due(const struct engine *e, size_t group, const struct election_input *input)
{
	const struct group *g = &e->groups[group];
	ha_time due = election_deadline(&g->election, input);

	if (!settle_is_over(e, group))
		due = time_min(due, settle_until(e, group));
	if (g->hold_off != ELIGIBLE)
		due = time_min(due, g->hold_off_until);
	if (g->probing)
		due = time_min(due, g->probe_at);
	due = time_min(due, prepare_deadline(e, group));
	return due;
}

static ha_time if_ahead(const struct engine *e, ha_time due)
{
	return due.ns > e->now.ns ? due : TIME_NEVER;
}

/* The same for what is also met with in passing where each group is evaluated in each step. */
static ha_time group_due_in_passing(const struct engine *e, size_t group)
{
	const struct group *g = &e->groups[group];
	ha_time due = TIME_NEVER;

	if (g->election.phase == ELECTION_STANDBY && g->election.holder == 0)
		due = if_ahead(e, time_add(g->election.since, groups_listen_ns(e)));
	if (g->election.phase == ELECTION_ACTIVE)
		due = pauses_deadline(&g->election.pauses, e->now);
	if (g->told_holder != 0 && !g->was_held)
		due = time_min(
			due, if_ahead(e, time_add(g->held_last, e->conf->node.tolerance_ns)));
	for (size_t i = 0; i < e->peer_count; i++)
		if (!e->peers[i].table.complete && e->peers[i].table.in_use)
			due = time_min(
				due, if_ahead(e, time_add(e->peers[i].table.lacking,
							 2 * e->peers[i].peer.tolerance_ns)));
	return due;
}

void groups_plan(struct engine *e)
{
	const struct election_input input = {.lease = TIME_NEVER, .listen_ns = groups_listen_ns(e)};

	if (!e->attention.lazy)
		return;
	for (size_t g = 0; attention_seen(e, &g); g++)
		deadlines_set(&e->attention.due, g,
			time_min(group_due(e, g, &input), group_due_in_passing(e, g)));
}

/* Those in which the lease is looked at. */
static ha_time lease_deadline(const struct engine *e)
{
	bool any = e->phases[ELECTION_TAKING] + e->phases[ELECTION_ACTIVE] > 0;

	return any ? e->lease : TIME_NEVER;
}

ha_time groups_deadline(const struct engine *e)
{
	const struct election_input input = {.lease = TIME_NEVER, .listen_ns = groups_listen_ns(e)};
	ha_time deadline = lease_deadline(e);

	if (attention_is_left(e))
		return e->now;
	if (e->attention.lazy)
		return time_min(deadline, deadlines_first(&e->attention.due));
	for (size_t g = 0; g < e->conf->group_count; g++)
		deadline = time_min(deadline, group_due(e, g, &input));
	return deadline;
}
