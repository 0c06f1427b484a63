/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "sim/invariants.h"
#include "sim/world.h"

/* At one instant, what has arrived is looked at before anybody's silence is judged (R10), and the
 * keeper's watchdog before either. Time in which nothing happens costs nothing. */

static bool is_before(const struct due *a, const struct due *b)
{
	return a->at.ns != b->at.ns ? a->at.ns < b->at.ns : a->order < b->order;
}

static void make_room(struct world *w)
{
	size_t had = w->happening_room;

	if (w->happening_count < had)
		return;
	w->happening_room = had ? 2 * had : 256;
	assert(w->happening_room <= WORLD_EVENTS_MAX);
	w->happenings = realloc(w->happenings, w->happening_room * sizeof(*w->happenings));
	w->dues = realloc(w->dues, w->happening_room * sizeof(*w->dues));
	assert(w->happenings && w->dues);
	for (size_t i = had; i < w->happening_room; i++)
		w->dues[i].slot = i;
}

static void push(struct world *w, const struct happening *h, ha_time when, uint64_t order)
{
	struct due due = {.at = when, .order = order};
	size_t at;

	make_room(w);
	at = w->happening_count++;
	due.slot = w->dues[at].slot;
	w->happenings[due.slot] = *h;
	while (at > 0 && is_before(&due, &w->dues[(at - 1) / 2])) {
		w->dues[at] = w->dues[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	w->dues[at] = due;
}

/* The first; its slot is free until the next push. */
static struct due pop(struct world *w)
{
	struct due first = w->dues[0], last = w->dues[--w->happening_count];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < w->happening_count) {
		if (child + 1 < w->happening_count &&
			is_before(&w->dues[child + 1], &w->dues[child]))
			child++;
		if (!is_before(&w->dues[child], &last))
			break;
		w->dues[at] = w->dues[child];
		at = child;
	}
	w->dues[at] = last;
	w->dues[w->happening_count].slot = first.slot;
	return first;
}

struct happening *schedule_prepare(struct happening *h, enum happening_kind kind)
{
	memset(h, 0, sizeof(*h));
	h->kind = kind;
	return h;
}

void schedule(struct world *w, const struct happening *h, size_t port, ha_time at)
{
	struct happening planned = *h;

	planned.port = port;
	planned.boot = port < WORLD_NODES_MAX ? w->nodes[port].boot : 0;
	push(w, &planned, at, w->order++);
}

void schedule_clear(struct world *w)
{
	for (size_t i = 0; i < w->happening_count; i++) {
		const struct happening *h = &w->happenings[w->dues[i].slot];

		if (h->kind == HAPPENS_DATAGRAM)
			lan_drop_packet(w, h->packet);
	}
	w->happening_count = 0;
}

/* What the keeper has said to an engine that is still to come waits in the channel (R8). */
static ha_time note_due(const struct node *n, ha_time at)
{
	if (n->running)
		return time_max(at, n->stalled_until);
	if (!n->succession.paused || !n->keeper.runs)
		return at;
	return time_max(at, time_max(n->succession.engine_at, n->keeper_stalled_until));
}

/* What waits for somebody who is frozen is not due before that one runs again. */
static ha_time due_at(const struct world *w, const struct happening *h, ha_time at)
{
	const struct node *n;

	if (h->port >= WORLD_NODES_MAX)
		return at;
	n = &w->nodes[h->port];
	switch (h->kind) {
	case HAPPENS_DATAGRAM:
	case HAPPENS_DEVICE:
	case HAPPENS_HEALTH:
	case HAPPENS_PREPARED:
	case HAPPENS_ORPHANED:
	case HAPPENS_UNFENCED:
	case HAPPENS_SENT: return n->running ? time_max(at, n->stalled_until) : at;
	case HAPPENS_NOTE: return note_due(n, at);
	case HAPPENS_TOLD:
	case HAPPENS_WORK:
	case HAPPENS_JOINED:
	case HAPPENS_GONE:
	case HAPPENS_LOOK:
	case HAPPENS_RESTART:
	case HAPPENS_SUCCESSOR:
	case HAPPENS_ENGINE: return time_max(at, n->keeper_stalled_until);
	case HAPPENS_MORTAL:
	case HAPPENS_FRAME: return time_max(at, n->host_stalled_until);
	case HAPPENS_USE: break;
	}
	return at;
}

static void happen_to_node(struct world *w, struct node *n, const struct happening *h)
{
	if (h->boot == n->boot) {
		switch (h->kind) {
		case HAPPENS_DATAGRAM: node_hear(w, n, h->packet); break;
		case HAPPENS_NOTE: node_hear_keeper(w, n, &h->note); break;
		case HAPPENS_TOLD: keeper_reads(w, n, &h->note); break;
		case HAPPENS_WORK: keeper_does_more(w, n); break;
		case HAPPENS_JOINED: keeper_sees_joined(w, n, h->note.index); break;
		case HAPPENS_GONE: keeper_sees_end(w, n); break;
		case HAPPENS_LOOK: keeper_looks(w, n); break;
		case HAPPENS_ORPHANED: node_sees_orphaned(w, n); break;
		case HAPPENS_UNFENCED: node_sees_unfenced(w, n); break;
		case HAPPENS_SENT: node_has_sent(w, n); break;
		case HAPPENS_DEVICE: node_hear_device(w, n, h->note.index); break;
		case HAPPENS_HEALTH: node_health(w, n, h->note.index); break;
		case HAPPENS_PREPARED:
			node_prepared(w, n, h->note.index, (uint32_t)h->note.number);
			break;
		case HAPPENS_FRAME: node_frame(w, n, &h->frame); break;
		case HAPPENS_RESTART: node_restart(w, n); break;
		case HAPPENS_SUCCESSOR: node_succeed(w, n); break;
		case HAPPENS_ENGINE: node_engine_succeeds(w, n); break;
		case HAPPENS_MORTAL:
		case HAPPENS_USE: break;
		}
	}
	if (h->kind == HAPPENS_MORTAL) /* whoever lives meanwhile */
		kernel_ends_lifetimes(w, n);
	if (h->kind == HAPPENS_DATAGRAM)
		lan_drop_packet(w, h->packet);
}

static void happen(struct world *w)
{
	struct due first = pop(w);
	struct happening h = w->happenings[first.slot];
	ha_time due = due_at(w, &h, first.at);

	if (due.ns > w->now.ns) {
		push(w, &h, due, first.order);
	} else if (h.port < WORLD_NODES_MAX) {
		happen_to_node(w, &w->nodes[h.port], &h);
	} else {
		struct client *c = &w->clients[h.port - WORLD_NODES_MAX];

		if (h.kind == HAPPENS_FRAME)
			client_frame(w, c, &h.frame);
		else
			client_use(w, c);
	}
}

static struct node *first_node(
	struct world *w, ha_time (*deadline)(const struct node *n), ha_time *ret_at)
{
	struct node *first = NULL;

	*ret_at = TIME_NEVER;
	for (size_t i = 0; i < w->node_count; i++) {
		ha_time at = deadline(&w->nodes[i]);

		if (at.ns < ret_at->ns) {
			first = &w->nodes[i];
			*ret_at = at;
		}
	}
	return first;
}

/* Whoever asks again and again to be called at once makes no progress. */
static void check_progress(struct world *w, ha_time next)
{
	if (next.ns > w->now.ns) {
		w->now = next;
		w->steps_now = 0;
	} else if (++w->steps_now == WORLD_STEPS_NOW_MAX) {
		violated(w, "%u things happen at one instant, and there is no end of it",
			WORLD_STEPS_NOW_MAX);
		w->stops = true;
	}
}

static bool run_next(struct world *w, ha_time end)
{
	ha_time happening_at = w->happening_count > 0 ? w->dues[0].at : TIME_NEVER;
	ha_time watchdog_at, timer_at, next;
	struct node *watchdog = first_node(w, keeper_deadline, &watchdog_at);
	struct node *timer = first_node(w, node_deadline, &timer_at);

	next = time_min(happening_at, time_min(watchdog_at, timer_at));
	if (next.ns > end.ns)
		return false;
	check_progress(w, next);
	if (watchdog && watchdog_at.ns == next.ns)
		keeper_watchdog(w, watchdog);
	else if (happening_at.ns == next.ns)
		happen(w);
	else
		node_timer(w, timer);
	invariants_check(w);
	if (w->tell)
		world_tell_serving(w);
	return true;
}

void schedule_run(struct world *w, int64_t duration_ns)
{
	ha_time end = time_add(w->now, duration_ns);

	while (!w->stops && run_next(w, end))
		w->stops = w->stops || (w->stops_at_violation && w->violations > 0);
	w->now = w->stops ? w->now : end;
}
