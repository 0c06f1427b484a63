/* SPDX-License-Identifier: ISC */
/*
 * A hook that stays (on-change-stream): one program for all groups that reads each change as a line
 * of JSON from its standard input, beginning with how things are. It is started again when it ends,
 * with a growing pause. Nothing waits for it: what it does not read in time is left out.
 */
#include "daemon/stream.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "sys/clock.h"
#include "sys/fatal.h"
#include "sys/log.h"
#include "wire/json.h"

#define QUEUE_MAX      (256 * 1024)
#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS   30000
#define GOOD_AFTER_NS  (60 * NS_PER_S)
#define WORDS_MAX      (COMMAND_SIZE / 2)

struct stream {
	struct driver *driver;
	const struct conf *conf;
	struct metrics *metrics;
	uv_loop_t *loop;
	uv_process_t process;
	uv_pipe_t input;
	uv_timer_t again;
	bool running;
	unsigned closing; /* handles */
	uint64_t pause_ms;
	ha_time started;
};

struct line {
	uv_write_t write;
	char *text; /* owned */
};

static void launch(struct stream *s);

static void on_again(uv_timer_t *timer)
{
	launch(timer->data);
}

static void on_closed(uv_handle_t *handle)
{
	struct stream *s = handle->data;

	if (--s->closing > 0)
		return;
	if (time_between(s->started, clock_now()) > GOOD_AFTER_NS)
		s->pause_ms = PAUSE_FIRST_MS;
	uv_timer_start(&s->again, on_again, s->pause_ms, 0);
	s->pause_ms = 2 * s->pause_ms < PAUSE_MAX_MS ? 2 * s->pause_ms : PAUSE_MAX_MS;
}

static void close_both(struct stream *s)
{
	s->running = false;
	s->closing = 2;
	uv_close((uv_handle_t *)&s->process, on_closed);
	uv_close((uv_handle_t *)&s->input, on_closed);
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal)
{
	struct stream *s = process->data;

	log_line(LOG_LEVEL_WARNING,
		"the program of on-change-stream has ended (%s %d); it is started again in %llu ms",
		signal != 0 ? "signal" : "status", signal != 0 ? signal : (int)status,
		(unsigned long long)s->pause_ms);
	metrics_count(s->metrics, METRIC_HOOKS_FAILED);
	close_both(s);
}

static void on_written(uv_write_t *write, int status)
{
	struct line *line = write->data;

	(void)status; /* its end is told by its exit */
	free(line->text);
	free(line);
}

/* Sends @json, which it owns. */
static void send_line(struct stream *s, json_t *json)
{
	static char newline[] = "\n";
	struct line *line = calloc(1, sizeof(*line));
	uv_buf_t parts[2];

	if (!line || !json ||
		uv_stream_get_write_queue_size((uv_stream_t *)&s->input) > QUEUE_MAX) {
		metrics_count(s->metrics, METRIC_HOOKS_SKIPPED);
		json_decref(json);
		free(line);
		return;
	}
	line->text = json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(json);
	line->write.data = line;
	parts[0] = uv_buf_init(line->text, line->text ? (unsigned)strlen(line->text) : 0);
	parts[1] = uv_buf_init(newline, 1);
	if (line->text &&
		uv_write(&line->write, (uv_stream_t *)&s->input, parts, 2, on_written) == 0)
		return;
	free(line->text);
	free(line);
}

static json_t *addresses_of(const struct conf *conf, const struct conf_group *g)
{
	json_t *array = json_array();
	char ip[IP_TEXT_SIZE], whole[IP_TEXT_SIZE + 5];

	for (size_t i = 0; array && i < g->address_count; i++) {
		const struct conf_address *a = &conf->addresses[g->address_first + i];
		struct text t = text_init(whole, sizeof(whole));

		text_add(&t, "%s/%u", ip_format(&a->ip, ip), a->prefix_length);
		json_array_append_new(array, json_string(whole));
	}
	return array;
}

/* The same as other hooks find in their environment. */
static json_t *describe(const struct stream *s, const struct engine_hook *h)
{
	const struct conf_group *g = &s->conf->groups[h->group];

	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "group",
		json_from_text(g->name), "state", node_state_name(h->state), "previous",
		node_state_name(h->previous), "epoch", json_from_count(h->epoch), "node",
		json_from_text(s->conf->node.name), "holder", json_from_optional_text(h->holder),
		"reason", json_from_text(h->reason), "interface",
		json_from_text(s->conf->devices[s->conf->addresses[g->address_first].device].name),
		"addresses", addresses_of(s->conf, g));
}

void stream_change(struct stream *s, const struct engine_hook *hook)
{
	if (s && s->running && hook->preparation == 0)
		send_line(s, describe(s, hook));
}

static void tell_present(struct stream *s)
{
	struct engine_hook now;

	for (size_t g = 0; g < s->conf->group_count; g++) {
		engine_describe(s->driver->engine, g, &now);
		send_line(s, describe(s, &now));
	}
}

static int spawn(struct stream *s)
{
	char command[COMMAND_SIZE], *words[WORDS_MAX + 1];
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *environment[] = {path, NULL};
	uv_stdio_container_t stdio[3] = {{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
						 .data.stream = (uv_stream_t *)&s->input},
		{.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
		{.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO}};
	uv_process_options_t options = {.exit_cb = on_process_exit,
		.args = words,
		.env = environment,
		.flags = UV_PROCESS_DETACHED,
		.stdio = stdio,
		.stdio_count = 3};

	text_copy(command, sizeof(command), s->conf->node.on_change_stream);
	(void)text_split(command, words, WORDS_MAX);
	options.file = words[0];
	return uv_spawn(s->loop, &s->process, &options);
}

static void launch(struct stream *s)
{
	int r;

	s->started = clock_now();
	if (uv_pipe_init(s->loop, &s->input, 0) != 0)
		fatal("out of memory");
	r = spawn(s);
	if (r == 0) {
		s->running = true;
		metrics_count(s->metrics, METRIC_HOOKS_STARTED);
		tell_present(s);
		return;
	}
	log_line(LOG_LEVEL_ERROR, "%s cannot be run: %s", s->conf->node.on_change_stream,
		uv_strerror(r));
	metrics_count(s->metrics, METRIC_HOOKS_FAILED);
	close_both(s);
}

struct stream *stream_open(struct driver *driver, uv_loop_t *loop)
{
	const struct conf *conf = driver->conf;
	struct stream *s;

	if (conf->node.on_change_stream[0] == '\0')
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s || uv_timer_init(loop, &s->again) != 0)
		fatal("out of memory");
	s->driver = driver;
	s->conf = conf;
	s->metrics = engine_metrics(driver->engine);
	s->loop = loop;
	s->pause_ms = PAUSE_FIRST_MS;
	s->process.data = s->input.data = s->again.data = s;
	return s;
}

void stream_start(struct stream *s)
{
	if (s)
		launch(s);
}
