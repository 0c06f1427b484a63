/* SPDX-License-Identifier: ISC */
#include "core/election.h"

#include "base/assert.h"
#include "core/epochs.h"
#include "core/holder.h"
#include "core/phases.h"
#include "core/rivals.h"

void election_init(struct election *e, ha_time now)
{
	*e = (struct election){
		.phase = ELECTION_LISTENING, .cause = ELECTION_STARTED, .since = now};
}

void election_credit_stall(struct election *e, ha_time now, int64_t stall_ns)
{
	assert(stall_ns >= 0);
	if (e->phase == ELECTION_LISTENING)
		e->since = time_min(now, time_add(e->since, stall_ns));
}

void election_listen(struct election *e, ha_time now)
{
	if (e->phase != ELECTION_LISTENING && e->phase != ELECTION_STANDBY)
		return;
	e->phase = ELECTION_LISTENING;
	e->since = now;
	e->wants = false;
	e->holder = 0;
}

void election_yield(struct election *e, uint64_t to)
{
	assert(e->phase == ELECTION_ACTIVE);
	e->yield_asked = true;
	e->yield_to = to;
}

void election_resume(struct election *e)
{
	e->yielded_to = 0;
}

/* R2: of nodes that start together the worthiest shall claim, not the one that was a moment
 * earlier: a group that nobody has held yet can wait until it has listened. Not longer: it may
 * start over and over. */
static ha_time patience_with_listeners(const struct election *e, const struct election_input *in)
{
	if (e->holder != 0)
		return TIME_ORIGIN;
	for (size_t i = 0; i < in->rival_count; i++)
		if (in->rivals[i].listens && election_outranks(&in->rivals[i].rank, &in->own))
			return time_add(e->since, in->listen_ns);
	return TIME_ORIGIN;
}

/* R1 */
static void evaluate_listening(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	if (in->stopping)
		phase_enter(e, now, ELECTION_SHUTDOWN, ELECTION_STOPPING, out);
	else if (time_reached(now, time_add(e->since, in->listen_ns)))
		phase_enter(e, now, ELECTION_STANDBY, e->cause, out);
}

/* R2: why the group is free. */
static enum election_cause vacancy(const struct election *e, const struct election_input *in)
{
	if (e->holder == 0)
		return ELECTION_VACANT;
	return rivals_find(in, e->holder) ? ELECTION_HOLDER_RESIGNED : ELECTION_HOLDER_SILENT;
}

static void set_wants(struct election *e, bool wants, struct election_output *out)
{
	if (wants != e->wants) {
		e->wants = wants;
		out->tell = true;
	}
}

/* Once nothing is to be done any more before a claim; until then it stays eligible, and keeps on
 * asking. */
static void claim_if_prepared(struct election *e, ha_time now, enum election_cause cause,
	uint64_t peer, const struct election_input *in, struct election_output *out)
{
	if (in->prepared)
		phase_take(e, now, cause, peer, out);
	else
		out->prepare = true;
}

/* R2 and the asking half of R3. A node without a lease in force has not been able to tell anybody
 * that it lives: it may not serve, so it does not claim either. */
static void evaluate_standby(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	const struct election_rival *holder = rivals_holder(in);
	const struct election_rival *granter = rivals_granter(in);
	bool ready = in->eligible && !time_reached(now, in->lease);

	if (in->stopping) {
		phase_enter(e, now, ELECTION_SHUTDOWN, ELECTION_STOPPING, out);
		return;
	}
	if (ready && granter && !rivals_hold_worthier(in, granter)) {
		claim_if_prepared(e, now, ELECTION_GRANTED, granter->rank.id, in, out);
	} else if (ready && !holder && !in->answered && !rivals_outrank(in) &&
		   time_reached(now, patience_with_listeners(e, in))) {
		claim_if_prepared(e, now, vacancy(e, in), e->holder, in, out);
	} else {
		set_wants(e, ready && holder && rivals_are_overtaken(in, holder), out);
	}
}

static void evaluate_taking(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	if (time_reached(now, in->lease))
		phase_release(e, now, ELECTION_LEASE_PASSED, 0, out);
	else if (in->stopping)
		phase_release(e, now, ELECTION_STOPPING, 0, out);
	else if (!in->can_serve)
		phase_release(e, now, ELECTION_CANNOT_SERVE, 0, out);
}

