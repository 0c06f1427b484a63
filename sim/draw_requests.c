/* SPDX-License-Identifier: ISC */
/* What people ask for, and what checks, programs and hooks make of the groups; second lines; and
 * who starts late. */
#include "sim/draw.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Checks fail, wholly or in part, and perhaps for good. */
static void draw_health(struct draw *d)
{
	static const char *const whats[] = {"sound", "impaired", "impaired", "unfit"};
	const char *what = whats[pick(d, 4)];
	size_t n = pick_node(d), g = 1 + pick(d, d->groups);
	unsigned worth = d->boasts && n == d->nodes ? 0 : d->node[n - 1].worths[g - 1];
	unsigned now = worth;
	char kind[24];
	struct text t = text_init(kind, sizeof(kind));
	struct plan_fault *f;

	if (worth > 0 && (chance(d, 40) || what[0] == 's'))
		now = (unsigned)(1 + pick(d, worth));
	text_add(&t, "health %s", what);
	f = fault_add_span(d, kind);
	fault_begins(f, "health n%zu g%zu %u %s", n, g, now, what);
	if (chance(d, 70))
		fault_ends(f, "health n%zu g%zu %u sound", n, g, worth);
}

void draw_checks(struct draw *d)
{
	struct random others = d->random;

	d->random = d->checks;
	if (chance(d, 40))
		for (int64_t i = random_magnitude(&d->random, 1, 20);
			i > 0 && d->plan->fault_count < PLAN_FAULTS_MAX - 8; i--)
			draw_health(d);
	d->random = others;
}

/* What an administrator asks for. */
static void draw_request(struct draw *d)
{
	struct plan_fault *f;
	size_t n = pick_node(d), g = 1 + pick(d, d->groups);

	if (chance(d, 40)) {
		f = fault_add_span(d, "drained");
		fault_begins(f, "drain n%zu%s", n, chance(d, 20) ? " force" : "");
		if (chance(d, 80))
			fault_ends(f, "resume n%zu", n);
		return;
	}
	/* Whoever holds it. */
	for (size_t i = 1; i <= d->nodes && d->plan->fault_count < PLAN_FAULTS_MAX - 2; i++) {
		f = fault_add(d, "yield", draw_instant(d));
		if (chance(d, 30))
			fault_begins(f, "yield n%zu g%zu n%zu", i, g, n);
		else
			fault_begins(f, "yield n%zu g%zu", i, g);
	}
}

void draw_requests(struct draw *d)
{
	struct random others = d->random;
	size_t count;

	d->random = d->policies;
	count = chance(d, 60) ? 0 : 1 + pick(d, 6);
	while (count-- > 0 && d->plan->fault_count < PLAN_FAULTS_MAX - 8)
		draw_request(d);
	d->policies = d->random;
	d->random = others;
}

/* A program's own policy (libha) that answers anything, once an interval at most and never the
 * same: the worth of a node, whether it may claim, and what it thinks of its health. */
static void draw_hostile_policy(struct draw *d)
{
	static const char *const whats[] = {"sound", "sound", "impaired", "unfit"};
	size_t n = pick_node(d), g = 1 + pick(d, d->groups);
	int64_t at_us = draw_instant(d);

	if (d->boasts && n == d->nodes)
		return;
	for (int64_t i = random_between(&d->random, 2, 20);
		i > 0 && at_us < d->plan->faults_us && d->plan->fault_count < PLAN_FAULTS_MAX - 8;
		i--) {
		struct plan_fault *f = fault_add(d, "hostile policy", at_us);

		fault_begins(f, "health n%zu g%zu %u %s", n, g,
			chance(d, 20) ? 0 : (unsigned)pick(d, 65536), whats[pick(d, 4)]);
		at_us += d->node[n - 1].interval_us * random_between(&d->random, 1, 3);
	}
}

void draw_programs(struct draw *d)
{
	struct random others = d->random;

	d->random = d->hostile;
	if (chance(d, 15))
		for (size_t i = 1 + pick(d, 3); i > 0; i--)
			draw_hostile_policy(d);
	d->random = others;
}

/* Somebody must not claim for a while, or for good. */
void draw_vetoes(struct draw *d)
{
	struct random others = d->random;

	if (!d->prepares)
		return;
	d->random = d->preparing;
	for (size_t i = pick(d, 4); i > 0 && d->plan->fault_count < PLAN_FAULTS_MAX - 8; i--) {
		struct plan_fault *f = fault_add_span(d, "before-active says no");
		size_t n = pick_node(d);
		long long us = draw_preparation(d);

		fault_begins(f, "prepare n%zu %lldus no", n, us);
		if (chance(d, 70))
			fault_ends(f, "prepare n%zu %lldus yes", n, us);
		draw_holds_off(d, 10);
	}
	d->random = others;
}

/* A keeper that dies alone; the service manager starts all of it again. */
void draw_orphans(struct draw *d)
{
	struct random others = d->random;

	d->random = d->keepers;
	if (chance(d, 25))
		for (size_t i = 1 + pick(d, 5); i > 0 && d->plan->fault_count < PLAN_FAULTS_MAX - 8;
			i--) {
			struct plan_fault *f = fault_add_span(d, "keeper killed");
			size_t n = pick_node(d);

			fault_begins(f, "orphan n%zu", n);
			fault_ends(f, "start n%zu", n);
		}
	d->random = others;
}

/* Keepers that do not renew the fence for so long that it closes. */
void draw_hangs(struct draw *d)
{
	struct random others = d->random;
	struct plan_fault *f;
	size_t n;

	d->random = d->fences;
	for (size_t i = d->filters && chance(d, 60) ? 1 + pick(d, 4) : 0;
		i > 0 && d->plan->fault_count < PLAN_FAULTS_MAX - 8; i--) {
		n = pick_node(d);
		f = fault_add(d, "keeper hangs", draw_instant(d));
		fault_begins(f, "freeze n%zu keeper %lldus", n,
			(long long)random_between(&d->random, d->node[n - 1].tolerance_us,
				4 * d->node[n - 1].tolerance_us));
	}
	d->random = others;
}

static void draw_line_trouble(struct draw *d)
{
	static const char *const ways[][2] = {
		{"carrier off", "carrier on"}, {"down", "up"}, {"absent", "present"}};
	size_t way = pick(d, 3), n = pick_node(d);
	struct plan_fault *f = fault_add_span(d, "second path lost");

	fault_begins(f, "device n%zu line %s", n, ways[way][0]);
	fault_ends(f, "device n%zu line %s", n, ways[way][1]);
}

void draw_lines(struct draw *d)
{
	struct random others = d->random;

	d->random = d->lines;
	if (d->lined)
		for (size_t i = pick(d, 6); i > 0 && d->plan->fault_count < PLAN_FAULTS_MAX - 8;
			i--)
			draw_line_trouble(d);
	d->random = others;
}

void draw_starts(struct draw *d)
{
	bool together = chance(d, 30);

	for (size_t i = 0; i < d->nodes; i++) {
		int64_t at_us = together ? 0 : random_between(&d->random, 0, 2 * d->tolerance_us);

		fault_begins(fault_add(d, "start", at_us), "start n%zu", i + 1);
	}
}
