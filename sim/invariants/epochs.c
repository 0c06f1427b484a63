/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 1.5: "The epoch of a group grows with every claim (R2, R3). It is a fencing
 * token: of two claims that know of each other, the later one has the higher epoch."
 *
 * docs/protocol.md 6.2 (R2): "A claim takes the highest epoch seen plus 1 (one of 2^63 or more is a
 * mistake, and does not count as seen)."
 *
 * docs/protocol.md 6.4 (R4): "An epoch that is known from third ones only is not outbid."
 *
 * A claim knows of another if its node has processed a proven heartbeat that told it. And two
 * holders do not outbid each other for as long as they cannot hear each other.
 */
#include "sim/invariants.h"

#define RENEWALS_MAX      10
#define WINDOW_TOLERANCES 10
/* docs/protocol.md 5.2: one that could not configure the addresses holds off, and is granted them
 * again then: that is no quarrel, however long tolerances are. */
#define WINDOW_MAX_NS (40 * NS_PER_S)

void epochs_renewed(struct world *w, const struct node *n, size_t group)
{
	struct takings *renewals = &w->checks->renewals[node_index(w, n)][group];
	int64_t window_ns = WINDOW_TOLERANCES * n->conf.node.tolerance_ns;

	if (window_ns > WINDOW_MAX_NS)
		window_ns = WINDOW_MAX_NS;
	if (time_between(renewals->since, w->now) > window_ns)
		*renewals = (struct takings){.since = w->now};
	if (++renewals->count > RENEWALS_MAX)
		violated(w, "%s takes a new epoch of %s for the %uth time within %lld ms", n->name,
			n->conf.groups[group].name, renewals->count,
			(long long)(time_between(renewals->since, w->now) / NS_PER_MS));
}

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

static void learn(uint64_t *known, uint64_t epoch)
{
	if (epoch > *known && epoch <= INT64_MAX)
		*known = epoch;
}

void epochs_hears(struct world *w, const struct node *n, const struct packet *p, bool news)
{
	uint64_t *known = w->checks->known_epoch[node_index(w, n)];

	if (!news || !hearing_names(n, p) || p->says.leaving)
		return;
	for (size_t g = 0; g < p->says.group_count && g < n->conf.group_count; g++)
		learn(&known[g], p->says.groups[g].epoch);
	for (size_t i = 0; p->says.table.present && i < p->says.table.change_count; i++) {
		int group = conf_group_by_id(&n->conf, p->says.table.changes[i].id);

		if (group >= 0)
			learn(&known[group], p->says.table.changes[i].epoch);
	}
}
