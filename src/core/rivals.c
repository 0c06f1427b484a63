/* SPDX-License-Identifier: ISC */
#include "core/rivals.h"

#include "core/collision.h"

const struct election_rival *rivals_holder(const struct election_input *in)
{
	const struct election_rival *holder = NULL;

	for (size_t i = 0; i < in->rival_count; i++) {
		const struct election_rival *r = &in->rivals[i];

		if (r->active && (!holder || election_outranks(&r->rank, &holder->rank)))
			holder = r;
	}
	return holder;
}

const struct election_rival *rivals_granter(const struct election_input *in)
{
	for (size_t i = 0; i < in->rival_count; i++)
		if (in->rivals[i].active && in->rivals[i].granted_us)
			return &in->rivals[i];
	return NULL;
}

bool rivals_hold_worthier(const struct election_input *in, const struct election_rival *granter)
{
	/* Our claim would be the youngest, and nobody has acknowledged it. */
	struct collision_side own = collision_own(in, UINT64_MAX, UINT64_MAX);
	enum collision_ground ground;

	own.acknowledged = false;
	for (size_t i = 0; i < in->rival_count; i++) {
		const struct election_rival *r = &in->rivals[i];

		struct collision_side side = collision_rival(r);

		if (r != granter && r->active && r->hears_us && !r->granted_us &&
			collision_is_won(&side, &own, &ground))
			return true;
	}
	return false;
}

bool rivals_can_take(const struct election_rival *r)
{
	return !r->active && r->eligible && r->hears_us;
}

static const struct election_rival *worthiest(
	const struct election_input *in, bool asking, const struct pauses *pauses, ha_time now)
{
	const struct election_rival *best = NULL;

	for (size_t i = 0; i < in->rival_count; i++) {
		const struct election_rival *r = &in->rivals[i];

		if (!rivals_can_take(r) || (asking && !r->wants))
			continue;
		if (pauses && pauses_has(pauses, now, r->rank.id))
			continue;
		if (!best || election_outranks(&r->rank, &best->rank))
			best = r;
	}
	return best;
}

const struct election_rival *rivals_successor(
	const struct election_input *in, const struct pauses *pauses, ha_time now)
{
	return worthiest(in, false, pauses, now);
}

const struct election_rival *rivals_asking(
	const struct election_input *in, const struct pauses *pauses, ha_time now)
{
	return worthiest(in, true, pauses, now);
}

bool rivals_outrank(const struct election_input *in)
{
	for (size_t i = 0; i < in->rival_count; i++)
		if (in->rivals[i].eligible && election_outranks(&in->rivals[i].rank, &in->own))
			return true;
	return false;
}

const struct election_rival *rivals_find(const struct election_input *in, uint64_t id)
{
	for (size_t i = 0; i < in->rival_count; i++)
		if (in->rivals[i].rank.id == id)
			return &in->rivals[i];
	return NULL;
}

/* R3: worth alone moves nothing with a sticky policy, nor before a node has been well for a time.
 */
bool rivals_are_overtaken(const struct election_input *in, const struct election_rival *holder)
{
	if (rivals_outrank(in))
		return false;
	if (election_outclasses(&in->own, &holder->rank))
		return true;
	return !in->sticky && in->settled && !in->own.yielded &&
	       election_outranks(&in->own, &holder->rank);
}

bool rivals_deserve(const struct election_input *in, const struct election_rival *asking)
{
	if (in->sticky)
		return election_outclasses(&asking->rank, &in->own);
	return election_outranks(&asking->rank, &in->own);
}
