/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/node.h"
#include "base/assert.h"
#include "base/text.h"
#include "sys/clock.h"
#include "sys/timer.h"

#define WORTH_MAX 65535

int node_groups_set(ha_node *n, size_t count)
{
	n->groups = calloc(count, sizeof(*n->groups));
	n->group_count = n->groups ? count : 0;
	for (size_t g = 0; g < n->group_count; g++)
		n->groups[g].state = HA_SHUTDOWN;
	return n->groups ? 0 : node_fail(n, -ENOMEM, "out of memory");
}

size_t node_groups_find(const ha_node *n, const char *name)
{
	if (!name)
		return n->group_count > 0 ? 0 : SIZE_MAX;
	for (size_t g = 0; g < n->group_count; g++) {
		if (strcmp(n->groups[g].name, name) == 0)
			return g;
	}
	return SIZE_MAX;
}

int node_group_of(ha_node *n, const char *name, size_t *ret_group)
{
	if (!n)
		return -EINVAL;
	if (n->phase != PHASE_OPEN)
		return node_fail(n, -EINVAL, "the node is not open");
	*ret_group = node_groups_find(n, name);
	return *ret_group != SIZE_MAX ? 0 : node_fail(n, -ENOENT, "there is no group %s", name);
}

static void ask_policy(ha_node *n, struct node_group *g)
{
	int worth = g->worth;

	if (n->worth_of)
		worth = n->worth_of(n, g->name, g->worth, n->context);
	g->policy_worth = worth < 0 ? 0 : worth > WORTH_MAX ? WORTH_MAX : worth;
	/* Only while it stands by: a holder is moved by its worth. */
	g->vetoed = n->veto && g->state != HA_ACTIVE && n->veto(n, g->name, n->context) != 0;
}

static void tell(ha_node *n, size_t group)
{
	struct node_group *g = &n->groups[group];
	const char *reason = g->unhealthy ? g->reason : g->vetoed ? "the program vetoes it" : "";
	const struct node_fitness fitness = {.group = group,
		.worth = (uint16_t)g->policy_worth,
		.impaired = g->unhealthy,
		.ineligible = g->vetoed,
		.reason = reason};

	if (g->told && g->told_worth == g->policy_worth && g->told_unhealthy == g->unhealthy &&
		g->told_vetoed == g->vetoed && strcmp(g->told_reason, reason) == 0)
		return;
	g->told = true;
	g->told_worth = g->policy_worth;
	g->told_unhealthy = g->unhealthy;
	g->told_vetoed = g->vetoed;
	text_copy(g->told_reason, sizeof(g->told_reason), reason);
	n->mode->tell(n, &fitness);
}

void node_groups_review(ha_node *n)
{
	for (size_t g = 0; g < n->group_count && n->phase == PHASE_OPEN; g++)
		tell(n, g);
}

void node_groups_tell_again(ha_node *n)
{
	for (size_t g = 0; g < n->group_count; g++)
		n->groups[g].told = false;
}

void node_groups_start(ha_node *n)
{
	for (size_t g = 0; g < n->group_count; g++)
		n->groups[g].policy_worth = n->groups[g].worth;
	if (n->worth_of || n->veto)
		timer_set(n->policy_fd, clock_now());
	else
		node_groups_review(n);
}

/* The next time counts from the end of this one, so that a slow policy does not run all the time.
 */
void node_groups_policy_due(ha_node *n)
{
	timer_clear(n->policy_fd);
	for (size_t g = 0; g < n->group_count && n->phase == PHASE_OPEN && !n->free_wanted; g++)
		ask_policy(n, &n->groups[g]);
	node_groups_review(n);
	if (n->phase == PHASE_OPEN)
		timer_set(n->policy_fd, time_add(clock_now(), n->mode->interval_ns(n)));
}

int ha_set_worth(ha_node *n, const char *group, int worth)
{
	size_t g;
	int r;

	if (n && (worth < 0 || worth > WORTH_MAX))
		return node_fail(n, -EINVAL, "worth %d is not in 0 to 65535", worth);
	r = node_group_of(n, group, &g);
	if (r < 0)
		return r;
	n->groups[g].worth = worth;
	if (!n->worth_of)
		n->groups[g].policy_worth = worth;
	node_groups_review(n);
	return 0;
}

int ha_set_health(ha_node *n, const char *group, int healthy, const char *reason)
{
	struct node_group *g;
	size_t index;
	int r = node_group_of(n, group, &index);

	if (r < 0)
		return r;
	g = &n->groups[index];
	g->unhealthy = !healthy;
	text_copy(g->reason, sizeof(g->reason),
		reason && *reason ? reason : "the program says that it does not work");
	node_groups_review(n);
	return 0;
}

enum ha_state ha_group_state(const ha_node *n, const char *group)
{
	size_t g = n ? node_groups_find(n, group) : SIZE_MAX;

	return g == SIZE_MAX || n->phase == PHASE_CLOSED ? HA_SHUTDOWN : n->groups[g].state;
}

uint64_t ha_group_epoch(const ha_node *n, const char *group)
{
	size_t g = n ? node_groups_find(n, group) : SIZE_MAX;

	return g == SIZE_MAX ? 0 : n->groups[g].epoch;
}

const char *ha_group_name(const ha_node *n, size_t index)
{
	return n && index < n->group_count ? n->groups[index].name : NULL;
}
