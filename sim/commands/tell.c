/* SPDX-License-Identifier: ISC */
/* What a story asks to be told. */
#include "base/assert.h"
#include "sim/commands/commands.h"
#include "sim/invariants.h"

/* steps on|off: tell those of moves, as `ha watch` does. */
bool command_steps(struct world *w, struct words words)
{
	return words.count == 1 && words_switch(words.list[0], &w->shows_steps);
}

bool command_announcements(struct world *w, struct words words)
{
	return words.count == 1 && words_switch(words.list[0], &w->shows_announcements);
}

/* settled: tells what is not as it must be when all faults are over. */
bool command_settled(struct world *w, struct words words)
{
	char what[WORLD_VIOLATION_MAX];

	if (convergence_failure(w, what, sizeof(what)) ||
		convergence_client_is_lost(w, TIME_ORIGIN, what, sizeof(what)))
		violated(w, "%s", what);
	return words.count == 0;
}

static void take_status(const struct world *w, const struct node *n, struct status *ret_status)
{
	bool has_room = status_init(ret_status, n->conf.group_count, n->conf.address_count);

	assert(has_room);
	engine_status(n->engine, w->now, 0, ret_status);
}

/* who: each node's own view, as `ha status` shows it. */
bool command_who(struct world *w, struct words words)
{
	static struct status s;

	for (size_t i = 0; i < w->node_count; i++) {
		const struct node *n = &w->nodes[i];

		if (!n->running)
			continue;
		take_status(w, n, &s);
		for (size_t g = 0; g < s.group_count; g++)
			world_tell(w, "%s: %s %s, epoch %llu, holder %s: %s", s.name,
				s.groups[g].name, node_state_name(s.groups[g].state),
				(unsigned long long)s.groups[g].epoch,
				s.groups[g].holder[0] ? s.groups[g].holder : "nobody",
				s.groups[g].reason);
		for (size_t i_warning = 0; i_warning < s.warning_count; i_warning++)
			world_tell(w, "%s warns: %s", s.name, s.warnings[i_warning]);
		status_done(&s);
	}
	return words.count == 0;
}

/* drops NAME: what it refused, by reason. */
bool command_drops(struct world *w, struct words words)
{
	static struct status s;
	struct node *n = words.count == 1 ? node_find(w, words.list[0]) : NULL;
	char line[512];
	struct text t = text_init(line, sizeof(line));

	if (!n || !n->running)
		return false;
	take_status(w, n, &s);
	for (enum heartbeat_drop d = HEARTBEAT_ACCEPTED; d < HEARTBEAT_DROP_REASONS; d++)
		if (s.dropped[d] > 0)
			text_add(&t, " %s %llu", heartbeat_drop_name(d),
				(unsigned long long)s.dropped[d]);
	status_done(&s);
	world_tell(w, "%s has refused:%s", n->name, line[0] ? line : " nothing");
	return true;
}
