/* SPDX-License-Identifier: ISC */
/*
 * reload: the next engine of a node, and its keeper, begin with another configuration (R8): other
 * times, policies and worths, more or fewer addresses and groups. Whatever groups a node has, it
 * has the first ones of all, so that an index means the same everywhere.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "sim/invariants.h"
#include "sim/world.h"

static void retire_groups(struct world *w, struct node *n, const struct conf *next)
{
	for (size_t g = 0; g < n->conf.group_count; g++)
		if (conf_group_by_name(next, n->conf.groups[g].name) < 0)
			keeper_tells_to_retire(w, n, g);
}

bool node_reload(
	struct world *w, struct node *n, const char *text, int64_t gap_ns, int64_t patience_ns)
{
	static struct conf_diagnostics wrong;

	reload_forget(n);
	if (!conf_parse(text, strlen(text), n->name, &n->succession.next, &wrong)) {
		world_tell(w, "line %u: %s", wrong.list[0].line, wrong.list[0].message);
		return false;
	}
	n->succession.has_next = n->disturbed = true;
	n->succession.changes = WORLD_GROUPS_MAX;
	retire_groups(w, n, &n->succession.next);
	node_replace(w, n, gap_ns, patience_ns);
	return true;
}

void reload_forget(struct node *n)
{
	if (n->succession.has_next)
		conf_free(&n->succession.next);
	n->succession.has_next = false;
}

static bool has_all_addresses(const struct conf *of, const struct conf *in, size_t group)
{
	const struct conf_group *g = &of->groups[group];

	for (size_t a = g->address_first; a < (size_t)g->address_first + g->address_count; a++)
		if (conf_address_by_ip(in, &of->addresses[a].ip) < 0)
			return false;
	return true;
}

/* What checks make of it adds to the worth that is configured, but for one of 0. */
static uint16_t next_worth(unsigned before, unsigned now, unsigned in_force)
{
	int64_t worth = now == 0 ? 0 : (int64_t)now + in_force - before;

	return (uint16_t)(worth < 0 ? 0 : worth > UINT16_MAX ? UINT16_MAX : worth);
}

static void begin_group(struct world *w, struct node *n, size_t group, const struct conf *next)
{
	n->health[group] = (struct engine_health){
		.group = (uint16_t)group, .worth = next->groups[group].worth};
	n->held[group] = (struct held){.refuses = n->held[group].refuses};
	n->yielded[group] = n->said_yes[group] = false;
	n->keeper.left[group] = false;
	invariant_group_begins(w, n, group);
}

/* Its old keeper is gone, the next one has not begun. */
void reload_take(struct world *w, struct node *n)
{
	struct conf *next = &n->succession.next, *old = &n->conf;

	if (!n->succession.has_next)
		return;
	for (size_t g = next->group_count; g < old->group_count; g++) {
		invariant_group_ends(w, n, g);
		kernel_take_down(w, n, g);
	}
	for (size_t g = 0; g < next->group_count; g++) {
		if (g >= old->group_count) {
			begin_group(w, n, g, next);
			continue;
		}
		n->health[g].worth =
			next_worth(old->groups[g].worth, next->groups[g].worth, n->health[g].worth);
		n->succession.grows[g] = !has_all_addresses(next, old, g);
	}
	conf_free(old);
	*old = *next;
	n->succession.has_next = false;
	world_learn(w, old);
	free(n->memory);
	n->memory = calloc(1, engine_size(old));
	assert(n->memory);
}
