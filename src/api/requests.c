/* SPDX-License-Identifier: ISC */
/* requests: planned moves at the program's wish, and to whom. */
#include <errno.h>
#include <string.h>

#include "api/node.h"
#include "base/text.h"

static int request(ha_node *n, const struct control_request *r)
{
	size_t any;
	int error = node_group_of(n, r->group[0] != '\0' ? r->group : NULL, &any);

	return error < 0 ? error : n->mode->request(n, r);
}

void node_choose(ha_node *n, const char *group, const struct candidates *candidates,
	char ret_name[NAME_SIZE])
{
	struct ha_candidate list[PEERS_MAX];
	char addresses[PEERS_MAX][IP_TEXT_SIZE];
	int choice = -1;

	ret_name[0] = '\0';
	for (size_t i = 0; i < candidates->count; i++) {
		const struct candidate *c = &candidates->list[i];

		list[i] = (struct ha_candidate){.size = sizeof(struct ha_candidate),
			.name = c->name,
			.address = ip_format(&c->address, addresses[i]),
			.id = c->id,
			.worth = c->worth};
	}
	if (candidates->count > 0)
		choice = n->choose(n, group, list, candidates->count, n->context);
	if (choice >= 0 && (size_t)choice < candidates->count)
		text_copy(ret_name, NAME_SIZE, candidates->list[choice].name);
}

int ha_yield(ha_node *n, const char *group, const char *to)
{
	struct control_request r = {.command = CONTROL_YIELD};
	size_t index;
	int error = node_group_of(n, group, &index);

	if (error < 0)
		return error;
	text_copy(r.group, sizeof(r.group), n->groups[index].name);
	if (to)
		text_copy(r.to, sizeof(r.to), to);
	else if (n->choose)
		return n->mode->yield(n, &r);
	return request(n, &r);
}

int ha_drain(ha_node *n, int force)
{
	const struct control_request r = {.command = CONTROL_DRAIN, .force = force != 0};

	return request(n, &r);
}

int ha_resume(ha_node *n, const char *group)
{
	struct control_request r = {.command = CONTROL_RESUME};

	if (group)
		text_copy(r.group, sizeof(r.group), group);
	return request(n, &r);
}

void node_answered(ha_node *n, const char *group, enum control_outcome outcome, const char *text)
{
	static const int errors[CONTROL_OUTCOMES] = {
		[CONTROL_DONE] = 0,
		[CONTROL_FAILED] = -ECANCELED,
		[CONTROL_REFUSED] = -EBUSY,
		[CONTROL_MISUSED] = -ENOENT,
	};
	int level = outcome == CONTROL_DONE ? HA_NOTICE : HA_WARNING;
	size_t index = group[0] != '\0' ? node_groups_find(n, group) : SIZE_MAX;

	node_events_add(n, HA_EVENT_ANSWER, level, index, text)->error = errors[outcome];
}
