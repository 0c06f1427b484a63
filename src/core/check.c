/* SPDX-License-Identifier: ISC */
#include "core/check.h"

#include "base/assert.h"

/* The first time that a check has to be good for; then it doubles. */
#define HOLD_FIRST_NS NS_PER_S
#define DOUBLINGS_MAX 30

int64_t check_hold_ns(const struct check *c, const struct check_rules *rules)
{
	unsigned doublings;
	int64_t hold_ns;

	if (c->flaps == 0 || rules->damping_ns == 0)
		return 0;
	doublings = c->flaps - 1 < DOUBLINGS_MAX ? c->flaps - 1 : DOUBLINGS_MAX;
	hold_ns = HOLD_FIRST_NS << doublings;
	return hold_ns < rules->damping_ns ? hold_ns : rules->damping_ns;
}

/* The first fall after a quiet time is none of a series. */
static void fall(struct check *c, const struct check_rules *rules, ha_time now)
{
	bool soon = c->fell && time_between(c->fell_at, now) < 2 * rules->damping_ns;

	c->flaps = soon ? c->flaps + 1 : 0;
	c->fell = true;
	c->fell_at = now;
	c->verdict = CHECK_FAILING;
}

bool check_review(struct check *c, const struct check_rules *rules, ha_time now)
{
	enum check_verdict before = c->verdict;

	if (c->streak < c->needed)
		return false;
	switch (c->verdict) {
	case CHECK_UNKNOWN: break;
	case CHECK_PASSING:
		if (!c->good)
			fall(c, rules, now);
		break;
	case CHECK_FAILING:
		if (c->good && time_reached(now, time_add(c->good_since, check_hold_ns(c, rules))))
			c->verdict = CHECK_PASSING;
		break;
	}
	return c->verdict != before;
}

bool check_answer(
	struct check *c, const struct check_rules *rules, ha_time now, bool good, bool definite)
{
	bool turned = c->verdict == CHECK_UNKNOWN || good != c->good;

	assert(rules->rise > 0 && rules->fall > 0);
	if (turned)
		c->streak = 0;
	if (turned && good)
		c->good_since = now;
	c->good = good;
	c->needed = definite ? 1 : good ? rules->rise : rules->fall;
	if (c->streak < UINT16_MAX)
		c->streak++;
	if (c->verdict != CHECK_UNKNOWN)
		return check_review(c, rules, now);
	/* Whoever starts must not wait for a series. */
	if (good)
		c->verdict = CHECK_PASSING;
	else
		fall(c, rules, now);
	return true;
}

ha_time check_deadline(const struct check *c, const struct check_rules *rules)
{
	if (c->verdict != CHECK_FAILING || !c->good || c->streak < c->needed)
		return TIME_NEVER;
	return time_add(c->good_since, check_hold_ns(c, rules));
}
