/* SPDX-License-Identifier: ISC */
#include "engine/pause.h"

#include "base/assert.h"
#include "engine/addresses.h"
#include "engine/beat.h"
#include "engine/devices.h"
#include "engine/effects.h"
#include "engine/groups.h"
#include "engine/node.h"
#include "engine/peers.h"

/* For those who must be heard to know: two of their heartbeats, but not for ever. Where these are
 * short, a host that is busy with the upkeep is later than that; one that has not heard us for a
 * tolerance does not wait for us anyway. */
#define INTERVALS_WAITED 2
#define WAITED_MAX_NS    (5 * NS_PER_S)

int64_t pause_announced_ns(const struct engine *e)
{
	const struct conf_node *node = &e->conf->node;

	return e->pause.wanted && e->pause.patience_ns > node->tolerance_ns ? e->pause.patience_ns
									    : node->tolerance_ns;
}

int64_t pause_granted_ns(const struct engine *e)
{
	return e->pause.patient ? pause_announced_ns(e) : e->conf->node.tolerance_ns;
}

static bool asks_for_more(const struct engine *e)
{
	return pause_announced_ns(e) > e->conf->node.tolerance_ns;
}

/* The slowest of those who may have to wait for us. */
static int64_t longest_interval_ns(const struct engine *e)
{
	int64_t longest = e->conf->node.interval_ns;

	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer *p = &e->peers[i].peer;

		if (peer_is_live(p, e->now) && p->interval_ns > longest)
			longest = p->interval_ns;
	}
	return longest;
}

/* More would not be believed: 4.1. Heartbeats tell it in microseconds. */
static int64_t bounded_ns(const struct engine *e, int64_t patience_ns)
{
	int64_t most_ns = e->conf->node.max_tolerance_ns;

	return (patience_ns < most_ns ? patience_ns : most_ns) / NS_PER_US * NS_PER_US;
}

void pause_begin(struct engine *e, int64_t patience_ns, struct effects *out)
{
	int64_t wait_ns = INTERVALS_WAITED * longest_interval_ns(e);

	if (e->stopping || e->pause.wanted)
		return;
	if (wait_ns < e->conf->node.tolerance_ns)
		wait_ns = e->conf->node.tolerance_ns;
	e->pause = (struct pause){.wanted = true,
		.patience_ns = bounded_ns(e, patience_ns),
		.sequence = (uint32_t)e->sequence + 1,
		.waits_until = time_add(e->now, wait_ns < WAITED_MAX_NS ? wait_ns : WAITED_MAX_NS)};
	if (asks_for_more(e))
		e->beat_soon = true;
	effect_report(e, out, REPORT_NODE, REPORT_NOTICE,
		"%s makes room for the next engine; it keeps what it holds", e->conf->node.name);
}

/* As after its start, but what it knows of epochs it knows. */
static void return_from_retirement(struct engine *e, size_t group)
{
	struct election *election = &e->groups[group].election;
	uint64_t epoch = election->epoch, seen = election->epoch_seen;

	election_init(election, e->now);
	election->epoch = epoch;
	election->epoch_seen = seen;
	probes_start(e, group);
}

void pause_end(struct engine *e, struct effects *out)
{
	e->pause = (struct pause){0};
	e->beat_soon = true;
	effect_report(e, out, REPORT_NODE, REPORT_NOTICE, "%s goes on", e->conf->node.name);
	for (size_t g = 0; g < e->conf->group_count; g++) {
		struct group *group = &e->groups[g];

		if (group->retired && group->election.phase == ELECTION_SHUTDOWN)
			return_from_retirement(e, g);
		group->retired = false;
	}
}

static bool is_at_rest(const struct group *g)
{
	const struct election *election = &g->election;

	switch (election->phase) {
	case ELECTION_LISTENING:
	case ELECTION_STANDBY: return !g->retired;
	case ELECTION_ACTIVE: return !g->retired && election->grantee == 0;
	case ELECTION_SHUTDOWN: return true;
	case ELECTION_TAKING:
	case ELECTION_RELEASING: break;
	}
	return false;
}

static bool all_at_rest(const struct engine *e)
{
	for (size_t g = 0; g < e->conf->group_count; g++)
		if (!is_at_rest(&e->groups[g]))
			return false;
	return true;
}

/* Serial arithmetic, RFC 1982. */
static bool all_know(const struct engine *e)
{
	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];

		if (peer_is_live(&p->peer, e->now) && (int32_t)(p->echo - e->pause.sequence) < 0)
			return false;
	}
	return true;
}

static void leave(struct engine *e, struct effects *out)
{
	e->stopped = true;
	effect_add(out, EFFECT_PAUSED);
}

void pause_review(struct engine *e, struct effects *out)
{
	struct pause *p = &e->pause;
	bool known = !asks_for_more(e) || all_know(e);

	if (!p->wanted || p->last_word || !all_at_rest(e) ||
		!(known || time_reached(e->now, p->waits_until)))
		return;
	p->patient = known;
	if (!devices_can_send(e)) {
		leave(e, out);
		return;
	}
	p->last_word = true;
	beat_now(e, out);
}

void pause_spoken(struct engine *e, struct effects *out)
{
	if (!e->pause.wanted || !e->pause.last_word)
		return;
	e->pause.last_word = false; /* once more, if something has happened meanwhile */
	if (all_at_rest(e))
		leave(e, out);
}

ha_time pause_deadline(const struct engine *e)
{
	const struct pause *p = &e->pause;

	return p->wanted && !p->last_word && !time_reached(e->now, p->waits_until) ? p->waits_until
										   : TIME_NEVER;
}
