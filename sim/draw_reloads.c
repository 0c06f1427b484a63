/* SPDX-License-Identifier: ISC */
/* What nodes are configured with later on: as they were, but for something. */
#include "sim/draw.h"

#include <string.h>

#define RELOADS_MAX 6

/* Not longer than the longest, for which everything has time, nor shorter than what is drawn for.
 */
static void change_times(struct draw *d, struct drawn_node *n)
{
	int64_t least_us =
		n->interval_us / 2 > d->shortest_us ? n->interval_us / 2 : d->shortest_us;
	int64_t interval_us = random_between(&d->random, least_us, 2 * n->interval_us);
	int64_t tolerance_us = interval_us * random_between(&d->random, 25, 60) / 10;

	if (tolerance_us > d->tolerance_us || tolerance_us < DRAW_SHORTEST_US ||
		(n->filters && tolerance_us < DRAW_FILTERED_MIN_US))
		return;
	n->interval_us = interval_us;
	n->tolerance_us = tolerance_us;
}

static void change_addresses(struct draw *d, struct drawn_node *n)
{
	static const char *const families[] = {"v4", "v6", "both"};

	n->family = families[pick(d, 3)];
}

static void change_groups(struct draw *d, struct drawn_node *n)
{
	n->groups = 1 + pick(d, d->groups);
}

static void change_policies(struct draw *d, struct drawn_node *n)
{
	for (size_t g = 0; g < d->groups; g++)
		n->sticky[g] = chance(d, 50);
}

static void change_worths(struct draw *d, struct drawn_node *n)
{
	for (size_t g = 0; g < d->groups; g++)
		n->worths[g] = chance(d, 10) ? 0 : (unsigned)(1 + pick(d, UINT16_MAX));
}

static void (*const CHANGES[])(struct draw *d, struct drawn_node *n) = {
	change_times,
	change_addresses,
	change_groups,
	change_policies,
	change_worths,
};
#define CHANGE_KINDS (sizeof(CHANGES) / sizeof(CHANGES[0]))

static void draw_configuration(struct draw *d, size_t number, size_t i)
{
	struct drawn_node n = d->node[i];
	char words[PLAN_COMMAND_SIZE];
	struct text t = text_init(words, sizeof(words));
	size_t sure = pick(d, CHANGE_KINDS);

	for (size_t k = 0; k < CHANGE_KINDS; k++)
		if (k == sure || chance(d, 30))
			CHANGES[k](d, &n);
	draw_words(d, i, &n, &t);
	plan_add(&d->plan->setup, "configuration k%zu %s", number, words);
}

static void draw_reload(struct draw *d, size_t number)
{
	struct plan_fault *f = fault_add(d, "configuration reloaded", draw_instant(d));
	int64_t patience_us = chance(d, 15) ? 5 * (int64_t)US_PER_S : US_PER_S;
	int64_t gap_us = random_magnitude(&d->random, 100, d->tolerance_us / 2 + patience_us / 4);
	size_t n = pick_node(d);

	draw_configuration(d, number, n - 1);
	if (d->patience_us < patience_us)
		d->patience_us = patience_us;
	if (gap_us >= d->plan->faults_us - f->at_us)
		gap_us = d->plan->faults_us - f->at_us;
	fault_begins(f, "reload n%zu %lldus %lldus k%zu", n, (long long)gap_us,
		(long long)patience_us, number);
}

void draw_reloads(struct draw *d)
{
	struct random others = d->random;

	d->random = d->reloads;
	if (chance(d, 25))
		for (size_t i = 1 + pick(d, RELOADS_MAX);
			i > 0 && d->plan->fault_count < PLAN_FAULTS_MAX - 8; i--)
			draw_reload(d, i);
	d->random = others;
}
