/* SPDX-License-Identifier: ISC */
#include "core/rivals.h"

bool election_outranks(const struct election_rank *a, const struct election_rank *b)
{
	int order;

	if (a->impaired != b->impaired)
		return b->impaired;
	if (a->worth != b->worth)
		return a->worth > b->worth;
	if ((a->address.family == IP_NONE) != (b->address.family == IP_NONE))
		return b->address.family == IP_NONE; /* it has lost its address: the last choice */
	order = ip_compare(&a->address, &b->address);
	if (order != 0)
		return order < 0;
	return a->id < b->id;
}

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
	for (size_t i = 0; i < in->rival_count; i++) {
		const struct election_rival *r = &in->rivals[i];

		if (r != granter && r->active && r->hears_us && !r->granted_us &&
			election_outranks(&r->rank, &in->own))
			return true;
	}
	return false;
}

const struct election_rival *rivals_successor(const struct election_input *in, bool asking)
{
	const struct election_rival *best = NULL;

	for (size_t i = 0; i < in->rival_count; i++) {
		const struct election_rival *r = &in->rivals[i];

		if (r->active || !r->eligible || !r->hears_us || (asking && !r->wants))
			continue;
		if (!best || election_outranks(&r->rank, &best->rank))
			best = r;
	}
	return best;
}

bool rivals_outrank(const struct election_input *in)
{
	for (size_t i = 0; i < in->rival_count; i++)
		if (in->rivals[i].eligible && election_outranks(&in->rivals[i].rank, &in->own))
			return true;
	return false;
}

bool rivals_know(const struct election_input *in, uint64_t id)
{
	for (size_t i = 0; i < in->rival_count; i++)
		if (in->rivals[i].rank.id == id)
			return true;
	return false;
}
