/* SPDX-License-Identifier: ISC */
#include "sim/draw.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"

#define HOLD_DOWN_MAX 8 /* so many hold-downs are waited for at most */
#define BOAST_US      (3600 * (int64_t)US_PER_S)
#define BOUND_US      (10 * US_PER_S) /* max-tolerance, unless a tolerance is longer */

static size_t draw_node_count(struct draw *d)
{
	size_t kind = pick(d, 20);

	if (kind < 5)
		return 2;
	if (kind < 11)
		return 3;
	if (kind < 16)
		return 4 + pick(d, 2);
	if (kind < 19 || chance(d, 50))
		return 6 + pick(d, 5);
	return 11 + pick(d, NODES_MAX - 10);
}

static size_t draw_group_count(struct draw *d)
{
	if (chance(d, 60))
		return 1;
	return 2 + pick(d, chance(d, 85) ? 3 : GROUPS_DRAWN_MAX - 1);
}

static int64_t draw_interval(struct draw *d)
{
	int64_t us = random_magnitude(&d->random, 5 * US_PER_MS, 60 * (int64_t)US_PER_S);

	return us / US_PER_MS * US_PER_MS;
}

static int64_t vary(struct draw *d, int64_t us)
{
	int64_t varied = random_magnitude(&d->random, us / 4 + 1, us * 4);

	varied = varied < 5 * US_PER_MS ? 5 * US_PER_MS : varied;
	return varied > 60 * (int64_t)US_PER_S ? 60 * (int64_t)US_PER_S : varied;
}

static int64_t draw_tolerance(struct draw *d, int64_t interval_us)
{
	int64_t tolerance_us = interval_us * 7 / 2;

	if (chance(d, 30))
		tolerance_us = random_between(&d->random, interval_us * 5 / 2, interval_us * 8);
	return tolerance_us < 12 * US_PER_MS ? 12 * US_PER_MS : tolerance_us;
}

static void draw_times(struct draw *d)
{
	bool mixed = chance(d, 30);

	d->boasts = d->nodes > 2 && chance(d, 10);

	d->interval_us = draw_interval(d);
	d->shortest_us = INT64_MAX;
	for (size_t i = 0; i < d->nodes; i++) {
		struct drawn_node *n = &d->node[i];

		n->interval_us = mixed ? vary(d, d->interval_us) : d->interval_us;
		n->tolerance_us = draw_tolerance(d, n->interval_us);
		if (!mixed && i > 0)
			n->tolerance_us = d->node[0].tolerance_us;
		if (n->tolerance_us > d->tolerance_us)
			d->tolerance_us = n->tolerance_us;
		if (n->interval_us < d->shortest_us)
			d->shortest_us = n->interval_us;
	}
}

static void draw_ranks(struct draw *d)
{
	size_t kind = pick(d, 3);

	for (size_t i = 0; i < d->nodes; i++)
		d->node[i].address = 11 + (unsigned)i;
	for (size_t i = d->nodes - 1; i > 0; i--) {
		size_t other = pick(d, i + 1);
		unsigned address = d->node[i].address;

		d->node[i].address = d->node[other].address;
		d->node[other].address = address;
	}
	for (size_t i = 0; i < d->nodes; i++)
		for (size_t g = 0; g < d->groups; g++)
			d->node[i].worths[g] = chance(d, 5) ? 0
					       : kind == 0  ? 100
					       : kind == 1  ? (unsigned)(1 + pick(d, 3))
							    : (unsigned)(1 + pick(d, UINT16_MAX));
}

int64_t draw_most_believed(const struct draw *d)
{
	return d->tolerance_us > BOUND_US ? d->tolerance_us : BOUND_US;
}

static void draw_policies(struct draw *d)
{
	for (size_t g = 0; g < d->groups; g++) {
		struct drawn_group *group = &d->group[g];
		uint64_t kind = random_below(&d->policies, 100);

		group->policy = kind >= 50;
		group->mixed = kind >= 90;
		if (random_below(&d->policies, 100) < 20)
			group->settle_us =
				random_magnitude(&d->policies, US_PER_MS, 3 * d->tolerance_us);
		if (random_below(&d->policies, 100) < 20)
			group->hold_down_us = random_magnitude(
				&d->policies, d->tolerance_us / 4, d->tolerance_us);
		if (d->wait_us < group->settle_us)
			d->wait_us = group->settle_us;
		if (d->wait_us < HOLD_DOWN_MAX * group->hold_down_us)
			d->wait_us = HOLD_DOWN_MAX * group->hold_down_us;
	}
}

