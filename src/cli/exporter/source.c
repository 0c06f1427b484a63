/* SPDX-License-Identifier: ISC */
#include "cli/exporter/source.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE_FIRST (64 * 1024)
#define EVENT_LINE_MAX    (64 * 1024)
#define RETRY_MS          1000

static void on_closed(uv_handle_t *handle)
{
	struct channel *c = handle->data;

	free(c->buffer);
	c->buffer = NULL;
	c->open = false;
}

static void close_channel(struct channel *c)
{
	if (c->open && !uv_is_closing((uv_handle_t *)&c->pipe))
		uv_close((uv_handle_t *)&c->pipe, on_closed);
}

static bool is_status(const struct channel *c)
{
	return c == &c->source->status;
}

static void tell_status(struct source *s, const json_t *status, const char *line)
{
	(void)uv_timer_stop(&s->patience);
	close_channel(&s->status);
	s->owner.status(s->owner.context, status, line);
}

/* The connection cannot go on. */
static void give_up(struct channel *c)
{
	struct source *s = c->source;

	if (uv_is_closing((uv_handle_t *)&c->pipe))
		return;
	if (is_status(c))
		tell_status(s, NULL, NULL);
	else
		close_channel(c);
}

static void take_status(struct source *s, const char *line)
{
	json_t *json = json_loads(line, 0, NULL);

	/* An {"error": ...} is no status. */
	if (json_is_object(json_object_get(json, "node")))
		tell_status(s, json, line);
	else
		tell_status(s, NULL, NULL);
	json_decref(json);
}

static void take_lines(struct channel *c)
{
	char *line = c->buffer, *end;

	while ((end = memchr(line, '\n', c->used - (size_t)(line - c->buffer)))) {
		*end = '\0';
		if (is_status(c)) {
			take_status(c->source, line);
			return;
		}
		c->source->owner.event(c->source->owner.context, line);
		line = end + 1;
	}
	c->used -= (size_t)(line - c->buffer);
	memmove(c->buffer, line, c->used);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct channel *c = handle->data;

	(void)suggested;
	if (c->used == c->size && c->size < c->max) {
		size_t size = c->size ? 2 * c->size : BUFFER_SIZE_FIRST;
		char *larger = realloc(c->buffer, size);

		if (larger) {
			c->buffer = larger;
			c->size = size;
		}
	}
	*buffer =
		uv_buf_init(c->buffer ? c->buffer + c->used : NULL, (unsigned)(c->size - c->used));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct channel *c = stream->data;

	(void)buffer;
	if (size < 0) { /* the end, or an answer that is too long */
		give_up(c);
		return;
	}
	c->used += (size_t)size;
	take_lines(c);
}

static void on_written(uv_write_t *write, int status)
{
	if (status < 0)
		give_up(write->data);
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct channel *c = connect->data;
	uv_buf_t request = uv_buf_init(c->request, (unsigned)strlen(c->request));

	if (status < 0 || uv_read_start((uv_stream_t *)&c->pipe, on_allocate, on_read) != 0 ||
		uv_write(&c->write, (uv_stream_t *)&c->pipe, &request, 1, on_written) != 0)
		give_up(c);
}

static void open_channel(struct channel *c, enum control_command command, size_t max)
{
	const struct control_request request = {.command = command};

	(void)control_encode(&request, c->request, sizeof(c->request));
	c->used = c->size = 0;
	c->max = max;
	c->pipe.data = c->connect.data = c->write.data = c;
	(void)uv_pipe_init(c->source->loop, &c->pipe, 0);
	c->open = true;
	uv_pipe_connect(&c->connect, &c->pipe, c->source->path, on_connected);
}

static void on_patience(uv_timer_t *timer)
{
	struct source *s = timer->data;

	give_up(&s->status);
}

static void on_retry(uv_timer_t *timer)
{
	struct source *s = timer->data;

	if (!s->events.open)
		open_channel(&s->events, CONTROL_WATCH, EVENT_LINE_MAX);
}

void source_open(struct source *s, uv_loop_t *loop, const char *socket_path,
	const struct source_owner *owner)
{
	*s = (struct source){.loop = loop, .path = socket_path, .owner = *owner};
	s->status.source = s->events.source = s;
	s->patience.data = s->retry.data = s;
	(void)uv_timer_init(loop, &s->patience);
	(void)uv_timer_init(loop, &s->retry);
	(void)uv_timer_start(&s->retry, on_retry, 0, RETRY_MS);
}

void source_ask(struct source *s)
{
	if (s->status.open)
		return;
	open_channel(&s->status, CONTROL_CLUSTER, SOURCE_ANSWER_MAX);
	(void)uv_timer_start(&s->patience, on_patience, SOURCE_PATIENCE_MS, 0);
}

void source_close(struct source *s)
{
	close_channel(&s->status);
	close_channel(&s->events);
	uv_close((uv_handle_t *)&s->patience, NULL);
	uv_close((uv_handle_t *)&s->retry, NULL);
}
