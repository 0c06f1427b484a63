/* SPDX-License-Identifier: ISC */
/*
 * phases: what changes with the phase of an election, whatever the rule that changes it. Private to
 * election.c and what it is made of.
 */
#ifndef HA_CORE_PHASES_H
#define HA_CORE_PHASES_H

#include "core/election.h"

void phase_enter(struct election *e, ha_time now, enum election_phase phase,
	enum election_cause cause, struct election_output *out);

/* @peer: who grants it, or who held it before; 0 if nobody did. */
void phase_take(struct election *e, ha_time now, enum election_cause cause, uint64_t peer,
	struct election_output *out);

/* @peer: to whom it goes; 0 if that is not known. */
void phase_release(struct election *e, ha_time now, enum election_cause cause, uint64_t peer,
	struct election_output *out);

#endif
