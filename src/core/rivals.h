/* SPDX-License-Identifier: ISC */
/*
 * rivals: what the live peers that election_input lists mean to a node: who holds the group, who
 * offers it, who could take it. Pure questions; election.c draws the conclusions.
 */
#ifndef HA_CORE_RIVALS_H
#define HA_CORE_RIVALS_H

#include "core/election.h"

/* The holder of highest rank, or NULL. */
const struct election_rival *rivals_holder(const struct election_input *in);

/* The holder that offers us the group (R3), or NULL. */
const struct election_rival *rivals_granter(const struct election_input *in);

/* The worthiest standby peer that could take the group now, or NULL. Nobody who has to
 * wait by @pauses (NULL: nobody has). */
const struct election_rival *rivals_successor(
	const struct election_input *in, const struct pauses *pauses, ha_time now);

/* The same among those that ask for it. */
const struct election_rival *rivals_asking(
	const struct election_input *in, const struct pauses *pauses, ha_time now);

/* R3: a third one holds it too, to which we should release as soon as we met it (R4). Taking the
 * grant nevertheless would move the clients to and fro, again and again until it lapses. */
bool rivals_hold_worthier(const struct election_input *in, const struct election_rival *granter);

/* Whether an eligible one outranks us. */
bool rivals_outrank(const struct election_input *in);

/* The one with that id, or NULL. */
const struct election_rival *rivals_find(const struct election_input *in, uint64_t id);

/* Whether it could take the group over now. */
bool rivals_can_take(const struct election_rival *r);

/* R3: whether we should ask @holder for the group, by our policy. */
bool rivals_are_overtaken(const struct election_input *in, const struct election_rival *holder);

/* R3: whether @asking should have the group that we hold, by our policy. */
bool rivals_deserve(const struct election_input *in, const struct election_rival *asking);

#endif
