/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 2.5: "States: 1 STANDBY, 2 ACTIVE, 3 SHUTDOWN. ... Epoch: of the node's own
 * claim while it is ACTIVE, else the highest one that it knows."
 *
 * What a node says must be true of its addresses: it says ACTIVE only while they are up, but for
 * the moment in which the keeper's word is on its way; and whoever ends has said so.
 */
#include "sim/invariants.h"

/* The keeper's notice that it took the group down has not reached the engine: it is stalled, or
 * the notice stands behind others. */
static bool notice_is_on_its_way(const struct world *w, const struct node *n, size_t group)
{
	return n->held[group].down_at.ns == w->now.ns ||
	       n->held[group].down_at.ns >= n->stalled_since.ns;
}

static void check_group(
	struct world *w, const struct node *n, const struct heartbeat_group *said, size_t group)
{
	bool active = said->state == STATE_ACTIVE;
	const struct held *held = &n->held[group];
	const char *name = n->conf.groups[group].name;

	if (active && !held->up && !notice_is_on_its_way(w, n, group))
		violated(w, "%s says ACTIVE but does not hold %s", n->name, name);
	if (active && said->epoch < held->epoch)
		violated(w, "%s says an older epoch of %s than that of its claim", n->name, name);
	if ((said->flags & HEARTBEAT_GROUP_WANT) && active)
		violated(w, "%s asks for %s, which it holds", n->name, name);
}

static void rotate_sequence(struct node *n, const struct packet *p)
{
	if (time_between(n->sequence_rotated, p->sent) < n->conf.node.tolerance_ns)
		return;
	n->sequence_rotated = p->sent;
	n->sequence_recent = n->sequence_newer;
	n->sequence_newer = p->says.sequence;
}

static void note_tolerance(struct node *n, const struct packet *p)
{
	int64_t tolerance_ns = p->says.tolerance_us * NS_PER_US;

	if (n->cannot_send)
		return; /* nobody hears of it */
	if (tolerance_ns != n->announced_ns)
		n->announced_sequence = p->says.sequence;
	n->announced_ns = tolerance_ns;
	n->usual_ns = n->conf.node.tolerance_ns;
	n->margin_ns = n->conf.node.margin_ns;
}

static void check_changes(struct world *w, struct node *n, const struct table *t, bool *granting)
{
	for (size_t i = 0; i < t->change_count; i++) {
		const struct table_change *c = &t->changes[i];
		struct heartbeat_group said = {
			.state = c->state, .flags = c->flags, .epoch = c->epoch};
		int group = conf_group_by_id(&n->conf, c->id);

		if (group < 0) {
			violated(w, "%s tells of a group that it does not have", n->name);
			return;
		}
		check_group(w, n, &said, (size_t)group);
		granting[group] = c->grantee != 0;
		n->yielded[group] = c->flags & HEARTBEAT_GROUP_YIELDED;
	}
}

void words_check(struct world *w, struct node *n, struct packet *p)
{
	enum heartbeat_drop drop = lan_read_packet(p, n);
	bool *granting = w->checks->granting[node_index(w, n)];

	if (drop != HEARTBEAT_ACCEPTED) {
		violated(w, "%s sends what others refuse: %s", n->name, heartbeat_drop_name(drop));
		return;
	}
	rotate_sequence(n, p);
	note_tolerance(n, p);
	for (size_t g = 0; g < p->says.group_count; g++) {
		check_group(w, n, &p->says.groups[g], g);
		granting[g] = p->says.groups[g].grantee != HEARTBEAT_GRANTEE_NONE;
		n->yielded[g] = p->says.groups[g].flags & HEARTBEAT_GROUP_YIELDED;
	}
	check_changes(w, n, &p->says.table, granting);
	if (p->says.no_groups && !p->says.table.present && !p->says.leaving)
		violated(w, "%s says nothing of its groups", n->name);
	if (!n->running && !p->says.leaving)
		violated(w, "%s stops without saying so", n->name);
}
