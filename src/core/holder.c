/* SPDX-License-Identifier: ISC */
#include "core/holder.h"

#include "core/collision.h"
#include "core/epochs.h"
#include "core/phases.h"
#include "core/rivals.h"

/* Whoever let a grant lapse is not given one again at once for its asking: its taking moved the
 * clients for nothing. In tolerances. */
#define GRANT_PAUSE_TOLERANCES 4

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

uint64_t holder_contender(uint64_t id, bool hears_us)
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

	epochs_learn_claims(e, in);
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
			phase_release(e, now, ELECTION_HANDED_OVER, r->rank.id, out);
			return true;
		}
		if (!r->granted_us && r->hears_us && yields_to(e, in, r)) {
			phase_release(e, now, ELECTION_COLLISION, r->rank.id, out);
			return true;
		}
		contenders += holder_contender(r->rank.id, r->hears_us);
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
		epochs_claim(e);
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

/* R3: it says that it will not take the group, or not for long. */
static bool grantee_cannot(const struct election *e, const struct election_input *in)
{
	const struct election_rival *grantee = rivals_find(in, e->grantee);

	return grantee && !grantee->active && !grantee->eligible;
}

/* R3: a grant lapses after one tolerance, and the holder is still the holder. The grantee may have
 * moved the clients before it failed. */
static void lapse_grant(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	if (e->grantee == 0 || e->lingering)
		return;
	if (!time_reached(now, e->grant_until) && !grantee_cannot(e, in))
		return;
	pauses_begin(&e->pauses, now, e->grantee,
		time_add(now, GRANT_PAUSE_TOLERANCES * in->tolerance_ns));
	e->grantee = 0;
	e->yielding = false;
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

/* R5: offer it to the worthiest live standby, release after that; or at once if there is none.
 * What is only drained is kept instead, and offered on, to each node after its pause. */
static void leave(struct election *e, ha_time now, const struct election_input *in,
	enum election_cause cause, struct election_output *out)
{
	const struct election_rival *successor =
		rivals_successor(in, in->reluctant ? &e->pauses : NULL, now);

	if (e->grantee != 0)
		return; /* the offer stands */
	if (is_being_released(e, in))
		return;
	if (successor && (in->reluctant || !e->offered)) {
		e->offered = true;
		grant(e, now, in, successor->rank.id, out);
	} else if (!in->reluctant) {
		phase_release(e, now, cause, 0, out);
	}
}

static void answer_asking(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	const struct election_rival *asking = rivals_asking(in, &e->pauses, now);

	e->offered = false;
	if (e->grantee == 0 && !is_being_released(e, in) && asking && rivals_deserve(in, asking))
		grant(e, now, in, asking->rank.id, out);
}

/* R3 on request: true if there is one, which then comes before whoever asks. */
static bool hand_over_on_request(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	const struct election_rival *to =
		e->yield_to != 0 ? rivals_find(in, e->yield_to) : rivals_successor(in, NULL, now);

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

void holder_evaluate(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out)
{
	if (time_reached(now, in->lease)) {
		phase_release(e, now, ELECTION_LEASE_PASSED, 0, out);
		return;
	}
	if (meet_holders(e, now, in, out))
		return;
	lapse_grant(e, now, in, out);
	if (!in->can_serve)
		phase_release(e, now, ELECTION_CANNOT_SERVE, 0, out);
	else if (in->stopping)
		leave(e, now, in, ELECTION_STOPPING, out);
	else if (!in->eligible)
		leave(e, now, in, ELECTION_INELIGIBLE, out);
	else if (!hand_over_on_request(e, now, in, out))
		answer_asking(e, now, in, out);
}
