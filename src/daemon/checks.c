/* SPDX-License-Identifier: ISC */
#include "daemon/checks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "daemon/health.h"
#include "engine/checks.h"
#include "sys/clock.h"
#include "sys/fatal.h"
#include "sys/log.h"
#include "wire/handoff.h"

#define VERDICTS_AT_ONCE 64             /* then something else may be due */
#define LOST_AFTER_NS    (3 * NS_PER_S) /* it says something each second */

struct daemon_checks {
	struct driver *driver;
	struct health *health;
	const struct conf *conf;
	struct checks checks;
	bool *failed_before; /* of each check, as last told */
	uv_poll_t poll;
	uv_timer_t timer;
	ha_time heard;
};

static void tell_engine(struct daemon_checks *c, size_t group)
{
	struct engine_health health = checks_health(&c->checks, group);

	health_judged(c->health, HEALTH_OF_CHECKS, &health);
}

static void report_check(struct daemon_checks *c, size_t index)
{
	const struct conf_check *check = &c->conf->checks[index];
	const struct checks_entry *entry = &c->checks.list[index];
	bool fails = entry->verdict != CHECK_PASSING;
	struct report r = {.kind = REPORT_HEALTH,
		.level = fails ? REPORT_WARNING : REPORT_NOTICE,
		.at = clock_now()};
	struct text t = text_init(r.text, sizeof(r.text));
	char name[NAME_SIZE];

	if (fails == c->failed_before[index])
		return; /* another worth was read */
	c->failed_before[index] = fails;
	metrics_count(engine_metrics(c->driver->engine),
		fails ? METRIC_CHECKS_FAILED : METRIC_CHECKS_PASSED);
	conf_check_describe(check, name, sizeof(name));
	text_copy(r.group, sizeof(r.group), c->conf->groups[check->group].name);
	text_add(&t, "check %s %s", name, fails ? "fails" : "passes");
	if (fails && entry->text[0] != '\0')
		text_add(&t, ": %s", entry->text);
	driver_report(c->driver, &r);
}

static void changed(struct daemon_checks *c, size_t index)
{
	report_check(c, index);
	tell_engine(c, c->conf->checks[index].group);
}

void checks_hear(struct daemon_checks *c, const struct verdict *v)
{
	if (checks_take(&c->checks, v))
		changed(c, v->index);
	else if (v->verdict == CHECK_FAILING)
		tell_engine(c, c->conf->checks[v->index].group); /* its reason may be another one */
}

/* What is not ha-checker's to say it does not say. */
static void take(struct daemon_checks *c, const struct verdict *v)
{
	if (v->kind == VERDICT_CHECK && v->index < c->conf->check_count &&
		conf_check_is_carried_out_apart(c->conf->checks[v->index].kind))
		checks_hear(c, v);
}

static void on_timer(uv_timer_t *timer);

static void plan_timer(struct daemon_checks *c)
{
	ha_time deadline = time_min(checks_deadline(&c->checks), time_add(c->heard, LOST_AFTER_NS));
	int64_t left_ns = time_between(clock_now(), deadline);

	uv_timer_start(
		&c->timer, on_timer, left_ns <= 0 ? 0 : (uint64_t)(left_ns / NS_PER_MS) + 1, 0);
}

/* ha-checker is gone or hangs; the starter starts it again. */
static void on_timer(uv_timer_t *timer)
{
	struct daemon_checks *c = timer->data;
	ha_time now = clock_now();
	int index;

	if (time_between(c->heard, now) >= LOST_AFTER_NS) {
		log_warning("ha-checker is silent; its last words on health checks are believed "
			    "for one timeout of each");
		checks_lost(&c->checks, now, conf_check_is_carried_out_apart);
		c->heard = TIME_NEVER;
	}
	while ((index = checks_expire(&c->checks, now)) >= 0)
		changed(c, (size_t)index);
	if (!time_is_never(time_min(checks_deadline(&c->checks), c->heard)))
		plan_timer(c);
}

