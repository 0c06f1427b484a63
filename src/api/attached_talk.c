/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "api/attached.h"
#include "api/tell.h"
#include "base/text.h"
#include "sys/clock.h"
#include "sys/descriptors.h"
#include "sys/timer.h"
#include "wire/status.h"

#define INPUT_MAX  (16 * 1024 * 1024) /* longer than any status */
#define INPUT_STEP (64 * 1024)

void attached_say(ha_node *n)
{
	struct attached *m = n->mode_state;
	char line[ATTACH_LINE_MAX];
	size_t size;

	if (m->socket < 0)
		return;
	m->line.status = m->status_wanted;
	size = attach_encode(&m->line, line);
	if (send(m->socket, line, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
		attached_lose(n);
	else
		m->status_wanted = false;
}

void attached_tell_state(ha_node *n, enum ha_state state, const char *text, uint64_t epoch)
{
	enum ha_state last = tell_last_state(n, 0);
	struct queued_event *e;

	if (last == state)
		return;
	e = node_events_add(n, HA_EVENT_STATE, HA_NOTICE, 0, text ? text : "");
	e->state = (int)state;
	e->previous = (int)last;
	e->epoch = epoch;
}

void attached_lose(ha_node *n)
{
	struct attached *m = n->mode_state;

	node_unwatch(n, m->socket);
	descriptors_close(&m->socket, 1);
	m->socket = -1;
	m->input_size = 0;
	if (!m->unanswered)
		m->lost = clock_now();
	m->unanswered = true;
	timer_set(m->beat_fd, clock_now());
}

const json_t *attached_find_group(const json_t *status, const char *name)
{
	const json_t *list = json_object_get(status, "groups");
	size_t i;
	const json_t *item;

	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(json_object_get(item, "name"));

		if (text && strcmp(text, name) == 0)
			return item;
	}
	return NULL;
}

static enum ha_state state_named(const char *name)
{
	if (name && strcmp(name, "ACTIVE") == 0)
		return HA_ACTIVE;
	return name && strcmp(name, "SHUTDOWN") == 0 ? HA_SHUTDOWN : HA_STANDBY;
}

static void take_status(ha_node *n, const json_t *json, const char *line)
{
	struct attached *m = n->mode_state;
	const json_t *group = attached_find_group(json, m->group);
	const json_t *node = json_object_get(json, "node");
	double interval_ms = json_number_value(json_object_get(node, "interval_ms"));
	const char *name = json_string_value(json_object_get(node, "name"));
	char *copy = strdup(line);

	text_copy(n->name, sizeof(n->name), name ? name : "");
	if (interval_ms >= 1)
		m->interval_ns = (int64_t)(interval_ms * (double)NS_PER_MS);
	m->unanswered = false;
	if (copy) {
		free(m->status);
		m->status = copy;
	}
	if (!group)
		return;
	attached_tell_state(n, state_named(json_string_value(json_object_get(group, "state"))),
		json_string_value(json_object_get(group, "reason")),
		(uint64_t)json_integer_value(json_object_get(group, "epoch")));
}

static void take_report(ha_node *n, const json_t *json)
{
	const struct attached *m = n->mode_state;
	struct report r;
	int64_t wall_ms;
	const char *error;

	if (!report_from_json(json, &r, &wall_ms, &error))
		return; /* of a later version: what it says about states comes with the next status
			 */
	if (r.group[0] == '\0' || strcmp(r.group, m->group) == 0)
		tell_report(n, &r, wall_ms);
}

static void take_line(ha_node *n, const char *line)
{
	json_t *json = json_loads(line, 0, NULL);
	const char *error = json_string_value(json_object_get(json, "error"));

	if (error)
		(void)node_events_add(n, HA_EVENT_FAULT, HA_ERROR, SIZE_MAX, error);
	else if (json_object_get(json, "groups"))
		take_status(n, json, line);
	else if (json)
		take_report(n, json);
	json_decref(json);
}

static bool make_room(struct attached *m)
{
	char *larger;

	if (m->input_room - m->input_size > INPUT_STEP / 2)
		return true;
	if (m->input_room >= INPUT_MAX)
		return false;
	larger = realloc(m->input, m->input_room + INPUT_STEP);
	if (!larger)
		return false;
	m->input = larger;
	m->input_room += INPUT_STEP;
	return true;
}

static void take_lines(ha_node *n, struct attached *m)
{
	size_t taken = 0;
	char *end;

	while (m->socket >= 0 && (end = memchr(m->input + taken, '\n', m->input_size - taken))) {
		*end = '\0';
		take_line(n, m->input + taken);
		taken = (size_t)(end - m->input) + 1;
	}
	if (m->socket < 0)
		return;
	m->input_size -= taken;
	memmove(m->input, m->input + taken, m->input_size);
}

void attached_hear(ha_node *n)
{
	struct attached *m = n->mode_state;

	while (m->socket >= 0) {
		ssize_t got = -1;

		errno = ENOMEM;
		if (make_room(m))
			got = recv(m->socket, m->input + m->input_size,
				m->input_room - m->input_size - 1, MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			attached_lose(n);
			return;
		}
		m->input_size += (size_t)got;
		take_lines(n, m);
	}
}
