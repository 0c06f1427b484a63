/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "checker/checker.h"
#include "sys/clock.h"
#include "sys/fatal.h"

#define ALIVE_MS 1000

static void attempt(struct probe *p);

static const struct probe_kind *kind_of(enum conf_check_kind kind)
{
	switch (kind) {
	case CONF_CHECK_TCP: return &PROBE_TCP;
	case CONF_CHECK_HTTP: return &PROBE_HTTP;
	case CONF_CHECK_EXEC: return &PROBE_EXEC;
	case CONF_CHECK_PROCESS: return &PROBE_PROCESS;
	case CONF_CHECK_FILE: return &PROBE_FILE;
	case CONF_CHECK_INTERFACE: return &PROBE_INTERFACE;
	case CONF_CHECK_ROUTE: return &PROBE_ROUTE;
	case CONF_CHECK_GATEWAY:
	case CONF_CHECK_ARP:
	case CONF_CHECK_GROUP:
	case CONF_CHECK_KINDS: break;
	}
	return NULL;
}

static struct check_rules rules_of(const struct probe *p)
{
	return (struct check_rules){
		.rise = p->conf->rise, .fall = p->conf->fall, .damping_ns = p->conf->damping_ns};
}

/* False if the engine does not read: told again later. Without an engine there is nothing to do. */
static bool send_verdict(const struct verdict *v)
{
	uint8_t bytes[VERDICT_MESSAGE_MAX];
	size_t size = verdict_encode(v, bytes);

	if (send(HANDOFF_CHECKER_SOCKET, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size)
		return true;
	if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
		exit(EXIT_SUCCESS);
	return false;
}

static void tell(struct probe *p)
{
	p->untold = !send_verdict(&p->word);
	p->told_value = p->word.value;
}

static void on_alive(uv_timer_t *timer)
{
	const struct verdict alive = {.kind = VERDICT_ALIVE};
	struct checker *c = timer->data;

	for (size_t i = 0; i < c->probe_count; i++)
		if (c->probes[i].untold)
			tell(&c->probes[i]);
	(void)send_verdict(&alive);
}

static uint64_t ms_until(ha_time deadline)
{
	int64_t left_ns = time_between(clock_now(), deadline);

	return left_ns <= 0 ? 0 : (uint64_t)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void on_review(uv_timer_t *timer);

/* Sets what the engine is to know. A change of the verdict is told at once. */
static void update_word(struct probe *p, bool changed)
{
	struct check_rules rules = rules_of(p);
	ha_time deadline = check_deadline(&p->check, &rules);

	p->word.verdict = p->check.verdict;
	p->word.hold_until = time_is_never(deadline) ? TIME_ORIGIN : deadline;
	if (!time_is_never(deadline))
		uv_timer_start(&p->review, on_review, ms_until(deadline), 0);
	p->untold = true;
	if (changed)
		tell(p);
}

static void on_review(uv_timer_t *timer)
{
	struct probe *p = timer->data;
	struct check_rules rules = rules_of(p);

	update_word(p, check_review(&p->check, &rules, clock_now()));
}

static void on_due(uv_timer_t *timer)
{
	attempt(timer->data);
}

/* Never two at once: one that takes longer than the interval puts the next one off. */
static void plan_next(struct probe *p)
{
	uv_timer_start(&p->timer, on_due, ms_until(time_add(p->begun, p->conf->interval_ns)), 0);
}

void probe_answer(struct probe *p, const char *why, bool definite)
{
	struct check_rules rules = rules_of(p);
	bool changed;

	p->word.answered = clock_now();
	changed = check_answer(&p->check, &rules, p->word.answered, !why, definite);
	/* The reason of a failure is kept while it is good but damped. */
	if (why)
		text_copy(p->word.text, sizeof(p->word.text), why);
	else if (p->check.verdict == CHECK_PASSING)
		p->word.text[0] = '\0';
	update_word(p, changed || p->word.value != p->told_value);
	if (!p->under_way)
		return;
	p->under_way = false;
	plan_next(p);
}

void probe_fail_uv(struct probe *p, int error)
{
	probe_answer(p, uv_strerror(error), false);
}

static void on_timeout(uv_timer_t *timer)
{
	struct probe *p = timer->data;
	char why[VERDICT_TEXT_SIZE];
	struct text t = text_init(why, sizeof(why));

	text_add(&t, "no answer within %lld ms", (long long)(p->conf->timeout_ns / NS_PER_MS));
	p->kind->abandon(p);
	probe_answer(p, why, false);
}

static void attempt(struct probe *p)
{
	p->begun = clock_now();
	p->under_way = true;
	if (p->kind->abandon)
		uv_timer_start(&p->timer, on_timeout,
			(uint64_t)((p->conf->timeout_ns + NS_PER_MS - 1) / NS_PER_MS), 0);
	p->kind->begin(p);
}

void probe_look_now(struct probe *p)
{
	if (!p->under_way)
		attempt(p);
}

static void open_probe(struct checker *c, struct probe *p, size_t index)
{
	p->checker = c;
	p->conf = &c->conf.checks[index];
	p->kind = kind_of(p->conf->kind);
	p->word = (struct verdict){.kind = VERDICT_CHECK, .index = (uint16_t)index};
	p->timer.data = p->review.data = p;
	if (uv_timer_init(c->loop, &p->timer) != 0 || uv_timer_init(c->loop, &p->review) != 0)
		fatal("no timer for checks");
	if (!p->kind->open || p->kind->open(p))
		attempt(p);
}

void probes_open(struct checker *c)
{
	c->probes = calloc(c->conf.check_count + 1u, sizeof(*c->probes));
	if (!c->probes || uv_timer_init(c->loop, &c->alive) != 0)
		fatal("out of memory");
	for (size_t i = 0; i < c->conf.check_count; i++)
		if (kind_of(c->conf.checks[i].kind))
			open_probe(c, &c->probes[c->probe_count++], i);
	c->alive.data = c;
	uv_timer_start(&c->alive, on_alive, 0, ALIVE_MS);
}
