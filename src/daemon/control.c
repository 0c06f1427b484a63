/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "daemon/answer.h"
#include "daemon/attach.h"
#include "daemon/daemon.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "wire/control.h"
#include "wire/json.h"

#define CLIENTS_MAX      16
#define WORK_EVERY_MS    1
#define WORK_NS          (300 * NS_PER_US)
#define EVENTS_FIRST     64
#define EVENTS_MAX       32768 /* more at once than every group of a full node has */
#define EVENTS_PER_SLICE 8
#define EVENTS_LAST      256          /* when the process ends */
#define CLIENT_QUEUE_MAX (256 * 1024) /* a watcher that reads slower than this falls off */

struct client {
	uv_pipe_t pipe;
	struct control *control;
	bool used, watching, attached, closing;
	struct answer *answer; /* being made; NULL: none */
	uint64_t watch_from;   /* number of the first event that it is told */
	uint32_t token;        /* of the request that it waits for; 0: none */
	char request[CONTROL_REQUEST_MAX];
	size_t request_size;
};

/* An event that watchers are still to be told. */
struct event {
	struct report report;
	int64_t wall_ms;
};

struct control {
	struct daemon *daemon;
	/* The one at `event_first` has the number `told`. They wait, because ten thousand groups
	 * may change at once, and are told bit by bit, as answers are made. Owned. */
	struct event *events;
	size_t event_first, event_count, event_size;
	uint64_t told;
	uv_pipe_t listener;
	uv_timer_t work; /* runs while there is something to tell */
	uint32_t tokens; /* given out */
	bool one_waits;  /* all clients are in use; the next is accepted when one has gone */
	struct client clients[CLIENTS_MAX];
};

static void accept_client(struct control *control);

static void on_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;

	c->used = false;
	if (c->control->one_waits)
		accept_client(c->control);
}

static void drop_answer(struct client *c);

static void close_client(struct client *c)
{
	c->watching = false;
	drop_answer(c);
	if (c->attached)
		attach_end(daemon_attach(c->control->daemon), c);
	c->attached = false;
	if (!c->closing)
		uv_close((uv_handle_t *)&c->pipe, on_closed);
	c->closing = true;
}

struct line {
	uv_write_t write;
	bool last;
	char *text; /* owned */
};

static void on_written(uv_write_t *write, int status)
{
	struct line *line = write->data;
	struct client *c = write->handle->data;

	if (status < 0 || line->last)
		close_client(c);
	free(line->text);
	free(line);
}

/* Sends @text of @size, which it owns; NULL: memory ran out. @last: then closes. */
static void send_text(struct client *c, char *text, size_t size, bool last)
{
	struct line *line = calloc(1, sizeof(*line));
	uv_buf_t part = uv_buf_init(text, (unsigned)size);

	if (line && text) {
		line->text = text;
		line->last = last;
		line->write.data = line;
		if (uv_write(&line->write, (uv_stream_t *)&c->pipe, &part, 1, on_written) == 0)
			return;
	} else {
		log_error("out of memory for a client of the control socket");
	}
	free(text);
	free(line);
	close_client(c);
}

/* Sends @json (consumed) and a newline; @last: then closes. */
static void send_json(struct client *c, json_t *json, bool last)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	size_t size = text ? strlen(text) : 0;

	json_decref(json);
	if (text)
		text[size++] = '\n'; /* in the place of its end */
	send_text(c, text, size, last);
}

/* --- answers that are made in slices */

static void on_work(uv_timer_t *work);

static void work_soon(struct control *control)
{
	if (!uv_is_active((const uv_handle_t *)&control->work))
		uv_timer_start(&control->work, on_work, 0, WORK_EVERY_MS);
}

static void begin_answer(struct client *c, bool cluster)
{
	c->answer = answer_begin(c->control->daemon, cluster);
	if (c->answer)
		work_soon(c->control);
	else
		send_text(c, NULL, 0, true);
}

static void drop_answer(struct client *c)
{
	size_t size;

	if (c->answer)
		free(answer_end(c->answer, &size));
	c->answer = NULL;
}

static void end_answer(struct client *c)
{
	size_t size;
	char *text = answer_end(c->answer, &size);

	c->answer = NULL;
	send_text(c, text, size, true);
}

static void tell_watchers(struct control *control, const struct event *event)
{
	json_t *json = report_to_json(&event->report, event->wall_ms);

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &control->clients[i];

		if (!c->used || !c->watching || control->told < c->watch_from)
			continue;
		if (uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) > CLIENT_QUEUE_MAX)
			close_client(c);
		else
			send_json(c, json_incref(json), false);
	}
	json_decref(json);
	control->told++;
}

static void tell_events(struct control *control, size_t count)
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

	tell_events(control, EVENTS_PER_SLICE);
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

/* For a program that looks after a group: in order with the events, so all of it at once. */
static void answer_attached(struct client *c)
{
	struct answer *answer;
	size_t size = 0;
	char *text;

	tell_events(c->control, SIZE_MAX);
	if (c->closing)
		return;
	answer = answer_begin(c->control->daemon, false);
	while (answer && answer_continue(answer))
		;
	text = answer ? answer_end(answer, &size) : NULL;
	send_text(c, text, size, false);
}

