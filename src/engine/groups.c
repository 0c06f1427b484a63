/* SPDX-License-Identifier: ISC */
#include "engine/groups.h"

#include "base/assert.h"
#include "base/text.h"
#include "engine/addresses.h"
#include "engine/attention.h"
#include "engine/devices.h"
#include "engine/effects.h"
#include "engine/health.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/measure.h"
#include "engine/news.h"
#include "engine/node.h"
#include "engine/passing.h"
#include "engine/peers.h"
#include "engine/prepare.h"
#include "engine/releases.h"
#include "engine/settle.h"
#include "engine/steps.h"
#include "engine/sticky.h"
#include "engine/suspicion.h"

/* How long a node keeps off a group that it could not hold. Long enough not to toss the address to
 * and fro, short enough that a repaired host is of use again without anybody's help. */
#define HOLD_FAILED_NS (10 * NS_PER_S)
#define NO_CARRIER_NS  (30 * NS_PER_S)

static void remember_cause(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];
	uint64_t id = g->election.cause_peer;
	const struct peer_record *p = peers_find(e, id);

	text_copy(g->cause_peer, sizeof(g->cause_peer), id != 0 ? peers_name(e, id) : "");
	g->cause_silence_ns = p ? time_between(p->peer.heard, e->now) : 0;
	g->cause_ineligible = group_ineligible(e, group);
}

static void carry_out(
	struct engine *e, size_t group, const struct election_output *output, struct effects *out)
{
	const struct election *election = &e->groups[group].election;

	if (output->release) {
		effect_keeper(out, CHANNEL_RELEASE, (uint16_t)group, 0, 0);
		measure_release(e, group);
	}
	if (output->hold) {
		effect_keeper(out, CHANNEL_HOLD, (uint16_t)group, 0, election->epoch);
		measure_decision(e, group);
	}
	if (output->announce)
		addresses_announce(e, group, out);
	if (output->tell)
		e->beat_soon = true;
}

/* Given up because this node could not hold it any longer, not because somebody wanted it so. */
static bool is_lost(const struct engine *e, size_t group)
{
	enum ineligible why = group_unfit(e, group);

	switch (e->groups[group].election.cause) {
	case ELECTION_LEASE_PASSED:
	case ELECTION_HOLD_FAILED: return true;
	case ELECTION_INELIGIBLE:
	case ELECTION_CANNOT_SERVE:
	case ELECTION_HANDED_OVER:
		if (health_is_impaired(e, group))
			return true;
		return why != ELIGIBLE && why != INELIGIBLE_STOPPING && why != INELIGIBLE_WORTH;
	case ELECTION_STARTED:
	case ELECTION_VACANT:
	case ELECTION_HOLDER_SILENT:
	case ELECTION_HOLDER_RESIGNED:
	case ELECTION_GRANTED:
	case ELECTION_COLLISION:
	case ELECTION_STOPPING: break;
	}
	return false;
}

/* What the engine itself has to do when a phase begins. */
static void enter_phase(struct engine *e, size_t group, enum election_phase before)
{
	enum election_phase phase = e->groups[group].election.phase;

	if (phase == before)
		return;
	if (phase == ELECTION_LISTENING)
		probes_start(e, group);
	if (phase == ELECTION_ACTIVE) {
		addresses_taken(e, group);
		sticky_taken(e, group);
	}
	if (before == ELECTION_ACTIVE || before == ELECTION_TAKING)
		if (phase != ELECTION_ACTIVE) {
			addresses_released(e, group);
			if (is_lost(e, group))
				settle_lost(e, group);
		}
}

static void count_phase(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];

	if (g->counted == g->election.phase)
		return;
	if (g->counted == ELECTION_RELEASING)
		releases_end(e, group);
	if (g->election.phase == ELECTION_RELEASING)
		releases_begin(e, group);
	e->phases[g->counted]--;
	g->counted = g->election.phase;
	e->phases[g->counted]++;
}

/* R10: each group takes it in when it is looked at, as there may be many. */
static void credit_stalls(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];

	election_credit_stall(&g->election, e->now, e->stalled_ns - g->credited_ns);
	g->credited_ns = e->stalled_ns;
}

