/* SPDX-License-Identifier: ISC */
#include "engine/paths.h"

#include "base/assert.h"
#include "base/text.h"
#include "engine/devices.h"
#include "engine/effects.h"
#include "engine/node.h"
#include "engine/peers.h"

static int path_by_index(const struct engine *e, uint32_t interface_index)
{
	const struct conf_node *node = &e->conf->node;

	for (int i = 0; interface_index != 0 && i < node->path_count; i++) {
		const struct engine_device *d = &e->devices[node->path[i]].state;

		if (d->present && d->interface_index == interface_index)
			return i;
	}
	return -1;
}

void paths_heard(struct engine *e, struct peer_record *p, uint32_t interface_index)
{
	int path = path_by_index(e, interface_index);

	if (path >= 0)
		p->path_heard[path] = e->now;
}

void paths_forget(struct engine *e, size_t device)
{
	for (size_t i = 0; i < e->conf->node.path_count; i++) {
		if (e->conf->node.path[i] != device)
			continue;
		for (size_t peer = 0; peer < e->peer_count; peer++) {
			e->peers[peer].path_heard[i] = TIME_ORIGIN;
			e->peers[peer].path_lost[i] = false;
		}
	}
}

void paths_credit_stall(struct engine *e, struct peer_record *p, int64_t stall_ns)
{
	for (size_t i = 0; i < e->conf->node.path_count; i++)
		if (p->path_heard[i].ns != 0)
			p->path_heard[i] = time_min(e->now, time_add(p->path_heard[i], stall_ns));
}

/* A peer that has just come is given the time to be heard by all. */
static ha_time loss(const struct peer_record *p, size_t path)
{
	return time_add(time_max(p->path_heard[path], p->heard_since), p->peer.tolerance_ns);
}

bool paths_is_lost(const struct engine *e, const struct peer_record *p, size_t path)
{
	return e->conf->node.path_count > 1 && peer_is_live(&p->peer, e->now) &&
	       devices_path_speaks(e, path) && time_reached(e->now, loss(p, path));
}

static void report(struct engine *e, struct effects *out, const struct peer_record *p, size_t path)
{
	bool lost = p->path_lost[path];
	struct report *r = effect_report(e, out, REPORT_PEER, lost ? REPORT_WARNING : REPORT_NOTICE,
		"%s is %s by %s", p->name, lost ? "no longer heard" : "heard again",
		e->conf->devices[e->conf->node.path[path]].name);

	if (r)
		text_copy(r->peer, sizeof(r->peer), p->name);
}

void paths_review(struct engine *e, struct peer_record *p, struct effects *out)
{
	for (size_t i = 0; i < e->conf->node.path_count; i++) {
		/* By one that has never brought anything nothing can be lost: status tells. */
		bool lost = p->path_heard[i].ns != 0 && paths_is_lost(e, p, i);

		if (lost == p->path_lost[i])
			continue;
		p->path_lost[i] = lost;
		if (peer_is_live(&p->peer, e->now))
			report(e, out, p, i);
	}
}

ha_time paths_deadline(const struct engine *e, const struct peer_record *p)
{
	ha_time deadline = TIME_NEVER;

	if (e->conf->node.path_count == 1 || !peer_is_live(&p->peer, e->now))
		return deadline;
	for (size_t i = 0; i < e->conf->node.path_count; i++)
		if (p->path_heard[i].ns != 0 && !p->path_lost[i] && devices_path_speaks(e, i))
			deadline = time_min(deadline, loss(p, i));
	return deadline;
}
