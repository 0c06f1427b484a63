/* SPDX-License-Identifier: ISC */
#include "daemon/control.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/answer.h"
#include "daemon/attach.h"
#include "sys/log.h"

struct line {
	uv_write_t write;
	bool last;
	char *text; /* owned */
};

static void on_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;

	c->used = false;
	if (c->control->one_waits)
		c->control->accept(c->control);
}

static void drop_answer(struct client *c)
{
	size_t size;

	if (c->answer)
		free(answer_end(c->answer, &size));
	c->answer = NULL;
}

void client_close(struct client *c)
{
	c->watching = false;
	drop_answer(c);
	if (c->attached)
		attach_end(c->control->attach, c);
	c->attached = false;
	if (!c->closing)
		uv_close((uv_handle_t *)&c->pipe, on_closed);
	c->closing = true;
}

static void on_written(uv_write_t *write, int status)
{
	struct line *line = write->data;
	struct client *c = write->handle->data;

	if (status < 0 || line->last)
		client_close(c);
	free(line->text);
	free(line);
}

void client_send(struct client *c, char *text, size_t size, bool last)
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
	client_close(c);
}

void client_send_json(struct client *c, json_t *json, bool last)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	size_t size = text ? strlen(text) : 0;

	json_decref(json);
	if (text)
		text[size++] = '\n'; /* in the place of its end */
	client_send(c, text, size, last);
}
