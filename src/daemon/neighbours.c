/* SPDX-License-Identifier: ISC */
/*
 * The checks `arp` and `gateway`: each interval the keeper is told to ask; an answer within the
 * timeout is good. What follows from that is the same as for ha-checker's checks (core/check.h).
 */
#include "daemon/neighbours.h"

#include <stdlib.h>

#include "base/text.h"
#include "daemon/checks.h"
#include "sys/clock.h"
#include "sys/fatal.h"

struct neighbour {
	struct daemon_checks *checks;
	struct driver *driver;
	const struct conf_check *conf;
	size_t index;
	struct check check;
	bool awaited; /* it was asked and has not answered yet */
	ha_time asked;
	struct verdict word;
	uv_timer_t timer;
};

struct neighbours {
	size_t count;
	struct neighbour list[];
};

static void ask(struct neighbour *n);

static void on_due(uv_timer_t *timer)
{
	ask(timer->data);
}

static uint64_t ms_of(int64_t ns)
{
	return ns <= 0 ? 0 : (uint64_t)((ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void judge(struct neighbour *n, bool good)
{
	const struct check_rules rules = {
		.rise = n->conf->rise, .fall = n->conf->fall, .damping_ns = n->conf->damping_ns};
	struct text t = text_init(n->word.text, sizeof(n->word.text));
	ha_time now = clock_now(), hold;

	n->awaited = false;
	(void)check_answer(&n->check, &rules, now, good, false);
	hold = check_deadline(&n->check, &rules);
	if (n->check.verdict == CHECK_FAILING)
		text_add(&t, "no answer within %lld ms",
			(long long)(n->conf->timeout_ns / NS_PER_MS));
	n->word.verdict = n->check.verdict;
	n->word.answered = now;
	n->word.hold_until = time_is_never(hold) ? TIME_ORIGIN : hold;
	checks_hear(n->checks, &n->word);
	uv_timer_start(
		&n->timer, on_due, ms_of(n->conf->interval_ns - time_between(n->asked, now)), 0);
}

static void on_timeout(uv_timer_t *timer)
{
	judge(timer->data, false);
}

static void ask(struct neighbour *n)
{
	n->asked = clock_now();
	n->awaited = true;
	driver_ask(n->driver, n->index);
	uv_timer_start(&n->timer, on_timeout, ms_of(n->conf->timeout_ns), 0);
}

void neighbours_answered(struct neighbours *all, size_t index)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].index == index && all->list[i].awaited)
			judge(&all->list[i], true);
}

static bool is_ours(const struct conf_check *check)
{
	return check->kind == CONF_CHECK_ARP || check->kind == CONF_CHECK_GATEWAY;
}

struct neighbours *neighbours_open(
	struct driver *driver, struct daemon_checks *checks, uv_loop_t *loop)
{
	const struct conf *conf = driver->conf;
	struct neighbours *all = calloc(1, sizeof(*all) + conf->check_count * sizeof(all->list[0]));

	if (!all)
		fatal("out of memory");
	for (size_t i = 0; i < conf->check_count; i++) {
		struct neighbour *n = &all->list[all->count];

		if (!is_ours(&conf->checks[i]))
			continue;
		all->count++;
		n->checks = checks;
		n->driver = driver;
		n->conf = &conf->checks[i];
		n->index = i;
		n->word = (struct verdict){.kind = VERDICT_CHECK, .index = (uint16_t)i};
		n->timer.data = n;
		if (uv_timer_init(loop, &n->timer) != 0)
			fatal("no timer for checks");
	}
	return all;
}

void neighbours_start(struct neighbours *all)
{
	for (size_t i = 0; i < all->count; i++)
		ask(&all->list[i]);
}
