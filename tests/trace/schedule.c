/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "world.h"

/* At one instant, what has arrived is looked at before anybody's silence is judged (R10), and the
 * keeper's watchdog before either. */

struct happening *schedule(
	struct world *w, enum happening_kind kind, const struct node *n, ha_time at)
{
	struct happening *h = &w->happenings[w->happening_count];

	assert(w->happening_count < WORLD_EVENTS_MAX);
	w->happening_count++;
	memset(h, 0, sizeof(*h));
	h->kind = kind;
	h->at = at;
	h->order = w->order++;
	h->node = node_index(w, n);
	h->boot = n->boot;
	return h;
}

static bool is_before(const struct happening *a, const struct happening *b)
{
	return a->at.ns != b->at.ns ? a->at.ns < b->at.ns : a->order < b->order;
}

/* What waits for a stalled node is not due before that runs again. */
static ha_time due_at(const struct world *w, const struct happening *h)
{
	const struct node *n = &w->nodes[h->node];
	bool waits = h->kind == HAPPENS_DATAGRAM || h->kind == HAPPENS_MESSAGE;

	return waits && n->running ? time_max(h->at, n->stalled_until) : h->at;
}

static size_t find_next(const struct world *w, ha_time *ret_at)
{
	size_t next = w->happening_count;

	*ret_at = TIME_NEVER;
	for (size_t i = 0; i < w->happening_count; i++) {
		ha_time at = due_at(w, &w->happenings[i]);

		if (at.ns < ret_at->ns ||
			(next < w->happening_count && at.ns == ret_at->ns &&
				is_before(&w->happenings[i], &w->happenings[next]))) {
			next = i;
			*ret_at = at;
		}
	}
	return next;
}

static void happen(struct world *w, size_t index)
{
	static struct happening h; /* large; taken out before it is carried out */

	h = w->happenings[index];
	w->happenings[index] = w->happenings[--w->happening_count];
	if (h.boot == w->nodes[h.node].boot)
		node_happens(w, &w->nodes[h.node], &h);
}

static struct node *first_node(struct world *w, bool watchdog, ha_time *ret_at)
{
	struct node *first = NULL;

	*ret_at = TIME_NEVER;
	for (size_t i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];
		ha_time at = watchdog ? node_watchdog_deadline(n) : node_deadline(w, n);

		if (at.ns < ret_at->ns) {
			first = n;
			*ret_at = at;
		}
	}
	return first;
}

static bool run_next(struct world *w, ha_time end)
{
	ha_time happening_at, watchdog_at, timer_at, next;
	size_t happening = find_next(w, &happening_at);
	struct node *watchdog = first_node(w, true, &watchdog_at);
	struct node *timer = first_node(w, false, &timer_at);

	next = time_min(happening_at, time_min(watchdog_at, timer_at));
	if (next.ns > end.ns)
		return false;
	w->now = time_max(w->now, next);
	if (watchdog && watchdog_at.ns == next.ns)
		node_watchdog(w, watchdog);
	else if (happening < w->happening_count && happening_at.ns == next.ns)
		happen(w, happening);
	else
		node_timer(w, timer);
	world_tell_serving(w);
	return true;
}

void schedule_run(struct world *w, int64_t duration_ns)
{
	ha_time end = time_add(w->now, duration_ns);

	while (run_next(w, end))
		;
	w->now = end;
}
