/* SPDX-License-Identifier: ISC */
#include "core/collision.h"

uint8_t collision_renewed(uint64_t epoch, uint64_t claim)
{
	return epoch - claim < UINT8_MAX ? (uint8_t)(epoch - claim) : UINT8_MAX;
}

struct collision_side collision_own(const struct election_input *in, uint64_t epoch, uint64_t claim)
{
	return (struct collision_side){.rank = in->own,
		.eligible = in->eligible,
		.sticky = in->sticky,
		.acknowledged = in->acknowledged,
		.claim = epoch - collision_renewed(epoch, claim)};
}

struct collision_side collision_rival(const struct election_rival *r)
{
	return (struct collision_side){.rank = r->rank,
		.eligible = r->eligible,
		.sticky = r->sticky,
		.acknowledged = r->acknowledged,
		.claim = r->epoch > r->renewed ? r->epoch - r->renewed : 0};
}

/*
 * One that is about to leave still says ACTIVE until its addresses are down: whoever could go on
 * does not yield to one that cannot, however worthy, else both release. Of two sticky ones the one
 * stays that clients could reach while the two did not hear each other, then the one that has held
 * it for longer: the other one's claim was the fault's doing. With different policies the sticky
 * one stays, so that no three can beat each other in a circle.
 */
bool collision_is_won(const struct collision_side *a, const struct collision_side *b,
	enum collision_ground *ret_ground)
{
	*ret_ground = COLLISION_BY_FITNESS;
	if (a->eligible != b->eligible)
		return a->eligible;
	if (election_outclasses(&a->rank, &b->rank) || election_outclasses(&b->rank, &a->rank))
		return election_outclasses(&a->rank, &b->rank);
	*ret_ground = COLLISION_BY_POLICY;
	if (a->sticky != b->sticky)
		return a->sticky;
	*ret_ground = COLLISION_BY_ANSWERS;
	if (a->sticky && a->acknowledged != b->acknowledged)
		return a->acknowledged;
	*ret_ground = COLLISION_BY_AGE;
	if (a->sticky && a->claim != b->claim)
		return a->claim < b->claim;
	*ret_ground = COLLISION_BY_RANK;
	return election_outranks(&a->rank, &b->rank);
}