/* From now on: not what has happened and is not told yet. */
static void watch(struct client *c)
{
	c->watch_from = c->control->told + c->control->event_count - c->control->event_first;
	c->watching = true;
}

static void begin_attachment(struct client *c, const char *group)
{
	struct daemon *d = c->control->daemon;
	const char *error = "the connection cannot be examined";
	uv_os_fd_t socket;

	if (uv_fileno((const uv_handle_t *)&c->pipe, &socket) == 0)
		error = attach_begin(daemon_attach(d), group, socket, c);
	if (error) {
		send_json(c, json_pack("{s:s}", "error", error), true);
		return;
	}
	watch(c);
	c->attached = true;
	answer_attached(c);
}

static void handle_attached(struct client *c, size_t size)
{
	struct attach_line line;
	const char *error;

	if (!attach_decode(c->request, size, &line, &error)) {
		send_json(c, json_pack("{s:s}", "error", error), true);
		return;
	}
	attach_heard(daemon_attach(c->control->daemon), c, &line);
	if (line.status)
		answer_attached(c);
}

/* The answer may come while this goes on, or much later. */
static void pass_on(struct client *c, const struct control_request *asked)
{
	struct control *control = c->control;
	struct engine_request request = {.asked = *asked};
	struct engine_event event = {.kind = ENGINE_REQUEST, .request = &request};

	control->tokens += control->tokens == UINT32_MAX ? 2 : 1;
	request.token = c->token = control->tokens;
	daemon_event(control->daemon, &event);
}

void control_answer(struct control *control, const struct engine_answer *answer)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &control->clients[i];

		if (!c->used || c->closing || c->token != answer->token)
			continue;
		c->token = 0;
		send_json(c,
			json_pack("{s:s, s:o}", "outcome", control_outcome_name(answer->outcome),
				"text", json_from_text(answer->text)),
			true);
	}
}

static void handle_request(struct client *c, size_t size)
{
	struct control_request request;
	const char *error;

	if (!control_decode(c->request, size, &request, &error)) {
		send_json(c, json_pack("{s:s}", "error", error), true);
		return;
	}
	switch (request.command) {
	case CONTROL_STATUS: begin_answer(c, false); break;
	case CONTROL_CLUSTER: begin_answer(c, true); break;
	case CONTROL_WATCH: watch(c); break;
	case CONTROL_ATTACH: begin_attachment(c, request.group); break;
	case CONTROL_YIELD:
	case CONTROL_DRAIN:
	case CONTROL_RESUME: pass_on(c, &request); break;
	}
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct client *c = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(
		c->request + c->request_size, (unsigned)(sizeof(c->request) - c->request_size));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct client *c = stream->data;
	char *end;

	(void)buffer;
	if (size < 0) { /* the end, an error, or a request that fills the buffer without an end */
		close_client(c);
		return;
	}
	if (c->answer || (c->watching && !c->attached)) {
		c->request_size = 0; /* one request a connection; the rest is of no interest */
		return;
	}
	c->request_size += (size_t)size;
	while (!c->closing && (end = memchr(c->request, '\n', c->request_size))) {
		size_t length = (size_t)(end - c->request);

		if (c->attached)
			handle_attached(c, length);
		else
			handle_request(c, length);
		c->request_size -= length + 1;
		memmove(c->request, end + 1, c->request_size);
		if (!c->attached)
			c->request_size = 0; /* one request a connection */
	}
}

static struct client *find_free(struct control *control)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (!control->clients[i].used)
			return &control->clients[i];
	return NULL;
}

static void accept_client(struct control *control)
{
	uv_stream_t *listener = (uv_stream_t *)&control->listener;
	struct client *c = find_free(control);

	control->one_waits = c == NULL;
	if (!c) {
		log_warning(
			"more than %d clients on the control socket; one must wait", CLIENTS_MAX);
		return;
	}
	memset(c, 0, sizeof(*c));
	c->control = control;
	if (uv_pipe_init(listener->loop, &c->pipe, 0) != 0)
		return;
	c->used = true;
	c->pipe.data = c;
	if (uv_accept(listener, (uv_stream_t *)&c->pipe) != 0 ||
		uv_read_start((uv_stream_t *)&c->pipe, on_allocate, on_read) != 0)
		close_client(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
	if (status == 0)
		accept_client(listener->data);
}

struct control *control_open(struct daemon *d, int fd, uv_loop_t *loop)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		daemon_fail("out of memory");
	c->daemon = d;
	if (uv_pipe_init(loop, &c->listener, 0) != 0 || uv_pipe_open(&c->listener, fd) != 0)
		daemon_fail("the control socket cannot be used");
	c->listener.data = c->work.data = c;
	(void)uv_timer_init(loop, &c->work);
	if (uv_listen((uv_stream_t *)&c->listener, CLIENTS_MAX, on_connection) != 0)
		daemon_fail("the control socket cannot be listened on");
	return c;
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
				close_client(&c->clients[i]); /* rather than tell half of it */
		}
		return;
	}
	c->events[c->event_count++] = (struct event){.report = *r, .wall_ms = wall_ms};
	work_soon(c);
}

void control_finish(struct control *c)
{
	tell_events(c, EVENTS_LAST);
}
