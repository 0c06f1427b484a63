/* SPDX-License-Identifier: ISC */
/* exec PROGRAM [ARGUMENT]...: it exits with status 0. It runs under ha-runner, which ends with it
 * all that it has started. The first line that it writes is the reason of a failure. */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "checker/checker.h"
#include "sys/fatal.h"

#define RUNNER_NAME   "ha-runner"
#define WORDS_MAX     (COMMAND_SIZE / 2)
#define VARIABLES_MAX 4
#define VARIABLE_SIZE 128
#define READ_SIZE     4096

struct exec {
	struct probe *probe;
	uv_process_t process;
	uv_pipe_t output;
	bool running;   /* the process has not ended */
	bool reading;   /* its output has not */
	unsigned open;  /* handles that the loop has not closed */
	bool abandoned; /* what comes of it is not asked for any more */
	bool again;     /* one was due meanwhile */
	int64_t status;
	int signal;
	char line[VERDICT_TEXT_SIZE];
	size_t length;
	bool line_ended;
	char command[COMMAND_SIZE];
	char *words[WORDS_MAX + 2];
	char variables[VARIABLES_MAX][VARIABLE_SIZE];
	char *environment[VARIABLES_MAX + 1];
	char buffer[READ_SIZE];
};

static char runner[PATH_MAX];

static void run(struct exec *e);

static void answer(struct exec *e)
{
	char why[VERDICT_TEXT_SIZE];
	struct text t = text_init(why, sizeof(why));

	if (e->status == 0 && e->signal == 0) {
		probe_answer(e->probe, NULL, false);
		return;
	}
	if (e->status < 0)
		text_add(&t, "it cannot be run: %s", uv_strerror((int)e->status));
	else if (e->signal != 0)
		text_add(&t, "killed by signal %d", e->signal);
	else
		text_add(&t, "exit status %lld", (long long)e->status);
	e->line[e->length] = '\0';
	if (e->length > 0)
		text_add(&t, ": %s", e->line);
	probe_answer(e->probe, why, false);
}

static void on_closed(uv_handle_t *handle)
{
	struct exec *e = handle->data;

	if (--e->open > 0)
		return;
	if (!e->abandoned)
		answer(e);
	else if (e->again)
		run(e);
}

static void finish(struct exec *e)
{
	if (e->running || e->reading)
		return;
	uv_close((uv_handle_t *)&e->process, on_closed);
	uv_close((uv_handle_t *)&e->output, on_closed);
}

static void on_ended(uv_process_t *process, int64_t status, int signal)
{
	struct exec *e = process->data;

	e->running = false;
	e->status = status;
	e->signal = signal;
	finish(e);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct exec *e = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(e->buffer, sizeof(e->buffer));
}

/* The first line only; the rest is read so that nobody waits for it to be read. */
static void keep_line(struct exec *e, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size && !e->line_ended; i++) {
		e->line_ended = bytes[i] == '\n' && e->length > 0;
		if (bytes[i] != '\n' && e->length < sizeof(e->line) - 1)
			e->line[e->length++] = bytes[i];
	}
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct exec *e = stream->data;

	if (size >= 0) {
		keep_line(e, buffer->base, (size_t)size);
		return;
	}
	uv_read_stop(stream);
	e->reading = false;
	finish(e);
}

static void split(struct exec *e)
{
	text_copy(e->command, sizeof(e->command), e->probe->conf->target);
	e->words[0] = runner;
	(void)text_split(e->command, e->words + 1, WORDS_MAX);
}

static void set(struct exec *e, size_t index, const char *name, const char *value)
{
	struct text t = text_init(e->variables[index], VARIABLE_SIZE);

	text_add(&t, "%s=%s", name, value);
	e->environment[index] = e->variables[index];
}

static void fill_environment(struct exec *e)
{
	const struct probe *p = e->probe;
	const struct conf *conf = &p->checker->conf;
	char name[NAME_SIZE];

	conf_check_describe(p->conf, name, sizeof(name));
	set(e, 0, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	set(e, 1, "HA_GROUP", conf->groups[p->conf->group].name);
	set(e, 2, "HA_NODE", conf->node.name);
	set(e, 3, "HA_CHECK", name);
	e->environment[VARIABLES_MAX] = NULL;
}

static void run(struct exec *e)
{
	int pipe_ends[2] = {-1, -1};
	uv_stdio_container_t stdio[3] = {
		{.flags = UV_IGNORE}, {.flags = UV_INHERIT_FD}, {.flags = UV_INHERIT_FD}};
	uv_process_options_t options = {.exit_cb = on_ended,
		.file = runner,
		.args = e->words,
		.env = e->environment,
		.stdio = stdio,
		.stdio_count = 3};
	int r;

	e->again = e->abandoned = e->line_ended = false;
	e->length = 0;
	if (uv_pipe(pipe_ends, UV_NONBLOCK_PIPE, 0) != 0 ||
		uv_pipe_init(e->probe->checker->loop, &e->output, 0) != 0 ||
		uv_pipe_open(&e->output, pipe_ends[0]) != 0)
		fatal("the output of checks cannot be read");
	/* Both, or a check that complains much would fill the log. */
	stdio[1].data.fd = stdio[2].data.fd = pipe_ends[1];
	split(e);
	r = uv_spawn(e->probe->checker->loop, &e->process, &options);
	(void)close(pipe_ends[1]);
	e->open = 2;
	if (r != 0) {
		e->status = r;
		e->running = e->reading = false;
		finish(e);
		return;
	}
	e->running = e->reading = true;
	if (uv_read_start((uv_stream_t *)&e->output, on_allocate, on_read) != 0)
		fatal("the output of a check cannot be read");
}

/* Beside our own program (a build folder), else the installed one. */
static void find_runner(void)
{
	struct text t = text_init(runner, sizeof(runner));
	char self[PATH_MAX];
	size_t size = sizeof(self);

	if (uv_exepath(self, &size) == 0 && strrchr(self, '/')) {
		*(strrchr(self, '/') + 1) = '\0';
		text_add(&t, "%s%s", self, RUNNER_NAME);
		if (access(runner, X_OK) == 0)
			return;
	}
	t = text_init(runner, sizeof(runner));
	text_add(&t, "%s/%s", HA_LIBEXEC_DIR, RUNNER_NAME);
}

static bool open_exec(struct probe *p)
{
	struct exec *e = p->own = calloc(1, sizeof(*e));

	if (!e)
		fatal("out of memory");
	if (runner[0] == '\0')
		find_runner();
	e->probe = p;
	e->process.data = e->output.data = e;
	fill_environment(e);
	return true;
}

static void begin(struct probe *p)
{
	struct exec *e = p->own;

	if (e->open > 0)
		e->again = true; /* the last one is still being killed */
	else
		run(e);
}

/* It answers no more; ha-runner kills it, and what it has started. */
static void abandon(struct probe *p)
{
	struct exec *e = p->own;

	e->again = false;
	e->abandoned = true;
	if (e->running)
		(void)uv_process_kill(&e->process, SIGTERM);
}

const struct probe_kind PROBE_EXEC = {.open = open_exec, .begin = begin, .abandon = abandon};
