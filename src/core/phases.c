/* SPDX-License-Identifier: ISC */
#include "core/phases.h"

#include "core/epochs.h"

void phase_enter(struct election *e, ha_time now, enum election_phase phase,
	enum election_cause cause, struct election_output *out)
{
	e->phase = phase;
	e->cause = cause;
	e->since = now;
	out->tell = true;
}

void phase_take(struct election *e, ha_time now, enum election_cause cause, uint64_t peer,
	struct election_output *out)
{
	epochs_claim(e);
	e->claim = e->epoch;
	e->wants = e->yield_asked = e->yielding = false;
	e->yielded_to = 0;
	e->granter = cause == ELECTION_GRANTED ? peer : 0;
	e->holder = 0;
	e->cause_peer = peer;
	phase_enter(e, now, ELECTION_TAKING, cause, out);
	out->hold = true;
	out->tell = false; /* we say ACTIVE when the addresses are up */
}

void phase_release(struct election *e, ha_time now, enum election_cause cause, uint64_t peer,
	struct election_output *out)
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
	phase_enter(e, now, ELECTION_RELEASING, cause, out);
	out->release = true;
	out->announce = false;
	out->tell = false; /* we say STANDBY when the addresses are down */
}