static bool draw_sticky(struct draw *d, const struct drawn_group *g)
{
	return g->mixed ? random_below(&d->policies, 2) : g->policy;
}

int64_t draw_preparation(struct draw *d)
{
	int64_t most_us = 4 * d->tolerance_us < 8 * US_PER_S ? 4 * d->tolerance_us : 8 * US_PER_S;
	int64_t us = random_magnitude(&d->preparing, 100, most_us);

	if (us > d->prepare_us)
		d->prepare_us = us;
	return us;
}

bool draw_only(const struct draw *d, const char *family)
{
	return strcmp(d->family, family) == 0;
}

static void draw_families(struct draw *d)
{
	uint64_t kind = random_below(&d->families, 100);

	d->family = kind < 65 ? "v4" : kind < 85 ? "both" : "v6";
}

/* Whether a node forwards is in its advertisements. */
static void draw_routers(struct draw *d)
{
	for (size_t i = 0; !draw_only(d, "v4") && i < d->nodes; i++)
		if (random_chance(&d->families, 400))
			plan_add(&d->plan->setup, "router n%zu", i + 1);
}

const char *draw_address(
	const struct draw *d, size_t i, unsigned more, char buffer[DRAWN_ADDRESS_SIZE])
{
	const struct drawn_node *n = &d->node[i];

	if (!d->multicast)
		snprintf(buffer, DRAWN_ADDRESS_SIZE, "192.168.1.%u", n->address + more);
	else
		snprintf(buffer, DRAWN_ADDRESS_SIZE, "%s::%x", n->links ? "fe80" : "2001:db8:1",
			n->address + more);
	return buffer;
}

/* Heartbeats over IPv6, from addresses of the link, of a network, or of both kinds. */
static void draw_speech(struct draw *d)
{
	unsigned links_permille;

	if (random_chance(&d->speech, 800))
		return;
	d->multicast = random_chance(&d->speech, 500) ? "ff02::4841" : "ff05::4841";
	links_permille = (unsigned)random_below(&d->speech, 3) * 500;
	for (size_t i = 0; i < d->nodes; i++)
		d->node[i].links = random_chance(&d->speech, links_permille);
}

void draw_words(const struct draw *d, size_t i, const struct drawn_node *n, struct text *t)
{
	bool boasts = d->boasts && i == d->nodes - 1;
	char address[DRAWN_ADDRESS_SIZE];

	text_add(t, "interval %lldus tolerance %lldus max-tolerance %lldus",
		(long long)n->interval_us, (long long)(boasts ? BOAST_US : n->tolerance_us),
		(long long)(boasts ? BOAST_US : draw_most_believed(d)));
	if (n->gives_up_when_all_fail)
		text_add(t, " when-all-fail release");
	if (strcmp(n->family, "v4") != 0)
		text_add(t, " families %s", n->family);
	if (n->lined)
		text_add(t, " interface line");
	for (size_t g = 0; g < n->groups; g++) {
		text_add(t, " group g%zu %u%s", g + 1, boasts ? 0 : n->worths[g],
			n->sticky[g] ? " policy sticky" : "");
		if (d->group[g].settle_us > 0)
			text_add(t, " settle %lldus", (long long)d->group[g].settle_us);
		text_add(t, " hold-down %lldus", (long long)d->group[g].hold_down_us);
		if (n->prepares)
			text_add(t, " before-active /bin/true");
	}
	for (size_t other = 0; d->unicast && other < d->nodes; other++)
		if (other != i)
			text_add(t, " peer %s", draw_address(d, other, 0, address));
	if (d->multicast)
		text_add(t, " multicast %s", d->multicast);
}

static void add_node(struct draw *d, size_t i)
{
	struct drawn_node *n = &d->node[i];
	char words[PLAN_COMMAND_SIZE], address[DRAWN_ADDRESS_SIZE];
	struct text t = text_init(words, sizeof(words));

	n->prepares = d->prepares && random_chance(&d->preparing, 500);
	n->gives_up_when_all_fail = random_chance(&d->checks, 150);
	n->lined = d->lined && random_chance(&d->lines, 900);
	n->family = d->family;
	n->groups = d->groups;
	for (size_t g = 0; g < d->groups; g++)
		n->sticky[g] = draw_sticky(d, &d->group[g]);
	draw_words(d, i, n, &t);
	plan_add(&d->plan->setup, "node n%zu %s %s", i + 1, draw_address(d, i, 0, address), words);
	if (n->prepares)
		plan_add(&d->plan->setup, "prepare n%zu %lldus yes", i + 1,
			(long long)draw_preparation(d));
}

