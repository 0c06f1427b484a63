/* SPDX-License-Identifier: ISC */
/*
 * Hooks run in the order of the changes, one at a time per group, each bounded in time. Changes
 * that come faster than hooks run are joined: what counts in the end is the present state. What has
 * to be done before a claim (before-active) stands in the same line, and the engine waits for its
 * answer.
 */
#include "daemon/hooks.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/hook_environment.h"
#include "sys/clock.h"
#include "sys/fatal.h"
#include "sys/log.h"

#define WAITING_MAX      8
#define CANNOT_RUN       (-2) /* or was killed by somebody */
#define LAST_PATIENCE_MS 800  /* when the node stops: less than what the keeper waits for it */
#define ARGUMENTS_MAX    (COMMAND_SIZE / 2) /* a word and a blank each */

struct group_hooks {
	struct hooks *hooks;
	struct engine_hook waiting[WAITING_MAX]; /* the first one is running while `busy` */
	size_t count;
	bool busy;
	size_t next_command; /* of the first one */
	int failure;         /* of the first one, if it is a preparation; 0: none yet */
	ha_time begun;       /* likewise, its first command */
	uv_process_t process;
	uv_timer_t timer;
};

struct hooks {
	struct driver *driver;
	const struct conf *conf;
	struct metrics *metrics; /* the engine's */
	uv_loop_t *loop;
	uv_timer_t last_patience;
	bool finishing, over;
	struct group_hooks **groups; /* NULL for one without hooks */
};

static void run_next(struct group_hooks *g);

static enum conf_hook kind_of_state(enum node_state state)
{
	return state == STATE_ACTIVE ? CONF_HOOK_ACTIVE : CONF_HOOK_STANDBY;
}

/* The @n-th command for a change: those for the state first, then those for every change. NULL
 * after the last. */
static const char *find_command(
	const struct conf_group *g, const struct engine_hook *change, size_t n)
{
	enum conf_hook kind = kind_of_state(change->state);
	bool same = change->state == change->previous; /* only the epoch is new */
	size_t special = same || change->state == STATE_SHUTDOWN ? 0 : g->hook_count[kind];

	if (change->preparation != 0)
		return n < g->hook_count[CONF_HOOK_BEFORE] ? g->hook[CONF_HOOK_BEFORE][n] : NULL;
	if (n < special)
		return g->hook[kind][n];
	if (n - special < g->hook_count[CONF_HOOK_CHANGE])
		return g->hook[CONF_HOOK_CHANGE][n - special];
	return NULL;
}

/* The group that the running command is about, and the command. */
static const struct conf_group *group_of(const struct group_hooks *g)
{
	return &g->hooks->conf->groups[g->waiting[0].group];
}

static const char *running_command(const struct group_hooks *g)
{
	return find_command(group_of(g), &g->waiting[0], g->next_command - 1);
}

/* With all its children: it leads its process group. */
static void kill_running(struct group_hooks *g, const char *why)
{
	log_group(LOG_LEVEL_WARNING, "hook", group_of(g)->name, "the hook %s %s and was killed",
		running_command(g), why);
	metrics_count(g->hooks->metrics, METRIC_HOOKS_KILLED);
	kill(-g->process.pid, SIGKILL);
}

static void on_timeout(uv_timer_t *timer)
{
	struct group_hooks *g = timer->data;
	bool prepares = g->waiting[0].preparation != 0;

	if (prepares && g->failure == 0)
		g->failure = ENGINE_PREPARATION_TIMEOUT;
	kill_running(g, prepares ? "took longer than before-active-timeout"
				 : "took longer than hook-timeout");
}

static void on_process_closed(uv_handle_t *handle)
{
	struct group_hooks *g = handle->data;

	g->busy = false;
	run_next(g);
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal)
{
	struct group_hooks *g = process->data;
	const char *name = group_of(g)->name;

	uv_timer_stop(&g->timer);
	if (signal != 0)
		log_group(LOG_LEVEL_WARNING, "hook", name, "the hook %s was killed by signal %d",
			running_command(g), signal);
	else if (status != 0)
		log_group(LOG_LEVEL_WARNING, "hook", name, "the hook %s exited with status %lld",
			running_command(g), (long long)status);
	if (g->failure == 0 && (signal != 0 || status != 0))
		g->failure = signal != 0 ? CANNOT_RUN : (int)status;
	if (signal != 0 || status != 0)
		metrics_count(g->hooks->metrics, METRIC_HOOKS_FAILED);
	uv_close((uv_handle_t *)process, on_process_closed);
}

static int spawn(struct group_hooks *g, const char *command)
{
	static struct hook_environment environment;
	char words[COMMAND_SIZE], *arguments[ARGUMENTS_MAX + 1];
	uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE},
		{.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
		{.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO}};
	uv_process_options_t options = {.exit_cb = on_process_exit,
		.args = arguments,
		.env = environment.list,
		.flags = UV_PROCESS_DETACHED, /* leads a process group that can be killed whole */
		.stdio = stdio,
		.stdio_count = 3};

	hook_environment_fill(&environment, g->hooks->conf, &g->waiting[0]);
	text_copy(words, sizeof(words), command);
	(void)text_split(words, arguments, ARGUMENTS_MAX);
	options.file = arguments[0];
	return uv_spawn(g->hooks->loop, &g->process, &options);
}

static void answer(struct group_hooks *g, const struct engine_hook *asked, int failure)
{
	struct engine_event event = {.kind = ENGINE_PREPARED,
		.preparation = {
			.group = asked->group, .run = asked->preparation, .error = failure}};

	driver_event(g->hooks->driver, &event);
}

