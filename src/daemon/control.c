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
#define CLIENT_QUEUE_MAX (256 * 1024) /* a watcher that reads slower than this falls off */

struct client {
	uv_pipe_t pipe;
	struct control *control;
	bool used, watching, attached, closing;
	struct answer *answer; /* being made; NULL: none */
	bool answer_last;      /* the connection ends with it */
	bool answer_again;     /* it was asked for once more meanwhile */
	uint32_t token; /* of the request that it waits for; 0: none */
	char request[CONTROL_REQUEST_MAX];
	size_t request_size;
};

struct control {
	struct daemon *daemon;
	uv_pipe_t listener;
	uv_timer_t work; /* runs while an answer is being made */
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

static void begin_answer(struct client *c, bool cluster, bool last)
{
	if (c->answer) {
		c->answer_again = true;
		return;
	}
	c->answer = answer_begin(c->control->daemon, cluster);
	c->answer_last = last;
	if (c->answer)
		uv_timer_start(&c->control->work, on_work, 0, WORK_EVERY_MS);
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
	bool again = c->answer_again;
	size_t size;
	char *text = answer_end(c->answer, &size);

	c->answer = NULL;
	c->answer_again = false;
	send_text(c, text, size, c->answer_last);
	if (again && !c->closing)
		begin_answer(c, false, false);
}

/* One slice for each who waits. Whether there is more to do. */
static bool work_once(struct control *control)
{
	bool any = false;

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
	c->attached = c->watching = true;
	begin_answer(c, false, false);
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
		begin_answer(c, false, false);
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
	case CONTROL_STATUS: begin_answer(c, false, true); break;
	case CONTROL_CLUSTER: begin_answer(c, true, true); break;
	case CONTROL_WATCH: c->watching = true; break;
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
	if (c->watching && !c->attached) {
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

void control_report(struct control *c, const struct report *r, int64_t wall_ms)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &c->clients[i];

		if (!client->used || !client->watching)
			continue;
		if (uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe) > CLIENT_QUEUE_MAX)
			close_client(client);
		else
			send_json(client, report_to_json(r, wall_ms), false);
	}
}