void groups_step(struct engine *e, size_t group, enum election_event event, struct effects *out)
{
	struct group *g = &e->groups[group];
	struct election_rival rivals[PEERS_MAX];
	const struct election was = g->election;
	enum election_phase before = g->election.phase;
	enum election_cause cause = g->election.cause;
	struct election_input input;
	struct election_output output;

	credit_stalls(e, group);
	/* It may be overtaken by a release, but never comes unasked. */
	if (event == ELECTION_FAILED && (before == ELECTION_TAKING || before == ELECTION_ACTIVE ||
						before == ELECTION_RELEASING))
		group_hold_off(e, group, INELIGIBLE_HOLD_FAILED, HOLD_FAILED_NS);
	input = group_input(e, group, rivals);
	election_step(&g->election, e->now, event, &input, &output);
	if (g->election.cause != cause ||
		(g->election.phase != before && output.hold + output.release))
		remember_cause(e, group);
	assert(g->election.phase != before || !(output.release || output.hold));
	if (g->election.phase != before || output.announce || output.tell)
		attention_mark_again(e, group);
	passing_follow(e, group, &was, out);
	carry_out(e, group, &output, out);
	enter_phase(e, group, before);
	steps_tell(e, group, &was, out);
	count_phase(e, group);
	if (event == ELECTION_EVALUATE)
		prepare_follow(e, group, output.prepare, out);
	news_tell(e, group, out);
}

void group_listen(struct engine *e, size_t group)
{
	credit_stalls(e, group);
	election_listen(&e->groups[group].election, e->now);
	if (e->groups[group].election.phase == ELECTION_LISTENING)
		probes_start(e, group);
}

/* A group whose devices have come back has heard nothing of late: it listens and probes anew. */
static void review_hearing(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];
	size_t device;
	bool in_touch = devices_serve(e, group, &device) == ELIGIBLE &&
			devices_speak(e, &device) == ELIGIBLE;

	if (in_touch && !g->in_touch && g->election.phase == ELECTION_RELEASING)
		return; /* then, when it is released */
	if (in_touch && !g->in_touch)
		group_listen(e, group);
	g->in_touch = in_touch;
}

/* A device that we bring up for a group and that then has no carrier would be tossed up and down.
 */
static void review_hold_off(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];
	size_t device;

	prepare_review(e, group);
	if (g->hold_off != ELIGIBLE && time_reached(e->now, g->hold_off_until))
		g->hold_off = ELIGIBLE;
	if (group_is_held(g) &&
		devices_serve(e, group, &device) == INELIGIBLE_NO_CARRIER_WHEN_RAISED)
		group_hold_off(e, group, INELIGIBLE_NO_CARRIER_WHEN_RAISED, NO_CARRIER_NS);
}

/* RFC 5227: whether somebody outside the cluster answers for an address. While a node of the
 * cluster holds the group, it is that one who answers. */
static void review_conflict(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];

	if (!g->probing)
		return;
	if (group_active_peer(e, group) || group_state(g) == STATE_ACTIVE) {
		g->conflict = g->probing = false;
		return;
	}
	if (g->election.phase == ELECTION_LISTENING && !g->conflict) {
		/* Decided when listening ends, so that a holder has the time to introduce itself.
		 */
		if (time_between(g->election.since, e->now) < groups_listen_ns(e))
			return;
	}
	g->conflict = probes_conflict(e, group) >= 0;
	if (!g->conflict)
		g->probing = false;
}

void groups_start(struct engine *e)
{
	e->phases[ELECTION_LISTENING] = e->conf->group_count;
	for (size_t g = 0; g < e->conf->group_count; g++) {
		if (e->groups[g].adopted)
			continue;
		election_init(&e->groups[g].election, e->now);
		e->groups[g].counted = e->groups[g].election.phase;
		e->groups[g].told_state = STATE_STANDBY;
		e->groups[g].state_since = e->now;
	}
	settle_start(e);
}

static void evaluate(struct engine *e, size_t group, struct effects *out)
{
	credit_stalls(e, group);
	suspicion_review_group(e, group, out);
	review_hearing(e, group);
	review_hold_off(e, group);
	review_conflict(e, group);
	settle_review(e, group);
	groups_step(e, group, ELECTION_EVALUATE, out);
}

void groups_evaluate(struct engine *e, struct effects *out)
{
	size_t group;

	while ((!e->attention.lazy || effects_have_room(out)) && attention_take(e, &group))
		evaluate(e, group, out);
}

void groups_credit_stall(struct engine *e, int64_t stall_ns)
{
	if (stall_ns < e->conf->node.tolerance_ns)
		return; /* they are due a little later than planned */
	for (size_t g = 0; g < e->conf->group_count; g++)
		group_listen(e, g);
	attention_mark_all(e);
}

bool groups_are_shut_down(const struct engine *e)
{
	return e->phases[ELECTION_SHUTDOWN] == e->conf->group_count;
}
