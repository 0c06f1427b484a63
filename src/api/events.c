/* SPDX-License-Identifier: ISC */
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/node.h"
#include "base/text.h"
#include "sys/clock.h"

static void wake(ha_node *n)
{
	const uint64_t one = 1;
	ssize_t ignored = write(n->wake_fd, &one, sizeof(one));

	(void)ignored; /* it is readable already */
}

static struct queued_event *at(ha_node *n, size_t i)
{
	return &n->events[(n->event_first + i) % NODE_EVENTS_MAX];
}

static bool is_droppable(const struct queued_event *e)
{
	return e->kind != HA_EVENT_STATE && e->kind != HA_EVENT_STOPPED;
}

/* A program that does not dispatch for long enough has lost its groups anyway; what it must learn
 * is how they stand now. */
static void make_room(ha_node *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->event_count; i++) {
		if (!is_droppable(at(n, i)))
			*at(n, kept++) = *at(n, i);
	}
	if (kept == NODE_EVENTS_MAX) {
		n->event_first = (n->event_first + 1) % NODE_EVENTS_MAX;
		kept--;
	}
	n->event_count = kept;
}

struct queued_event *node_events_add(
	ha_node *n, int kind, int level, size_t group, const char *text)
{
	struct queued_event *e;

	if (n->event_count == NODE_EVENTS_MAX)
		make_room(n);
	e = at(n, n->event_count++);
	*e = (struct queued_event){
		.kind = kind, .level = level, .group = group, .time_ms = clock_wall_ms()};
	text_copy(e->text, sizeof(e->text), text);
	if (n->event_count == 1)
		wake(n);
	return e;
}

static void tell(ha_node *n, const struct queued_event *e)
{
	struct node_group *g = e->group < n->group_count ? &n->groups[e->group] : NULL;
	const struct ha_event told = {.size = sizeof(told),
		.kind = e->kind,
		.level = e->level,
		.state = e->state,
		.previous = e->previous,
		.error = e->error,
		.group = g ? g->name : "",
		.peer = e->peer,
		.holder = e->holder,
		.text = e->text,
		.epoch = e->epoch,
		.time_ms = e->time_ms};

	if (g && e->kind == HA_EVENT_STATE) {
		g->state = (enum ha_state)e->state;
		g->epoch = e->state == HA_ACTIVE ? e->epoch : g->epoch;
	}
	if (n->event)
		n->event(n, &told, n->context);
}

void node_events_deliver(ha_node *n)
{
	uint64_t ignored;

	while (n->event_count > 0 && !n->free_wanted) {
		/* Copied: the callback may add events. */
		const struct queued_event e = *at(n, 0);

		n->event_first = (n->event_first + 1) % NODE_EVENTS_MAX;
		n->event_count--;
		if (e.kind == HA_EVENT_STOPPED)
			n->end_told = true;
		tell(n, &e);
	}
	if (n->event_count == 0 && read(n->wake_fd, &ignored, sizeof(ignored)) < 0)
		return; /* nobody had woken us */
}