static void on_verdicts(uv_poll_t *poll, int status, int events)
{
	struct daemon_checks *c = poll->data;
	uint8_t bytes[VERDICT_MESSAGE_MAX + 1];
	ssize_t size = -1;

	(void)events;
	for (int i = 0; i < VERDICTS_AT_ONCE && status == 0; i++) {
		struct verdict v;

		size = recv(HANDOFF_CHECKER, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (size <= 0)
			break;
		if (time_is_never(c->heard))
			log_notice("ha-checker answers again");
		c->heard = clock_now();
		if (verdict_decode(bytes, (size_t)size, &v))
			take(c, &v);
	}
	/* Its end: the starter is gone, nobody starts it again. Its silence says the rest. */
	if (size == 0)
		uv_poll_stop(poll);
	if (!time_is_never(c->heard))
		plan_timer(c);
}

void checks_follow(struct daemon_checks *c)
{
	for (size_t i = 0; i < c->conf->check_count; i++) {
		const struct conf_check *check = &c->conf->checks[i];
		struct verdict v = {
			.kind = VERDICT_CHECK, .index = (uint16_t)i, .answered = clock_now()};
		bool held;

		if (check->kind != CONF_CHECK_GROUP)
			continue;
		held = engine_holds(c->driver->engine, check->follows);
		v.verdict = held ? CHECK_PASSING : CHECK_FAILING;
		if (!held)
			text_copy(v.text, sizeof(v.text), "it is not held here");
		if (c->checks.list[i].verdict != v.verdict)
			checks_hear(c, &v);
	}
}

struct daemon_checks *checks_open(struct driver *driver, struct health *health, uv_loop_t *loop)
{
	const struct conf *conf = driver->conf;
	struct daemon_checks *c = calloc(1, sizeof(*c));
	struct checks_entry *list = calloc(conf->check_count + 1u, sizeof(*list));

	if (!c || !list || !(c->failed_before = calloc(conf->check_count + 1u, sizeof(bool))))
		fatal("out of memory");
	c->driver = driver;
	c->health = health;
	c->conf = conf;
	c->checks = checks_init(conf, list);
	c->heard = clock_now();
	c->poll.data = c->timer.data = c;
	if (uv_timer_init(loop, &c->timer) != 0)
		fatal("no timer for checks");
	return c;
}

static bool any_apart(const struct conf *conf)
{
	for (size_t i = 0; i < conf->check_count; i++)
		if (conf_check_is_carried_out_apart(conf->checks[i].kind))
			return true;
	return false;
}

void checks_start(struct daemon_checks *c)
{
	for (size_t g = 0; g < c->conf->group_count; g++) {
		if (c->conf->groups[g].check_count == 0)
			continue;
		if (engine_holds(c->driver->engine, g))
			checks_presume(&c->checks, g, clock_now());
		tell_engine(c, g);
	}
	if (!any_apart(c->conf))
		return;
	if (uv_poll_init(c->timer.loop, &c->poll, HANDOFF_CHECKER) != 0 ||
		uv_poll_start(&c->poll, UV_READABLE | UV_DISCONNECT, on_verdicts) != 0)
		fatal("ha-checker cannot be listened to");
	plan_timer(c);
}

static void fill_check(
	const struct daemon_checks *c, size_t index, ha_time now, struct status_check *status)
{
	const struct conf_check *conf = &c->conf->checks[index];
	const struct checks_entry *entry = &c->checks.list[index];
	int64_t hold_ns = time_between(now, entry->hold_until);

	conf_check_describe(conf, status->name, sizeof(status->name));
	text_copy(status->kind, sizeof(status->kind), conf_check_kind_name(conf->kind));
	text_copy(status->state, sizeof(status->state), check_verdict_name(entry->verdict));
	status->lowers = conf->lower;
	status->answered_ms =
		entry->answered.ns == 0 ? -1 : time_between(entry->answered, now) / NS_PER_MS;
	status->hold_ms = hold_ns > 0 ? hold_ns / NS_PER_MS : 0;
	if (entry->verdict != CHECK_PASSING)
		text_copy(status->reason, sizeof(status->reason), entry->text);
}

bool checks_status(const struct daemon_checks *c, struct status *s)
{
	ha_time now = clock_now();

	if (c->conf->check_count == 0)
		return true;
	if (!status_init_checks(s, c->conf->check_count))
		return false;
	s->check_count = c->conf->check_count;
	for (size_t i = 0; i < s->check_count; i++)
		fill_check(c, i, now, &s->checks[i]);
	return true;
}
