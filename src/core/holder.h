/* SPDX-License-Identifier: ISC */
/*
 * holder: what a node that is ACTIVE decides at each evaluation: whether it goes on when it meets
 * another holder (R4), and to whom it hands the group over: to one that asks (R3), on request, or
 * because it leaves (R5). Private to election.c.
 */
#ifndef HA_CORE_HOLDER_H
#define HA_CORE_HOLDER_H

#include "core/election.h"

void holder_evaluate(struct election *e, ha_time now, const struct election_input *in,
	struct election_output *out);

/* One other holder's part of election.contenders. */
uint64_t holder_contender(uint64_t id, bool hears_us);

#endif