/* R7 holds while the addresses are taken down, too: whoever finds its lease passed has lost the
 * group. */
static void evaluate_releasing(struct election *e, ha_time now, const struct election_input *in)
{
	if (time_reached(now, in->lease))
		e->listen_again = true;
}

/* R3: what was given up on request is ours again to ask for when its holder has failed or left, and
 * somebody else has taken it: before that, all have to see who ranks last; or when it is impaired,
 * and we are not. If it is handed on, that is no reason. */
static void review_yielded(struct election *e, const struct election_input *in,
	const struct election_rival *holder, struct election_output *out)
{
	const struct election_rival *to;

	if (e->yielded_to == 0 || !holder)
		return;
	to = rivals_find(in, e->yielded_to);
	if (to && to->active && (!to->rank.impaired || in->own.impaired))
		return;
	e->yielded_to = to && to->eligible && !to->active ? holder->rank.id : 0;
	out->tell = true;
}

static void evaluate(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	const struct election_rival *holder = rivals_holder(in);

	epochs_learn(e, in);
	e->granted = rivals_granter(in) != NULL;
	if (holder)
		e->holder = holder->rank.id;
	if (e->phase == ELECTION_LISTENING || e->phase == ELECTION_STANDBY)
		review_yielded(e, in, holder, out);
	switch (e->phase) {
	case ELECTION_LISTENING: evaluate_listening(e, now, in, out); break;
	case ELECTION_STANDBY: evaluate_standby(e, now, in, out); break;
	case ELECTION_TAKING: evaluate_taking(e, now, in, out); break;
	case ELECTION_ACTIVE: holder_evaluate(e, now, in, out); break;
	case ELECTION_RELEASING: evaluate_releasing(e, now, in); break;
	case ELECTION_SHUTDOWN: break;
	}
}

static void after_release(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	bool lost = e->listen_again || time_reached(now, in->lease);
	enum election_phase next = lost ? ELECTION_LISTENING : ELECTION_STANDBY;

	e->listen_again = false;
	e->grantee = 0;
	phase_enter(e, now, in->stopping ? ELECTION_SHUTDOWN : next, e->cause, out);
}

void election_step(struct election *e, ha_time now, enum election_event event,
	const struct election_input *in, struct election_output *out)
{
	*out = (struct election_output){0};
	switch (event) {
	case ELECTION_EVALUATE: evaluate(e, now, in, out); break;
	case ELECTION_HELD:
		if (e->phase == ELECTION_TAKING) {
			/* Its release is met by announcing again. */
			e->contenders = e->granter != 0 ? holder_contender(e->granter, true) : 0;
			phase_enter(e, now, ELECTION_ACTIVE, e->cause, out);
		}
		break;
	case ELECTION_FAILED:
		/* Of a group that is held: R8, its list of addresses has changed. */
		if (e->phase == ELECTION_TAKING || e->phase == ELECTION_ACTIVE)
			phase_enter(e, now, ELECTION_STANDBY, ELECTION_HOLD_FAILED, out);
		break;
	case ELECTION_RELEASED:
		if (e->phase == ELECTION_RELEASING)
			after_release(e, now, in, out);
		break;
	case ELECTION_EXPIRED:
		if (e->phase == ELECTION_TAKING || e->phase == ELECTION_ACTIVE)
			phase_release(e, now, ELECTION_LEASE_PASSED, 0, out);
		break;
	}
	assert(!(out->hold && out->release));
}

ha_time election_deadline(const struct election *e, const struct election_input *in)
{
	switch (e->phase) {
	case ELECTION_LISTENING: return time_add(e->since, in->listen_ns);
	case ELECTION_TAKING: return in->lease;
	case ELECTION_ACTIVE:
		if (e->grantee == 0)
			return in->lease;
		return time_min(in->lease, e->lingering ? e->linger_until : e->grant_until);
	case ELECTION_STANDBY:
	case ELECTION_RELEASING:
	case ELECTION_SHUTDOWN: break;
	}
	return TIME_NEVER;
}
