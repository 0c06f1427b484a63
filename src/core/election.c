/* SPDX-License-Identifier: ISC */
#include "core/election.h"

#include "base/assert.h"
#include "core/collision.h"
#include "core/rivals.h"

/* A grant that lapsed is not given again at once to one that asks: its taking moved the clients for
 * nothing. In tolerances. */
#define GRANT_PAUSE_TOLERANCES 4

void election_init(struct election *e, ha_time now)
{
	*e = (struct election){.phase = ELECTION_LISTENING,
		.cause = ELECTION_STARTED,
		.since = now,
		.grant_pause = TIME_ORIGIN};
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

static void enter(struct election *e, ha_time now, enum election_phase phase,
	enum election_cause cause, struct election_output *out)
{
	e->phase = phase;
	e->cause = cause;
	e->since = now;
	out->tell = true;
}

/* No cluster counts so far: a mistake or a forgery, after which the next claims would begin at 0.
 */
static bool epoch_is_possible(uint64_t epoch)
{
	return epoch <= INT64_MAX;
}

void election_learn_epoch(struct election *e, uint64_t epoch)
{
	if (epoch > e->epoch_seen && epoch_is_possible(epoch))
		e->epoch_seen = epoch;
}

static void learn_epochs(struct election *e, const struct election_input *in)
{
	for (size_t i = 0; i < in->rival_count; i++)
		election_learn_epoch(e, in->rivals[i].epoch);
}

/* What others have claimed with, by their own word. */
static void learn_claims(struct election *e, const struct election_input *in)
{
	for (size_t i = 0; i < in->rival_count; i++) {
		const struct election_rival *r = &in->rivals[i];

		if ((r->active || r->claimed) && r->epoch > e->epoch_rival &&
			epoch_is_possible(r->epoch))
			e->epoch_rival = r->epoch;
	}
}

/* R2: every claim takes an epoch above all that were seen. */
static void claim_epoch(struct election *e)
{
	e->epoch = ++e->epoch_seen;
	e->epoch_rival = 0;
}

/* @peer: who grants it, or who held it before; 0 if nobody did. */
static void begin_taking(struct election *e, ha_time now, enum election_cause cause, uint64_t peer,
	struct election_output *out)
{
	claim_epoch(e);
	e->claim = e->epoch;
	e->wants = e->yield_asked = e->yielding = false;
	e->yielded_to = 0;
	e->granter = cause == ELECTION_GRANTED ? peer : 0;
	e->holder = 0;
	e->cause_peer = peer;
	enter(e, now, ELECTION_TAKING, cause, out);
	out->hold = true;
	out->tell = false; /* we say ACTIVE when the addresses are up */
}

/* @peer: to whom it goes; 0 if that is not known. */
static void begin_releasing(struct election *e, ha_time now, enum election_cause cause,
	uint64_t peer, struct election_output *out)
{
	e->cause_peer = peer;
	/* Until we have released we tell the new holder that this is no collision. */
	if (cause != ELECTION_HANDED_OVER)
		e->grantee = 0;
	else if (e->yielding)
		e->yielded_to = peer;
	e->yield_asked = e->yielding = false;
	e->offered = e->lingering = false;
	e->contenders = 0;
	e->unheld = e->phase == ELECTION_TAKING;
	e->listen_again = cause == ELECTION_LEASE_PASSED;
	enter(e, now, ELECTION_RELEASING, cause, out);
	out->release = true;
	out->announce = false;
	out->tell = false; /* we say STANDBY when the addresses are down */
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
		enter(e, now, ELECTION_SHUTDOWN, ELECTION_STOPPING, out);
	else if (time_reached(now, time_add(e->since, in->listen_ns)))
		enter(e, now, ELECTION_STANDBY, e->cause, out);
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
		begin_taking(e, now, cause, peer, out);
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
		enter(e, now, ELECTION_SHUTDOWN, ELECTION_STOPPING, out);
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
		begin_releasing(e, now, ELECTION_LEASE_PASSED, 0, out);
	else if (in->stopping)
		begin_releasing(e, now, ELECTION_STOPPING, 0, out);
	else if (!in->can_serve)
		begin_releasing(e, now, ELECTION_CANNOT_SERVE, 0, out);
}

/* R3: our grantee has the group. What clients have sent to us before they learned of it is still on
 * its way, or in the hands of a service: we go on answering for a moment. True if that has passed.
 */
static bool linger(struct election *e, ha_time now, const struct election_input *in)
{
	if (!e->lingering) {
		e->lingering = true;
		e->linger_until = time_add(now, in->linger_ns);
	}
	return time_reached(now, e->linger_until);
}

/* R3: a grantee that is ACTIVE no more before we have released left the clients to us. */
static bool resume_if_grantee_lost(
	struct election *e, const struct election_rival *holder, struct election_output *out)
{
	if (!e->lingering || holder)
		return false;
	e->lingering = false;
	out->announce = true;
	out->tell = true;
	return true;
}

/* R4: whether we release to @r, another holder. */
static bool yields_to(
	struct election *e, const struct election_input *in, const struct election_rival *r)
{
	const struct collision_side own = collision_own(in, e->epoch, e->claim),
				    other = collision_rival(r);

	return collision_is_won(&other, &own, &e->ground);
}

static uint64_t contender(uint64_t id, bool hears_us)
{
	return id + hears_us;
}

/*
 * R3, R4: what another holder means to us. One to whom we granted the group has taken it. One that
 * is granting it to us will release. Any other is a collision: of two that hear each other the
 * lower rank releases, the higher announces again (R9: one that does not hear us cannot hear
 * clients either, so nothing is yielded to it). True if we release.
 */
static bool meet_holders(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	const struct election_rival *grantee = NULL;
	uint64_t contenders = 0;
	bool alone;

	learn_claims(e, in);
	for (size_t i = 0; i < in->rival_count; i++) {
		const struct election_rival *r = &in->rivals[i];

		if (!r->active)
			continue;
		/* One that does not hear us claims because it is deaf, not because of our grant
		 * (R9); and one that does not know of our grant yet tells of an earlier claim,
		 * which may be over. */
		if (e->grantee != 0 && e->grantee == r->rank.id && r->hears_us && r->answers) {
			grantee = r;
			if (!linger(e, now, in))
				continue;
			begin_releasing(e, now, ELECTION_HANDED_OVER, r->rank.id, out);
			return true;
		}
		if (!r->granted_us && r->hears_us && yields_to(e, in, r)) {
			begin_releasing(e, now, ELECTION_COLLISION, r->rank.id, out);
			return true;
		}
		contenders += contender(r->rank.id, r->hears_us);
	}
	alone = resume_if_grantee_lost(e, grantee, out) || e->grantee == 0;
	/* Clients may have been answered by the other one: on meeting it, and when it is gone. It
	 * must also learn at once that it is heard, even where we are meeting a third one already,
	 * or have met it while it did not hear us. */
	if (contenders != e->contenders) {
		e->contenders = contenders;
		out->announce = true;
		out->tell = true;
	}
	/* The loser may have claimed after us, or with the same epoch as we when neither heard the
	 * other: a token must be newer than all that others have used. The one whom we have granted
	 * the group is using it for its claim. An epoch that we know only by hearsay may be in use
	 * beyond a partition: two that outbid each other would make the token worthless. */
	if (contenders == 0 && !grantee && alone && e->epoch_rival >= e->epoch) {
		claim_epoch(e);
		/* It may have gone before we heard of it, and taken our clients with it. */
		out->announce = true;
		out->tell = true;
	}
	return false;
}

static void grant(struct election *e, ha_time now, const struct election_input *in,
	uint64_t grantee, struct election_output *out)
{
	e->grantee = grantee;
	e->grant_until = time_add(now, in->tolerance_ns);
	out->tell = true;
}

/* R3: a grant lapses after one tolerance, and the holder is still the holder. The grantee may have
 * moved the clients before it failed. */
static void lapse_grant(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	if (e->grantee == 0 || e->lingering || !time_reached(now, e->grant_until))
		return;
	e->grantee = 0;
	e->yielding = false;
	e->grant_pause = time_add(now, GRANT_PAUSE_TOLERANCES * in->tolerance_ns);
	out->announce = true;
	out->tell = true;
}

/* R3: one handover after the other. Before the one that handed it to us has released, a third
 * holder would be a collision to it. One that does not hear us is not waited for. */
static bool is_being_released(const struct election *e, const struct election_input *in)
{
	for (size_t i = 0; i < in->rival_count; i++) {
		const struct election_rival *r = &in->rivals[i];

		if (e->granter != 0 && r->rank.id == e->granter && r->active && r->hears_us)
			return true;
	}
	return false;
}

/* R5: offer it to the worthiest live standby, release after that; or at once if there is none. */
static void leave(struct election *e, ha_time now, const struct election_input *in,
	enum election_cause cause, struct election_output *out)
{
	const struct election_rival *successor = rivals_successor(in, false);

	if (e->grantee != 0)
		return; /* the offer stands */
	if (is_being_released(e, in))
		return;
	if (e->offered || !successor) {
		if (!in->reluctant)
			begin_releasing(e, now, cause, 0, out);
		else if (time_reached(now, e->grant_pause))
			e->offered = false; /* it is offered again */
		return;
	}
	e->offered = true;
	grant(e, now, in, successor->rank.id, out);
}

static void answer_asking(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	const struct election_rival *asking = rivals_successor(in, true);

	e->offered = false;
	if (e->grantee == 0 && !is_being_released(e, in) && asking && rivals_deserve(in, asking) &&
		time_reached(now, e->grant_pause))
		grant(e, now, in, asking->rank.id, out);
}

/* R3 on request: true if there is one, which then comes before whoever asks. */
static bool hand_over_on_request(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	const struct election_rival *to =
		e->yield_to != 0 ? rivals_find(in, e->yield_to) : rivals_successor(in, false);

	if (!e->yield_asked)
		return false;
	if (e->grantee != 0 || is_being_released(e, in))
		return true;
	e->yield_asked = false;
	if (!to || !rivals_can_take(to))
		return false;
	e->yielding = true;
	grant(e, now, in, to->rank.id, out);
	return true;
}

static void evaluate_active(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	if (time_reached(now, in->lease)) {
		begin_releasing(e, now, ELECTION_LEASE_PASSED, 0, out);
		return;
	}
	if (meet_holders(e, now, in, out))
		return;
	lapse_grant(e, now, in, out);
	if (!in->can_serve)
		begin_releasing(e, now, ELECTION_CANNOT_SERVE, 0, out);
	else if (in->stopping)
		leave(e, now, in, ELECTION_STOPPING, out);
	else if (!in->eligible)
		leave(e, now, in, ELECTION_INELIGIBLE, out);
	else if (!hand_over_on_request(e, now, in, out))
		answer_asking(e, now, in, out);
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

	learn_epochs(e, in);
	e->granted = rivals_granter(in) != NULL;
	if (holder)
		e->holder = holder->rank.id;
	if (e->phase == ELECTION_LISTENING || e->phase == ELECTION_STANDBY)
		review_yielded(e, in, holder, out);
	switch (e->phase) {
	case ELECTION_LISTENING: evaluate_listening(e, now, in, out); break;
	case ELECTION_STANDBY: evaluate_standby(e, now, in, out); break;
	case ELECTION_TAKING: evaluate_taking(e, now, in, out); break;
	case ELECTION_ACTIVE: evaluate_active(e, now, in, out); break;
	case ELECTION_RELEASING: evaluate_releasing(e, now, in); break;
	case ELECTION_SHUTDOWN: break;
	}
}

static void after_release(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	enum election_phase next = e->listen_again ? ELECTION_LISTENING : ELECTION_STANDBY;

	e->listen_again = false;
	e->grantee = 0;
	enter(e, now, in->stopping ? ELECTION_SHUTDOWN : next, e->cause, out);
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
			e->contenders = e->granter != 0 ? contender(e->granter, true) : 0;
			enter(e, now, ELECTION_ACTIVE, e->cause, out);
		}
		break;
	case ELECTION_FAILED:
		/* Of a group that is held: R8, its list of addresses has changed. */
		if (e->phase == ELECTION_TAKING || e->phase == ELECTION_ACTIVE)
			enter(e, now, ELECTION_STANDBY, ELECTION_HOLD_FAILED, out);
		break;
	case ELECTION_RELEASED:
		if (e->phase == ELECTION_RELEASING)
			after_release(e, now, in, out);
		break;
	case ELECTION_EXPIRED:
		if (e->phase == ELECTION_TAKING || e->phase == ELECTION_ACTIVE)
			begin_releasing(e, now, ELECTION_LEASE_PASSED, 0, out);
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
