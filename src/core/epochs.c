/* SPDX-License-Identifier: ISC */
#include "core/epochs.h"

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

void epochs_learn(struct election *e, const struct election_input *in)
{
	for (size_t i = 0; i < in->rival_count; i++)
		election_learn_epoch(e, in->rivals[i].epoch);
}

void epochs_learn_claims(struct election *e, const struct election_input *in)
{
	for (size_t i = 0; i < in->rival_count; i++) {
		const struct election_rival *r = &in->rivals[i];

		if ((r->active || r->claimed) && r->epoch > e->epoch_rival &&
			epoch_is_possible(r->epoch))
			e->epoch_rival = r->epoch;
	}
}

void epochs_claim(struct election *e)
{
	e->epoch = ++e->epoch_seen;
	e->epoch_rival = 0;
}