/* Slower than a heartbeat's share of the tolerance no LAN is meant to be. */
static void draw_network(struct draw *d)
{
	int64_t slowest_us = d->shortest_us / 8 > 5000 ? 5000 : d->shortest_us / 8;

	d->delay_us = random_magnitude(&d->random, 50, slowest_us);
	d->jitter_us = chance(d, 50) ? random_magnitude(&d->random, 1, slowest_us) : 0;
	plan_add(&d->plan->setup, "delay %lldus", (long long)d->delay_us);
	if (d->jitter_us > 0)
		plan_add(&d->plan->setup, "jitter %lldus", (long long)d->jitter_us);
}

static void draw_clocks(struct draw *d)
{
	bool drifting = chance(d, 50);

	for (size_t i = 0; drifting && i < d->nodes; i++) {
		long long ppm = random_magnitude(&d->random, 1, 5000);

		plan_add(&d->plan->setup, "drift n%zu %lld", i + 1, chance(d, 50) ? ppm : -ppm);
	}
	for (size_t i = 0; i < d->nodes; i++)
		if (chance(d, 10))
			plan_add(&d->plan->setup, "late n%zu %lldus", i + 1,
				(long long)random_magnitude(
					&d->random, 10, d->node[i].interval_us / 4));
}

/* As a rule all kernels have one. */
static void draw_fences(struct draw *d)
{
	size_t kind = pick(d, 4);
	char text[PLAN_COMMAND_SIZE];
	struct text t = text_init(text, sizeof(text));

	if (kind < 2)
		plan_add(&d->plan->setup, "fence all");
	if (kind != 2)
		return;
	for (size_t i = 0; i < d->nodes; i++)
		if (chance(d, 50))
			text_add(&t, " n%zu", i + 1);
	if (t.length > 0)
		plan_add(&d->plan->setup, "fence%s", text);
}

/* Here and there the packet filter has to do. Not where tolerances are short beside its ticks. */
static void draw_filters(struct draw *d)
{
	char text[PLAN_COMMAND_SIZE];
	struct text t = text_init(text, sizeof(text));

	if (random_chance(&d->fences, 700))
		return;
	for (size_t i = 0; i < d->nodes; i++) {
		d->node[i].filters = random_chance(&d->fences, 500) &&
				     d->node[i].tolerance_us >= DRAW_FILTERED_MIN_US;
		if (d->node[i].filters)
			text_add(&t, " n%zu", i + 1);
	}
	d->filters = t.length > 0;
	if (d->filters)
		plan_add(&d->plan->setup, "fence nftables%s", text);
}

/* Where there is no other fence. */
static void draw_lifetimes(struct draw *d)
{
	if (random_chance(&d->keepers, 300))
		plan_add(&d->plan->setup, "lifetimes all");
}

static void draw_clients(struct draw *d)
{
	d->clients = pick(d, 4);
	for (size_t i = 0; i < d->clients; i++) {
		int64_t period_us = random_between(
			&d->random, d->interval_us / 4 + 1000, d->interval_us * 2 + 1000);

		plan_add(&d->plan->setup, "client c%zu 192.168.1.%zu %lldus", i + 1, 201 + i,
			(long long)(period_us < 20 * US_PER_MS ? 20 * US_PER_MS : period_us));
	}
}

/* Nodes with many groups, whose tables travel as changes: all of them, or some. */
static void draw_tables(struct draw *d)
{
	bool all = random_chance(&d->tables, 700);

	if (!random_chance(&d->tables, 300))
		return;
	for (size_t i = 0; i < d->nodes; i++)
		if (all || random_chance(&d->tables, 500))
			plan_add(&d->plan->setup, "changes n%zu", i + 1);
}

void draw_cluster(struct draw *d)
{
	d->unicast = chance(d, 10);
	d->nodes = draw_node_count(d);
	d->groups = draw_group_count(d);
	if (d->unicast && d->nodes > 12)
		d->nodes = 12;
	draw_times(d);
	draw_ranks(d);
	d->lined = random_chance(&d->lines, 200);
	draw_policies(d);
	draw_families(d);
	draw_speech(d);
	plan_add(&d->plan->setup, "seed %llu", (unsigned long long)d->plan->seed);
	for (size_t i = 0; i < d->nodes; i++)
		add_node(d, i);
	draw_tables(d);
	draw_network(d);
	draw_clocks(d);
	draw_fences(d);
	draw_filters(d);
	draw_lifetimes(d);
	d->restarts = random_chance(&d->crashes, 500);
	if (d->restarts)
		plan_add(&d->plan->setup, "restarts all");
	draw_routers(d);
	draw_clients(d);
}
