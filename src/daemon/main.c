/* SPDX-License-Identifier: ISC */
/*
 * had, the engine's process. It has no privileges: the keeper started it with everything it needs
 * already open (wire/handoff.h). The engine lives in a driver (src/driver), which the others of
 * this folder are given; they are what a daemon adds to it. It decides nothing.
 *
 *   main.c       set-up, the loop, what the driver tells, and to whom that goes
 *   control.*    the control socket: status, watch, requests; with client.c and slices.c
 *   attach.c     programs that look after groups
 *   answer.c     what it answers, as JSON
 *   hooks.c      commands run on changes of state; with hook_environment.c
 *   stream.c     the one that stays and reads them
 *   health.c     what checks and programs make of a group together
 *   checks.c     what health checks say
 *   neighbours.c those of them that ask neighbours, by the keeper
 *   history.c    changes of state, kept in the state folder
 *   drained.c    whether this node is drained
 *   handoff.c    what the keeper handed over
 *   confine.c    the system calls that are left
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/attach.h"
#include "daemon/checks.h"
#include "daemon/confine.h"
#include "daemon/control.h"
#include "daemon/drained.h"
#include "daemon/handoff.h"
#include "daemon/health.h"
#include "daemon/history.h"
#include "daemon/hooks.h"
#include "daemon/neighbours.h"
#include "daemon/stream.h"
#include "driver/driver.h"
#include "sys/fatal.h"
#include "sys/log.h"
#include "sys/rest.h"
#include "sys/scheduling.h"
#include "wire/handoff.h"

#define LOG_FIELDS_SIZE 512

struct daemon {
	uv_loop_t *loop;
	struct handoff_values given;
	struct driver driver;
	struct control *control;
	struct health *health;
	struct attach *attach;
	struct history *history;
	int drained; /* drained.c */
	struct hooks *hooks;
	struct stream *stream;
	struct daemon_checks *checks;
	struct neighbours *neighbours;
	uv_poll_t driver_poll;
	uv_prepare_t exit_check;
	struct rest rest;
	bool stopped;
};

static enum log_level level_of(enum report_level level)
{
	switch (level) {
	case REPORT_ERROR: return LOG_LEVEL_ERROR;
	case REPORT_WARNING: return LOG_LEVEL_WARNING;
	case REPORT_NOTICE: return LOG_LEVEL_NOTICE;
	case REPORT_INFO: break;
	}
	return LOG_LEVEL_INFO;
}

static void log_report(const struct report *r)
{
	char fields[LOG_FIELDS_SIZE];

	if (log_is_full(level_of(r->level)))
		return;
	report_fields(r, fields, sizeof(fields));
	log_event(level_of(r->level), fields, "%s", r->text);
}

static void on_report(void *context, const struct report *r, int64_t wall_ms)
{
	struct daemon *d = context;

	log_report(r);
	history_add(d->history, d->given.conf->node.name, r, wall_ms);
	control_report(d->control, r, wall_ms);
}

static void on_hook(void *context, const struct engine_hook *hook)
{
	struct daemon *d = context;

	hooks_run(d->hooks, hook);
	stream_change(d->stream, hook);
}

static void on_answered(void *context, size_t check)
{
	struct daemon *d = context;

	neighbours_answered(d->neighbours, check);
}

static void on_answer(void *context, const struct engine_answer *answer)
{
	struct daemon *d = context;

	control_answer(d->control, answer);
}

static void on_remember(void *context, bool drained)
{
	struct daemon *d = context;

	(void)drained_write(d->drained, drained);
}

static void on_stopped(void *context)
{
	struct daemon *d = context;

	d->stopped = true;
}

static void on_told(void *context, enum report_level level, const char *text)
{
	(void)context;
	log_line(level_of(level), "%s", text);
}

/* The keeper then takes the addresses down. */
static void on_failed(void *context, const char *text)
{
	(void)context;
	fatal("%s", text);
}

static void on_driver(uv_poll_t *poll, int status, int events)
{
	struct daemon *d = poll->data;

	(void)status;
	(void)events;
	log_tend();
	driver_dispatch(&d->driver);
}

static void on_exit_check(uv_prepare_t *check)
{
	struct daemon *d = check->data;

	checks_follow(d->checks);
	if (!d->stopped)
		return;
	control_finish(d->control);
	if (hooks_are_idle(d->hooks))
		uv_stop(d->loop);
	else
		hooks_finish(d->hooks);
}

static void open_driver(struct daemon *d)
{
	const struct driver_given given = {.conf = d->given.conf,
		.key = &d->given.key,
		.lease = d->given.lease,
		.channel = HANDOFF_CHANNEL,
		.drained = drained_read(d->drained),
		.record = HANDOFF_RECORD,
		.adopt = handoff_wait()};
	const struct driver_owner owner = {.context = d,
		.report = on_report,
		.hook = on_hook,
		.answered = on_answered,
		.answer = on_answer,
		.remember = on_remember,
		.stopped = on_stopped,
		.told = on_told,
		.failed = on_failed};

	(void)driver_open(&d->driver, &given, &owner); /* or on_failed() has ended the process */
	d->driver_poll.data = d;
	if (uv_poll_init(d->loop, &d->driver_poll, driver_descriptor(&d->driver)) != 0 ||
		uv_poll_start(&d->driver_poll, UV_READABLE, on_driver) != 0)
		fatal("the engine's descriptors cannot be polled");
}

static void open_everything(struct daemon *d)
{
	d->loop = uv_default_loop();
	handoff_take(&d->given);
	open_driver(d);
	history_count_in(d->history, engine_metrics(d->driver.engine));
	d->health = health_open(&d->driver, d->loop);
	d->attach = attach_open(d->health, d->given.conf, d->loop);
	d->checks = checks_open(&d->driver, d->health, d->loop);
	d->neighbours = neighbours_open(&d->driver, d->checks, d->loop);
	d->control = control_open(&d->driver, d->attach, d->checks, HANDOFF_CONTROL, d->loop);
	d->hooks = hooks_open(&d->driver, d->loop);
	d->stream = stream_open(&d->driver, d->loop);
	rest_begin(&d->rest, d->loop);
	uv_prepare_init(d->loop, &d->exit_check);
	d->exit_check.data = d;
	uv_prepare_start(&d->exit_check, on_exit_check);
}

/* What is on disk when a heartbeat is due comes too late. Only what is there now: later allocations
 * shall not fail because of a limit. */
static void lock_memory(void)
{
	if (mlockall(MCL_CURRENT) != 0)
		log_notice(
			"the engine's memory is not locked: %s; raise the limit of locked memory "
			"(LimitMEMLOCK=) if this host swaps",
			strerror(errno));
}

int main(void)
{
	static struct daemon d; /* large, and one for the process's life */

	log_open("had");
	(void)signal(SIGPIPE, SIG_IGN); /* whoever reads from us may be gone */
	d.drained = drained_open(HANDOFF_STATE);
	d.history = history_open(HANDOFF_STATE);
	open_everything(&d);
	lock_memory();
	confine_engine(d.given.conf);
	driver_start(&d.driver);
	attach_start(d.attach);
	checks_start(d.checks);
	stream_start(d.stream);
	neighbours_start(d.neighbours);
	uv_run(d.loop, UV_RUN_DEFAULT);
	history_finish(d.history);
	scheduling_make_ordinary();
	return EXIT_SUCCESS;
}
