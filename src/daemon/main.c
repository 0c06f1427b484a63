/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/attach.h"
#include "daemon/daemon.h"
#include "driver/driver.h"
#include "engine/checks.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/rest.h"
#include "sys/scheduling.h"
#include "wire/handoff.h"

#define LOG_FIELDS_SIZE 512
#define ADOPTION_MS     3000

struct daemon {
	uv_loop_t *loop;
	struct handoff_values given;
	struct driver driver;
	struct control *control;
	struct attach *attach;
	struct history *history;
	int drained; /* drained.c */
	struct hooks *hooks;
	struct stream *stream;
	struct daemon_checks *checks;
	struct neighbours *neighbours;
	struct engine_health *health[HEALTH_JUDGES]; /* of each group */
	uv_poll_t driver_poll;
	uv_prepare_t exit_check;
	struct rest rest;
	bool stopped;
	bool adopting; /* R8: what speaks for its groups may still have to come */
	uv_timer_t adoption;
	struct status status; /* its room is taken when somebody asks for the first time */
};

void daemon_fail(const char *format, ...)
{
	char message[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	log_error("%s", message);
	scheduling_make_ordinary();
	exit(EXIT_FAILURE);
}

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

void daemon_report(struct daemon *d, const struct report *r)
{
	on_report(d, r, clock_wall_ms());
}

void daemon_told(struct daemon *d, enum report_level level, const char *format, ...)
{
	char message[256];
	va_list arguments;

	(void)d;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	log_line(level_of(level), "%s", message);
}

/* R8: an engine that goes on with what another one has left knows how its groups were. Checks and
 * applications that have not had the time to speak again must not speak against them. */
static bool is_too_early(const struct daemon *d, const struct engine_health *h)
{
	unsigned configured = d->given.conf->groups[h->group].worth;

	return d->adopting && (h->impaired || h->ineligible || h->worth < configured);
}

static void tell_health(struct daemon *d, uint16_t group)
{
	struct engine_health both = checks_merge(&d->health[HEALTH_OF_CHECKS][group],
		&d->health[HEALTH_OF_APPLICATION][group], d->given.conf->groups[group].worth);
	struct engine_event event = {.kind = ENGINE_HEALTH, .health = &both};

	both.group = group;
	if (!is_too_early(d, &both))
		driver_event(&d->driver, &event);
}

void daemon_health(struct daemon *d, enum health_judge judge, const struct engine_health *health)
{
	d->health[judge][health->group] = *health;
	tell_health(d, health->group);
}

static void on_adopted(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	d->adopting = false;
	for (uint16_t g = 0; g < d->given.conf->group_count; g++)
		tell_health(d, g);
}

const struct engine *daemon_engine(const struct daemon *d)
{
	return d->driver.engine;
}

struct metrics *daemon_metrics(struct daemon *d)
{
	return engine_metrics(d->driver.engine);
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

void daemon_ask(struct daemon *d, size_t check)
{
	driver_ask(&d->driver, check);
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
	daemon_fail("%s", text);
}

void daemon_event(struct daemon *d, const struct engine_event *event)
{
	driver_event(&d->driver, event);
}

bool daemon_status_begin(struct daemon *d, struct status *ret_status)
{
	const struct conf *conf = d->given.conf;
	struct status s = {0};

	if (!status_init(&s, conf->group_count, conf->address_count))
		return false;
	driver_status_begin(&d->driver, &s);
	snprintf(s.version, sizeof(s.version), "%s", HA_VERSION);
	snprintf(s.scheduling, sizeof(s.scheduling), "%s",
		scheduling_is_realtime() ? "real-time" : "ordinary");
	if (!checks_status(d->checks, &s)) {
		status_done(&s);
		return false;
	}
	*ret_status = s;
	return true;
}

void daemon_status_group(struct daemon *d, size_t group, struct status *s)
{
	driver_status_group(&d->driver, group, s);
	s->groups[group].check_first = d->given.conf->groups[group].check_first;
	s->groups[group].check_count = d->given.conf->groups[group].check_count;
}

struct attach *daemon_attach(struct daemon *d)
{
	return d->attach;
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
		daemon_fail("the engine's descriptors cannot be polled");
}

/* Until it says something, each finds nothing wrong. */
static void open_health(struct daemon *d)
{
	const struct conf *conf = d->given.conf;

	for (size_t j = 0; j < HEALTH_JUDGES; j++) {
		d->health[j] = calloc(conf->group_count, sizeof(*d->health[j]));
		if (!d->health[j])
			daemon_fail("out of memory");
		for (size_t g = 0; g < conf->group_count; g++)
			d->health[j][g].worth = conf->groups[g].worth;
	}
}

static void open_everything(struct daemon *d)
{
	d->loop = uv_default_loop();
	handoff_take(&d->given);
	open_driver(d);
	history_count_in(d->history, engine_metrics(d->driver.engine));
	d->control = control_open(d, HANDOFF_CONTROL, d->loop);
	d->attach = attach_open(d, d->given.conf, d->loop);
	open_health(d);
	d->checks = checks_open(d, d->given.conf, d->loop);
	d->neighbours = neighbours_open(d, d->checks, d->given.conf, d->loop);
	d->hooks = hooks_open(d, d->given.conf, engine_metrics(d->driver.engine), d->loop);
	d->stream = stream_open(d, d->given.conf, engine_metrics(d->driver.engine), d->loop);
	rest_begin(&d->rest, d->loop);
	uv_prepare_init(d->loop, &d->exit_check);
	d->exit_check.data = d;
	uv_prepare_start(&d->exit_check, on_exit_check);
	d->adopting = d->driver.adopted;
	uv_timer_init(d->loop, &d->adoption);
	d->adoption.data = d;
	if (d->adopting)
		uv_timer_start(&d->adoption, on_adopted, ADOPTION_MS, 0);
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
