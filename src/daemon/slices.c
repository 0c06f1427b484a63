/* SPDX-License-Identifier: ISC */
/* What takes longer to tell than a heartbeat may be late, and is told bit by bit: whole states, and
 * the events of ten thousand groups that change at once. */
#include <stdlib.h>

#include "daemon/answer.h"
#include "daemon/control.h"
#include "sys/clock.h"
#include "wire/json.h"

#define WORK_EVERY_MS    1
#define WORK_NS          (300 * NS_PER_US)
#define EVENTS_FIRST     64
#define EVENTS_MAX       32768 /* more at once than every group of a full node has */
#define EVENTS_PER_SLICE 8
#define EVENTS_LAST      256          /* when the process ends */
#define CLIENT_QUEUE_MAX (256 * 1024) /* a watcher that reads slower than this falls off */

static void end_answer(struct client *c)
{
	size_t size;
	char *text = answer_end(c->answer, &size);

	c->answer = NULL;
	client_send(c, text, size, true);
}

static void tell_watchers(struct control *control, const struct event *event)
{
	json_t *json = report_to_json(&event->report, event->wall_ms);

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &control->clients[i];

		if (!c->used || !c->watching || control->told < c->watch_from)
			continue;
		if (uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) > CLIENT_QUEUE_MAX)
			client_close(c);
		else
			client_send_json(c, json_incref(json), false);
	}
	json_decref(json);
	control->told++;
}

void slices_tell_events(struct control *control, size_t count)
{
	while (count-- > 0 && control->event_first < control->event_count)
		tell_watchers(control, &control->events[control->event_first++]);
	if (control->event_first < control->event_count)
		return;
	control->event_first = control->event_count = 0;
	if (control->event_size > EVENTS_FIRST) {
		free(control->events);
		control->events = NULL;
		control->event_size = 0;
	}
}

/* One slice for each who waits. Whether there is more to do. */
static bool work_once(struct control *control)
{
	bool any;

	slices_tell_events(control, EVENTS_PER_SLICE);
	any = control->event_first < control->event_count;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &control->clients[i];

		if (c->used && c->answer && !answer_continue(c->answer))
			end_answer(c);
		any = any || (c->used && c->answer);
	}
	return any;
}

/* For a part of the time only: heartbeats come first, and a real-time process that never rests is
 * killed. */
static void on_work(uv_timer_t *work)
{
	ha_time until = time_add(clock_now(), WORK_NS);

	do {
		if (!work_once(work->data)) {
			uv_timer_stop(work);
			return;
		}
	} while (!time_reached(clock_now(), until));
}

static void work_soon(struct control *control)
{
	if (!uv_is_active((const uv_handle_t *)&control->work))
		uv_timer_start(&control->work, on_work, 0, WORK_EVERY_MS);
}

void slices_answer(struct client *c, bool cluster)
{
	c->answer = answer_begin(c->control->driver, c->control->checks, cluster);
	if (c->answer)
		work_soon(c->control);
	else
		client_send(c, NULL, 0, true);
}

void slices_watch(struct client *c)
{
	c->watch_from = c->control->told + c->control->event_count - c->control->event_first;
	c->watching = true;
}

static bool is_watched(const struct control *c)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (c->clients[i].used && c->clients[i].watching)
			return true;
	}
	return false;
}

/* Room for one more event. */
static bool make_room(struct control *c)
{
	size_t size = c->event_size > 0 ? 2 * c->event_size : EVENTS_FIRST;
	struct event *larger;

	if (c->event_count < c->event_size)
		return true;
	larger = size <= EVENTS_MAX ? realloc(c->events, size * sizeof(*larger)) : NULL;
	if (!larger)
		return false;
	c->events = larger;
	c->event_size = size;
	return true;
}

void control_report(struct control *c, const struct report *r, int64_t wall_ms)
{
	if (!is_watched(c))
		return;
	if (!make_room(c)) {
		for (size_t i = 0; i < CLIENTS_MAX; i++) {
			if (c->clients[i].used && c->clients[i].watching)
				client_close(&c->clients[i]); /* rather than tell half of it */
		}
		return;
	}
	c->events[c->event_count++] = (struct event){.report = *r, .wall_ms = wall_ms};
	work_soon(c);
}

void control_finish(struct control *c)
{
	slices_tell_events(c, EVENTS_LAST);
}
