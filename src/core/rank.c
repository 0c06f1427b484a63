/* SPDX-License-Identifier: ISC */
#include "core/rank.h"

bool election_outclasses(const struct election_rank *a, const struct election_rank *b)
{
	if (a->yielded != b->yielded)
		return b->yielded;
	return b->impaired && !a->impaired;
}

bool election_outranks(const struct election_rank *a, const struct election_rank *b)
{
	int order;

	if (election_outclasses(a, b) || election_outclasses(b, a))
		return election_outclasses(a, b);
	if (a->worth != b->worth)
		return a->worth > b->worth;
	if ((a->address.family == IP_NONE) != (b->address.family == IP_NONE))
		return b->address.family == IP_NONE; /* it has lost its address: the last choice */
	order = ip_compare(&a->address, &b->address);
	if (order != 0)
		return order < 0;
	return a->id < b->id;
}
