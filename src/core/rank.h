/* SPDX-License-Identifier: ISC */
/* rank: which of two nodes is worthier to hold a group: docs/protocol.md 1.3. */
#ifndef HA_CORE_RANK_H
#define HA_CORE_RANK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

/* One that has given the group up on request comes last; one that is sound before one that is
 * impaired (its checks fail, though it can serve); then worth; at equal worth the numerically
 * lowest real address; then the id, so that any two nodes differ. */
struct election_rank {
	bool yielded;
	bool impaired;
	uint16_t worth;
	struct ip address;
	uint64_t id;
};

/* Whether @a is worthier than @b. */
bool election_outranks(const struct election_rank *a, const struct election_rank *b);

/* Whether it is so whatever their worths: what moves a group by any policy. */
bool election_outclasses(const struct election_rank *a, const struct election_rank *b);

#endif
