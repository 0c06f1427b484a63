/* SPDX-License-Identifier: ISC */
#include "engine/measure.h"

#include "base/text.h"
#include "engine/groups.h"
#include "engine/holders.h"
#include "engine/node.h"
#include "engine/peers.h"

struct metrics *engine_metrics(struct engine *e)
{
	return &e->metrics;
}

void measure_decision(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];

	metrics_count(&e->metrics, METRIC_CLAIMS);
	e->untold = true;
	g->decided_at = e->now;
	g->decision_told = g->decision_acknowledged = false;
	if (g->election.cause == ELECTION_HOLDER_SILENT)
		metrics_time(&e->metrics, METRIC_TAKEOVER_SILENCE, g->cause_silence_ns);
}

/* What was taken up from another engine, this one has not decided. */
static void time_takeover(struct engine *e, size_t group, enum metric_timing step)
{
	const struct group *g = &e->groups[group];

	if (g->decided_at.ns != 0)
		metrics_time(&e->metrics, step, time_between(g->decided_at, e->now));
}

void measure_held(struct engine *e, size_t group, uint16_t announced)
{
	if (announced > 0)
		metrics_time(&e->metrics, METRIC_TAKEOVER_ANNOUNCED,
			announced * (int64_t)CHANNEL_HELD_UNIT_NS);
	time_takeover(e, group, METRIC_TAKEOVER_UP);
}

void measure_release(struct engine *e, size_t group)
{
	metrics_count(&e->metrics, METRIC_RELEASES);
	e->groups[group].release_at = e->now;
}

void measure_released(struct engine *e, size_t group)
{
	metrics_time(
		&e->metrics, METRIC_RELEASE, time_between(e->groups[group].release_at, e->now));
}

/* A heartbeat is on its way: whoever is ACTIVE has now said so. */
void measure_told(struct engine *e)
{
	if (!e->untold)
		return;
	e->untold = e->phases[ELECTION_TAKING] > 0;
	for (size_t i = 0; i < e->conf->group_count; i++) {
		struct group *g = &e->groups[i];

		if (g->decision_told || !group_is_held(g))
			continue;
		g->decision_told = true;
		time_takeover(e, i, METRIC_TAKEOVER_TOLD);
	}
}

void measure_acknowledged(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];

	metrics_count(&e->metrics, METRIC_ACKNOWLEDGEMENTS);
	if (g->decision_acknowledged)
		return;
	g->decision_acknowledged = true;
	time_takeover(e, group, METRIC_TAKEOVER_ACKNOWLEDGED);
}

/* How far from its own interval a peer's heartbeat came. Those that a change brought early say
 * nothing about that. */
void measure_arrival(struct peer_record *p, ha_time heard_before)
{
	int64_t gap_ns = time_between(heard_before, p->peer.heard);
	int64_t off_ns = gap_ns - p->peer.interval_ns;

	if (gap_ns > p->peer.interval_ns / 2)
		histogram_add(&p->jitter, off_ns < 0 ? -off_ns : off_ns);
}

void measure_report(const struct group *g, ha_time now, struct report *r)
{
	ha_time decided = r->to == STATE_ACTIVE ? g->decided_at : g->release_at;

	text_copy(r->cause, sizeof(r->cause), election_cause_name(g->election.cause));
	if (r->to == STATE_ACTIVE && g->election.cause == ELECTION_HOLDER_SILENT)
		r->silence_us = g->cause_silence_ns / NS_PER_US;
	if (decided.ns != 0)
		r->took_us = time_between(decided, now) / NS_PER_US;
}

bool engine_peer(const struct engine *e, size_t index, struct engine_peer *ret_peer)
{
	if (index >= e->peer_count)
		return false;
	*ret_peer = (struct engine_peer){.id = e->peers[index].peer.id,
		.name = e->peers[index].name,
		.jitter = &e->peers[index].jitter};
	return true;
}
