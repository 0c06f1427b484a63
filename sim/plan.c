/* SPDX-License-Identifier: ISC */
#include "sim/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "custody/restarts.h"
#include "sim/draw.h"

#define TABLES_SEED   UINT64_C(0x7ab1e5)
#define KEEPERS_SEED  UINT64_C(0x4eee9e5)
#define FENCES_SEED   UINT64_C(0xfe4ce5)
#define SPEECH_SEED   UINT64_C(0x59eec4)
#define CRASHES_SEED  UINT64_C(0xc4a54e5)
#define RELOADS_SEED  UINT64_C(0x4e10ad)
#define FAMILIES_SEED UINT64_C(0xfa4111e5)

static int by_instant(const void *a, const void *b)
{
	const struct plan_fault *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return strcmp(x->begin, y->begin);
}

/* Everything heals, but now and then the network stays apart: in parts that are whole. */
static void draw_heal(struct draw *d)
{
	char names[200], address[DRAWN_ADDRESS_SIZE];
	bool apart = chance(d, 20);

	plan_add(&d->plan->heal, "heal");
	plan_add(&d->plan->heal, "loss 0");
	plan_add(&d->plan->heal, "duplicates off");
	plan_add(&d->plan->heal, "jitter %lldus", (long long)d->jitter_us);
	plan_add(&d->plan->heal, "stranger none");
	if (apart) {
		pick_part(d, names, sizeof(names));
		plan_add(&d->plan->heal, "cut %s", names);
	}
	for (size_t i = 0; i < d->nodes; i++) {
		plan_add(&d->plan->heal, "restore n%zu eth0 %s", i + 1,
			draw_address(d, i, 0, address));
		if (d->lined && apart)
			plan_add(&d->plan->heal, "device n%zu line carrier off", i + 1);
		if (!chance(d, 10))
			plan_add(&d->plan->heal, "start n%zu", i + 1);
		if (random_below(&d->policies, 100) >= 10)
			plan_add(&d->plan->heal, "resume n%zu", i + 1);
	}
}

/* A node whose engine was killed, or ends because its keeper hangs. */
static bool is_crash(const struct plan_fault *f, const char *node)
{
	char kill[24], freeze[24];

	snprintf(kill, sizeof(kill), "kill %s", node);
	snprintf(freeze, sizeof(freeze), "freeze %s keeper ", node);
	return strcmp(f->begin, kill) == 0 || strncmp(f->begin, freeze, strlen(freeze)) == 0;
}

/* What keepers wait at most until they start one more (custody/restarts.h). */
static int64_t longest_restart_us(const struct draw *d)
{
	int64_t longest_us = 0;

	for (size_t i = 0; d->restarts && i < d->nodes; i++) {
		struct restarts r = {0};
		char name[8];
		int64_t ns;

		snprintf(name, sizeof(name), "n%zu", i + 1);
		for (size_t f = 0; f < d->plan->fault_count; f++) {
			if (!is_crash(&d->plan->faults[f], name))
				continue;
			ns = restarts_crash(&r, (ha_time){d->plan->faults[f].at_us * NS_PER_US});
			if (ns / NS_PER_US > longest_us)
				longest_us = ns / NS_PER_US;
		}
	}
	return longest_us;
}

/*
 * How long it may take until nothing moves any more, from docs/protocol.md: what holds a node off
 * (5.2, 5.3) and what it waits for (6.13); then silence (4.1), listening (6.1), a grant that lapses
 * and its pause of four tolerances (6.3), or a patience that was asked for (6.10); and the clients'
 * own caches.
 */
static void set_bounds(struct draw *d)
{
	int64_t believed_us = d->boasts ? 2 * draw_most_believed(d) : 0;

	d->plan->settle_us = longest_restart_us(d) + d->wait_us + d->hold_off_us + US_PER_S / 2 +
			     10 * d->tolerance_us + believed_us + 2 * d->patience_us +
			     (d->prepares ? 3 * d->prepare_us + 10 * d->tolerance_us : 0);
	/* Their caches know seconds only: many intervals, where those are short. */
	if (d->clients > 0 && (d->interval_us >= LONG_INTERVAL_US || chance(d, 10)))
		d->plan->client_us = 10 * (int64_t)US_PER_S + 6 * d->interval_us;
	d->plan->quiet_us = 4 * d->tolerance_us;
}

void plan_draw(struct plan *p, uint64_t seed)
{
	static struct draw d;

	memset(p, 0, sizeof(*p));
	memset(&d, 0, sizeof(d));
	p->seed = seed;
	d.plan = p;
	d.random = random_init(seed);
	d.checks = random_init(~seed);
	d.preparing = random_init(seed ^ 0x5851f42d4c957f2d);
	d.prepares = random_chance(&d.preparing, 200);
	d.lines = random_init(~seed ^ 1);
	d.hostile = random_init(~seed ^ 2);
	d.policies = random_init(seed ^ UINT64_C(0x5555555555555555));
	d.keepers = random_init(seed ^ KEEPERS_SEED);
	d.families = random_init(seed ^ FAMILIES_SEED);
	d.tables = random_init(seed ^ TABLES_SEED);
	d.fences = random_init(seed ^ FENCES_SEED);
	d.speech = random_init(seed ^ SPEECH_SEED);
	d.crashes = random_init(seed ^ CRASHES_SEED);
	d.reloads = random_init(seed ^ RELOADS_SEED);
	draw_cluster(&d);
	/* Large clusters cost the square of their size. */
	p->faults_us = d.tolerance_us * random_between(&d.random, 4, 8 + 120 / (int64_t)d.nodes);
	draw_starts(&d);
	draw_faults(&d);
	draw_checks(&d);
	draw_requests(&d);
	draw_vetoes(&d);
	draw_orphans(&d);
	draw_hangs(&d);
	draw_reloads(&d);
	draw_lines(&d);
	draw_programs(&d);
	qsort(p->faults, p->fault_count, sizeof(p->faults[0]), by_instant);
	draw_heal(&d);
	set_bounds(&d);
}

struct told {
	int64_t at_us;
	size_t order;
	const char *command;
};

static int by_time(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void print_run(int64_t us)
{
	if (us > 0)
		printf("> run %lldus\n", (long long)us);
}

void plan_print_story(const struct plan *p)
{
	struct told told[2 * PLAN_FAULTS_MAX];
	size_t count = 0;
	int64_t now_us = 0;

	for (size_t i = 0; i < p->fault_count; i++) {
		const struct plan_fault *f = &p->faults[i];

		told[count] = (struct told){f->at_us, count, f->begin};
		count++;
		if (f->end[0] == '\0')
			continue;
		told[count] = (struct told){f->at_us + f->for_us, count, f->end};
		count++;
	}
	qsort(told, count, sizeof(told[0]), by_time);
	printf("# Seed %llu.\n", (unsigned long long)p->seed);
	for (size_t i = 0; i < p->setup.count; i++)
		printf("> %s\n", p->setup.list[i]);
	for (size_t i = 0; i < count; i++) {
		print_run(told[i].at_us - now_us);
		printf("> %s\n", told[i].command);
		now_us = told[i].at_us;
	}
	print_run(p->faults_us - now_us);
	for (size_t i = 0; i < p->heal.count; i++)
		printf("> %s\n", p->heal.list[i]);
	print_run(p->settle_us + p->client_us);
	printf("> settled\n");
}