/* Drops the change at the front. It is answered when it is gone: the engine may say more at once.
 */
static void finish_change(struct group_hooks *g)
{
	struct engine_hook finished = g->waiting[0];
	int failure = g->failure;

	memmove(&g->waiting[0], &g->waiting[1], --g->count * sizeof(g->waiting[0]));
	g->next_command = 0;
	g->failure = 0;
	if (finished.preparation != 0)
		answer(g, &finished, failure);
}

/* A preparation is bounded as a whole, others each. */
static uint64_t timeout_ms(const struct group_hooks *g)
{
	const struct conf *conf = g->hooks->conf;
	const struct engine_hook *change = &g->waiting[0];
	int64_t left_ns = conf->node.hook_timeout_ns;

	if (change->preparation != 0)
		left_ns = conf->groups[change->group].before_active_timeout_ns -
			  time_between(g->begun, clock_now());
	return left_ns > 0 ? (uint64_t)(left_ns / NS_PER_MS) : 0;
}

static void start(struct group_hooks *g, const char *command)
{
	int r = spawn(g, command);

	g->busy = true;
	if (g->next_command == 1)
		g->begun = clock_now();
	metrics_count(g->hooks->metrics, r == 0 ? METRIC_HOOKS_STARTED : METRIC_HOOKS_FAILED);
	if (r == 0) {
		uv_timer_start(&g->timer, on_timeout, timeout_ms(g), 0);
		return;
	}
	log_group(LOG_LEVEL_ERROR, "hook", group_of(g)->name, "%s cannot be run: %s", command,
		uv_strerror(r));
	if (g->failure == 0)
		g->failure = CANNOT_RUN;
	uv_close((uv_handle_t *)&g->process, on_process_closed);
}

static void run_next(struct group_hooks *g)
{
	if (g->hooks->over)
		g->count = 0;
	while (!g->busy && g->count > 0) {
		const struct engine_hook *change = &g->waiting[0];
		bool refused = change->preparation != 0 && g->failure != 0;
		const char *command = find_command(group_of(g), change, g->next_command++);

		if (command && !refused)
			start(g, command);
		else
			finish_change(g);
	}
}

static bool has_hooks(const struct conf_group *g)
{
	for (size_t kind = 0; kind < CONF_HOOK_KINDS; kind++)
		if (g->hook_count[kind] > 0)
			return true;
	return false;
}

static struct group_hooks *open_group(struct hooks *h)
{
	struct group_hooks *g = calloc(1, sizeof(*g));

	if (!g || uv_timer_init(h->loop, &g->timer) != 0)
		fatal("out of memory for hooks");
	g->hooks = h;
	g->process.data = g;
	g->timer.data = g;
	return g;
}

struct hooks *hooks_open(struct driver *driver, uv_loop_t *loop)
{
	const struct conf *conf = driver->conf;
	struct hooks *h = calloc(1, sizeof(*h));

	if (!h)
		fatal("out of memory");
	h->driver = driver;
	h->conf = conf;
	h->metrics = engine_metrics(driver->engine);
	h->loop = loop;
	h->last_patience.data = h;
	if (uv_timer_init(loop, &h->last_patience) != 0)
		fatal("no timer for hooks");
	h->groups = calloc(conf->group_count, sizeof(struct group_hooks *));
	if (!h->groups)
		fatal("out of memory");
	for (size_t i = 0; i < conf->group_count; i++)
		if (has_hooks(&conf->groups[i]))
			h->groups[i] = open_group(h);
	return h;
}

/* Joins a change to the last one that waits, which then leads from the state before it to the
 * newest one. Two preparations never wait: the newer one is the one that is asked for. */
static bool join(struct group_hooks *g, const struct engine_hook *hook)
{
	struct engine_hook *last = g->count > 0 ? &g->waiting[g->count - 1] : NULL;
	enum node_state previous;

	if (g->count < 2 || (last->preparation != 0) != (hook->preparation != 0))
		return false;
	previous = last->previous;
	*last = *hook;
	last->previous = previous;
	return true;
}

void hooks_run(struct hooks *h, const struct engine_hook *hook)
{
	struct group_hooks *g = h->groups[hook->group];

	if (!g)
		return;
	if (join(g, hook)) {
		log_group(LOG_LEVEL_NOTICE, "hook", h->conf->groups[hook->group].name,
			"hooks do not keep up; two changes are told as one");
		metrics_count(h->metrics, METRIC_HOOKS_SKIPPED);
		return;
	}
	/* Changes between preparations that were given up: the oldest goes. */
	if (g->count == WAITING_MAX) {
		memmove(&g->waiting[1], &g->waiting[2], (WAITING_MAX - 2) * sizeof(g->waiting[0]));
		g->count--;
	}
	g->waiting[g->count++] = *hook;
	run_next(g);
}

bool hooks_are_idle(const struct hooks *h)
{
	for (size_t i = 0; i < h->conf->group_count; i++)
		if (h->groups[i] && h->groups[i]->count > 0)
			return false;
	return true;
}

static void on_last_patience(uv_timer_t *timer)
{
	struct hooks *h = timer->data;

	h->over = true;
	for (size_t i = 0; i < h->conf->group_count; i++) {
		struct group_hooks *g = h->groups[i];

		if (g && uv_is_active((uv_handle_t *)&g->process))
			kill_running(g, "still ran when this node stopped");
		else if (g && !g->busy)
			g->count = 0;
	}
}

void hooks_finish(struct hooks *h)
{
	if (!h->finishing)
		(void)uv_timer_start(&h->last_patience, on_last_patience, LAST_PATIENCE_MS, 0);
	h->finishing = true;
}
