/* SPDX-License-Identifier: ISC */
#include "daemon/control.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/answer.h"
#include "daemon/attach.h"
#include "engine/views.h"
#include "sys/clock.h"
#include "sys/fatal.h"
#include "sys/log.h"
#include "wire/json.h"

/* For a program that looks after a group: in order with the events, so all of it at once. */
static void answer_attached(struct client *c)
{
	struct answer *answer;
	size_t size = 0;
	char *text;

	slices_tell_events(c->control, SIZE_MAX);
	if (c->closing)
		return;
	answer = answer_begin(c->control->driver, c->control->checks, false);
	while (answer && answer_continue(answer))
		;
	text = answer ? answer_end(answer, &size) : NULL;
	client_send(c, text, size, false);
}

static void begin_attachment(struct client *c, const char *group)
{
	const char *error = "the connection cannot be examined";
	uv_os_fd_t socket;

	if (uv_fileno((const uv_handle_t *)&c->pipe, &socket) == 0)
		error = attach_begin(c->control->attach, group, socket, c);
	if (error) {
		client_send_json(c, json_pack("{s:s}", "error", error), true);
		return;
	}
	slices_watch(c);
	c->attached = true;
	answer_attached(c);
}

static void list_candidates(struct client *c, const char *group)
{
	struct candidates candidates;
	bool known = views_candidates(c->control->driver->engine, clock_now(), group, &candidates);

	client_send_json(c,
		known ? candidates_to_json(&candidates)
		      : json_pack("{s:s}", "error", "there is no such group"),
		true);
}

static void handle_attached(struct client *c, size_t size)
{
	struct attach_line line;
	const char *error;

	if (!attach_decode(c->request, size, &line, &error)) {
		client_send_json(c, json_pack("{s:s}", "error", error), true);
		return;
	}
	attach_heard(c->control->attach, c, &line);
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
	driver_event(control->driver, &event);
}

void control_answer(struct control *control, const struct engine_answer *answer)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &control->clients[i];

		if (!c->used || c->closing || c->token != answer->token)
			continue;
		c->token = 0;
		client_send_json(c,
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
		client_send_json(c, json_pack("{s:s}", "error", error), true);
		return;
	}
	switch (request.command) {
	case CONTROL_STATUS: slices_answer(c, false); break;
	case CONTROL_CLUSTER: slices_answer(c, true); break;
	case CONTROL_WATCH: slices_watch(c); break;
	case CONTROL_ATTACH: begin_attachment(c, request.group); break;
	case CONTROL_CANDIDATES: list_candidates(c, request.group); break;
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
		client_close(c);
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

/* Takes the next client, if there is room for it. */
static void accept_next(struct control *control)
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
		client_close(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
	if (status == 0)
		accept_next(listener->data);
}

struct control *control_open(struct driver *driver, struct attach *attach,
	struct daemon_checks *checks, int fd, uv_loop_t *loop)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		fatal("out of memory");
	c->driver = driver;
	c->attach = attach;
	c->checks = checks;
	c->accept = accept_next;
	if (uv_pipe_init(loop, &c->listener, 0) != 0 || uv_pipe_open(&c->listener, fd) != 0)
		fatal("the control socket cannot be used");
	c->listener.data = c->work.data = c;
	(void)uv_timer_init(loop, &c->work);
	if (uv_listen((uv_stream_t *)&c->listener, CLIENTS_MAX, on_connection) != 0)
		fatal("the control socket cannot be listened on");
	return c;
}
