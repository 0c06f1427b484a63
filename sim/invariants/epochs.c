/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 1.5: "The epoch of a group grows with every claim (R2, R3). It is a fencing
 * token: of two claims that know of each other, the later one has the higher epoch."
 *
 * docs/protocol.md 6.2 (R2): "A claim takes the highest epoch seen plus 1 (one of 2^63 or more is a
 * mistake, and does not count as seen)."
 *
 * A claim knows of another if its node has processed a proven heartbeat that told it.
 */
#include "sim/invariants.h"

void epochs_claimed(struct world *w, const struct node *n, size_t group, uint64_t epoch)
{
	uint64_t known = w->checks->known_epoch[node_index(w, n)][group];

	if (epoch <= n->held[group].last_epoch)
		violated(w, "%s claims %s with an epoch that is not above its last", n->name,
			n->conf.groups[group].name);
	if (epoch <= known)
		violated(w, "%s claims %s with epoch %llu but knows of %llu", n->name,
			n->conf.groups[group].name, (unsigned long long)epoch,
			(unsigned long long)known);
}

void epochs_hears(struct world *w, const struct node *n, const struct packet *p, bool news)
{
	uint64_t *known = w->checks->known_epoch[node_index(w, n)];

	if (!news || !hearing_names(n, p) || p->says.leaving)
		return;
	for (size_t g = 0; g < p->says.group_count && g < n->conf.group_count; g++)
		if (p->says.groups[g].epoch > known[g] && p->says.groups[g].epoch <= INT64_MAX)
			known[g] = p->says.groups[g].epoch;
}
