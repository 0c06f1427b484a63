/* SPDX-License-Identifier: ISC */
#include "sim/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "sim/random.h"

#define GROUPS_DRAWN_MAX 8
#define US_PER_MS        1000
#define US_PER_S         1000000
#define HOLD_DOWN_MAX    8 /* so many hold-downs are waited for at most */
#define REMOVALS_LIMIT   5 /* so many make a node step down */
#define LONG_INTERVAL_US (200 * US_PER_MS)
#define BOAST_US         (3600 * (int64_t)US_PER_S)
#define TABLES_SEED      UINT64_C(0x7ab1e5)
#define BOUND_US         (10 * US_PER_S) /* max-tolerance, unless a tolerance is longer */

struct drawn_node {
	int64_t interval_us, tolerance_us;
	unsigned address; /* the last byte: ties are broken by it */
	unsigned worths[GROUPS_DRAWN_MAX];
};

struct drawn_group {
	unsigned policy; /* of all nodes, unless mixed */
	bool mixed;
	int64_t settle_us, hold_down_us;
};

/* A plan that is being drawn. */
struct draw {
	struct plan *plan;
	struct random random;
	/* Their own, so that they leave all other faults as they are. */
	struct random checks, lines, tables, hostile, preparing;
	bool lined;         /* the nodes have a second path for heartbeats */
	bool prepares;      /* some nodes have a before-active */
	int64_t prepare_us; /* the longest */
	size_t nodes, groups, clients;
	struct drawn_node node[NODES_MAX];
	struct drawn_group group[GROUPS_DRAWN_MAX];
	struct random policies; /* a stream of its own, so that they change nothing else */
	int64_t wait_us;        /* the longest that a node waits before it takes over */
	int64_t interval_us;    /* what most nodes have */
	int64_t tolerance_us;   /* the longest */
	int64_t shortest_us;    /* the shortest interval */
	int64_t delay_us, jitter_us;
	bool boasts; /* the last node announces a tolerance beyond what the others believe */
	size_t removals;
	int64_t hold_off_us; /* the longest that the faults can lead to */
	int64_t patience_us; /* the most that was asked for (6.10) */
};

static bool chance(struct draw *d, unsigned percent)
{
	return random_below(&d->random, 100) < percent;
}

static size_t pick(struct draw *d, size_t count)
{
	return (size_t)random_below(&d->random, count);
}

__attribute__((format(printf, 2, 3))) static void add_setup(struct plan *p, const char *format, ...)
{
	va_list arguments;

	assert(p->setup_count < PLAN_SETUP_MAX);
	va_start(arguments, format);
	vsnprintf(p->setup[p->setup_count++], PLAN_COMMAND_SIZE, format, arguments);
	va_end(arguments);
}

__attribute__((format(printf, 2, 3))) static void add_heal(struct plan *p, const char *format, ...)
{
	va_list arguments;

	assert(p->heal_count < PLAN_FAULTS_MAX);
	va_start(arguments, format);
	vsnprintf(p->heal[p->heal_count++], PLAN_FAULT_SIZE, format, arguments);
	va_end(arguments);
}

/* --- the cluster */

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

/* docs/protocol.md 4.1: no announced tolerance counts for more. */
static int64_t most_believed(const struct draw *d)
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

static void add_policy(struct draw *d, const struct drawn_group *g, struct text *t)
{
	bool sticky = g->mixed ? random_below(&d->policies, 2) : g->policy;

	if (sticky)
		text_add(t, " policy sticky");
	if (g->settle_us > 0)
		text_add(t, " settle %lldus", (long long)g->settle_us);
	text_add(t, " hold-down %lldus", (long long)g->hold_down_us);
}

/* From next to nothing to several tolerances, but in time. */
static int64_t draw_preparation(struct draw *d)
{
	int64_t most_us = 4 * d->tolerance_us < 8 * US_PER_S ? 4 * d->tolerance_us : 8 * US_PER_S;
	int64_t us = random_magnitude(&d->preparing, 100, most_us);

	if (us > d->prepare_us)
		d->prepare_us = us;
	return us;
}

static void add_node(struct draw *d, size_t i, bool unicast)
{
	const struct drawn_node *n = &d->node[i];
	int64_t most_us = most_believed(d);
	bool boasts = d->boasts && i == d->nodes - 1;
	int64_t tolerance_us = boasts ? BOAST_US : n->tolerance_us;
	bool prepares = d->prepares && random_chance(&d->preparing, 500);
	char text[PLAN_COMMAND_SIZE];
	struct text t = text_init(text, sizeof(text));

	text_add(&t, "node n%zu 192.168.1.%u interval %lldus tolerance %lldus max-tolerance %lldus",
		i + 1, n->address, (long long)n->interval_us, (long long)tolerance_us,
		(long long)(boasts ? BOAST_US : most_us));
	if (random_chance(&d->checks, 150))
		text_add(&t, " when-all-fail release");
	if (d->lined && random_chance(&d->lines, 900))
		text_add(&t, " interface line");
	for (size_t g = 0; g < d->groups; g++) {
		text_add(&t, " group g%zu %u", g + 1, boasts ? 0 : n->worths[g]);
		add_policy(d, &d->group[g], &t);
		if (prepares)
			text_add(&t, " before-active /bin/true");
	}
	for (size_t other = 0; unicast && other < d->nodes; other++)
		if (other != i)
			text_add(&t, " peer 192.168.1.%u", d->node[other].address);
	add_setup(d->plan, "%s", text);
	if (prepares)
		add_setup(
			d->plan, "prepare n%zu %lldus yes", i + 1, (long long)draw_preparation(d));
}

/* Slower than a heartbeat's share of the tolerance no LAN is meant to be. */
static void draw_network(struct draw *d)
{
	int64_t slowest_us = d->shortest_us / 8 > 5000 ? 5000 : d->shortest_us / 8;

	d->delay_us = random_magnitude(&d->random, 50, slowest_us);
	d->jitter_us = chance(d, 50) ? random_magnitude(&d->random, 1, slowest_us) : 0;
	add_setup(d->plan, "delay %lldus", (long long)d->delay_us);
	if (d->jitter_us > 0)
		add_setup(d->plan, "jitter %lldus", (long long)d->jitter_us);
}

static void draw_clocks(struct draw *d)
{
	bool drifting = chance(d, 50);

	for (size_t i = 0; drifting && i < d->nodes; i++) {
		long long ppm = random_magnitude(&d->random, 1, 5000);

		add_setup(d->plan, "drift n%zu %lld", i + 1, chance(d, 50) ? ppm : -ppm);
	}
	for (size_t i = 0; i < d->nodes; i++)
		if (chance(d, 10))
			add_setup(d->plan, "late n%zu %lldus", i + 1,
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
		add_setup(d->plan, "fence all");
	if (kind != 2)
		return;
	for (size_t i = 0; i < d->nodes; i++)
		if (chance(d, 50))
			text_add(&t, " n%zu", i + 1);
	if (t.length > 0)
		add_setup(d->plan, "fence%s", text);
}

static void draw_clients(struct draw *d)
{
	d->clients = pick(d, 4);
	for (size_t i = 0; i < d->clients; i++) {
		int64_t period_us = random_between(
			&d->random, d->interval_us / 4 + 1000, d->interval_us * 2 + 1000);

		add_setup(d->plan, "client c%zu 192.168.1.%zu %lldus", i + 1, 201 + i,
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
			add_setup(d->plan, "changes n%zu", i + 1);
}

static void draw_cluster(struct draw *d)
{
	bool unicast = chance(d, 10);

	d->nodes = draw_node_count(d);
	d->groups = draw_group_count(d);
	if (unicast && d->nodes > 12)
		d->nodes = 12;
	draw_times(d);
	draw_ranks(d);
	d->lined = random_chance(&d->lines, 200);
	draw_policies(d);
	add_setup(d->plan, "seed %llu", (unsigned long long)d->plan->seed);
	for (size_t i = 0; i < d->nodes; i++)
		add_node(d, i, unicast);
	draw_tables(d);
	draw_network(d);
	draw_clocks(d);
	draw_fences(d);
	draw_clients(d);
}

/* --- faults */

static struct plan_fault *add_fault(struct draw *d, const char *kind, int64_t at_us)
{
	struct plan_fault *f = &d->plan->faults[d->plan->fault_count];

	assert(d->plan->fault_count < PLAN_FAULTS_MAX);
	d->plan->fault_count++;
	*f = (struct plan_fault){.at_us = at_us};
	text_copy(f->kind, sizeof(f->kind), kind);
	return f;
}

static int64_t draw_instant(struct draw *d)
{
	return random_between(&d->random, d->tolerance_us, d->plan->faults_us - 1);
}

/* Shorter than an interval, or several tolerances; over when everything heals. */
static int64_t draw_span(struct draw *d, int64_t at_us)
{
	int64_t span_us = random_magnitude(&d->random, d->shortest_us / 4 + 1, 5 * d->tolerance_us);
	int64_t left_us = d->plan->faults_us - at_us;

	return span_us < left_us ? span_us : left_us;
}

static struct plan_fault *add_span(struct draw *d, const char *kind)
{
	struct plan_fault *f = add_fault(d, kind, draw_instant(d));

	f->for_us = draw_span(d, f->at_us);
	return f;
}

__attribute__((format(printf, 2, 3))) static void begins(
	struct plan_fault *f, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(f->begin, sizeof(f->begin), format, arguments);
	va_end(arguments);
}

__attribute__((format(printf, 2, 3))) static void ends(
	struct plan_fault *f, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(f->end, sizeof(f->end), format, arguments);
	va_end(arguments);
}

static size_t pick_node(struct draw *d)
{
	return 1 + pick(d, d->nodes);
}

static void draw_end(struct draw *d)
{
	static const char *const ways[] = {"crash", "kill", "stop"};
	const char *way = ways[pick(d, 3)];
	struct plan_fault *f = add_span(d, way);
	size_t n = pick_node(d);

	begins(f, "%s n%zu", way, n);
	ends(f, "start n%zu", n);
}

static void draw_freeze(struct draw *d)
{
	static const char *const whats[] = {"engine", "keeper", "host", "clock"};
	const char *what = whats[pick(d, 4)];
	char kind[24];
	struct text t = text_init(kind, sizeof(kind));

	text_add(&t, "freeze %s", what);
	struct plan_fault *f = add_span(d, kind);

	begins(f, "freeze n%zu %s %lldus", pick_node(d), what, (long long)f->for_us);
}

/* A name of a node, or now and then of a client. */
static void pick_port(struct draw *d, char *name, size_t size)
{
	if (d->clients > 0 && chance(d, 15))
		snprintf(name, size, "c%zu", 1 + pick(d, d->clients));
	else
		snprintf(name, size, "n%zu", pick_node(d));
}

static void draw_cut(struct draw *d)
{
	static const char *const whats[] = {"", "", "multicast ", "unicast ", "heartbeats "};
	const char *what = whats[pick(d, 5)], *arrow = chance(d, 50) ? " ->" : "";
	char a[16], b[16], kind[24];
	struct text t = text_init(kind, sizeof(kind));

	text_add(&t, "cut %s%s", what, arrow[0] ? "one way" : "both ways");
	struct plan_fault *f = add_span(d, kind);

	pick_port(d, a, sizeof(a));
	pick_port(d, b, sizeof(b));
	if (chance(d, 40))
		snprintf(b, sizeof(b), "all");
	if (chance(d, 10) && arrow[0]) { /* it hears nobody */
		begins(f, "cut %sall -> %s", what, a);
		ends(f, "cut nothing all -> %s", a);
		return;
	}
	begins(f, "cut %s%s%s %s", what, a, arrow, b);
	ends(f, "cut nothing %s%s %s", a, arrow, b);
}

/* Some of all ports, at least one node. */
static void pick_part(struct draw *d, char *names, size_t size)
{
	struct text t = text_init(names, size);
	size_t sure = pick(d, d->nodes);

	for (size_t i = 0; i < d->nodes; i++)
		if (i == sure || chance(d, 40))
			text_add(&t, "%sn%zu", t.length > 0 ? "," : "", i + 1);
	for (size_t i = 0; i < d->clients; i++)
		if (chance(d, 50))
			text_add(&t, ",c%zu", i + 1);
}

static void draw_partition(struct draw *d)
{
	struct plan_fault *f = add_span(d, "partition");
	char names[200];

	pick_part(d, names, sizeof(names));
	begins(f, "cut %s", names);
	ends(f, "cut nothing %s", names);
}

static void draw_noise(struct draw *d)
{
	struct plan_fault *f;

	switch (pick(d, 3)) {
	case 0:
		f = add_span(d, "loss");
		begins(f, "loss %lld", (long long)random_magnitude(&d->random, 1, 900));
		ends(f, "loss 0");
		break;
	case 1:
		f = add_span(d, "duplicates");
		begins(f, "duplicates %lld", (long long)random_magnitude(&d->random, 1, 1000));
		ends(f, "duplicates off");
		break;
	default:
		f = add_span(d, "jitter and reordering");
		begins(f, "jitter %lldus",
			(long long)random_magnitude(&d->random, 10, 2 * d->interval_us));
		ends(f, "jitter %lldus", (long long)d->jitter_us);
		break;
	}
}

static void draw_device(struct draw *d)
{
	static const struct {
		const char *kind, *begin, *end;
	} ways[] = {
		{"carrier lost", "carrier off", "carrier on"},
		{"interface down", "down", "up"},
		{"interface gone", "absent", "present"},
		{"address of its own gone", "address none", NULL},
		{"address of its own changed", "address 192.168.1.", NULL},
	};
	size_t way = pick(d, 5), n = pick_node(d);
	unsigned own = d->node[n - 1].address;
	struct plan_fault *f = add_span(d, ways[way].kind);

	if (way == 4)
		begins(f, "device n%zu eth0 %s%u", n, ways[way].begin, own + 40);
	else
		begins(f, "device n%zu eth0 %s", n, ways[way].begin);
	if (ways[way].end)
		ends(f, "device n%zu eth0 %s", n, ways[way].end);
	else
		ends(f, "device n%zu eth0 address 192.168.1.%u", n, own);
}

static void holds_off(struct draw *d, int64_t seconds)
{
	if (d->hold_off_us < seconds * US_PER_S)
		d->hold_off_us = seconds * US_PER_S;
}

static void draw_address_trouble(struct draw *d)
{
	size_t n = pick_node(d), g = 1 + pick(d, d->groups);
	struct plan_fault *f;
	int64_t at_us;

	switch (pick(d, 3)) {
	case 0:
		at_us = draw_instant(d);
		for (size_t i = d->interval_us < LONG_INTERVAL_US || chance(d, 50) ? 1 : 6;
			i > 0 && d->plan->fault_count < PLAN_FAULTS_MAX / 2; i--) {
			f = add_fault(d, "address removed", at_us);
			begins(f, "remove n%zu g%zu", n, g);
			d->removals++;
			at_us += random_between(&d->random, 2000, 500000);
			if (at_us >= d->plan->faults_us)
				break;
		}
		if (d->removals >= REMOVALS_LIMIT)
			holds_off(d, 60);
		break;
	case 1:
		f = add_span(d, "hold fails");
		begins(f, "refuse n%zu g%zu on", n, g);
		ends(f, "refuse n%zu g%zu off", n, g);
		holds_off(d, 10);
		break;
	default:
		f = add_span(d, "stranger");
		begins(f, "stranger 192.168.1.%zu", 99 + g);
		ends(f, "stranger none");
		holds_off(d, 4);
		break;
	}
}

/* An upgrade or a reload: as a rule it comes in time. */
static void draw_replace(struct draw *d)
{
	struct plan_fault *f = add_fault(d, "engine replaced", draw_instant(d));
	int64_t patience_us = chance(d, 50) ? 5 * (int64_t)US_PER_S : US_PER_S;
	int64_t gap_us = random_magnitude(&d->random, 100, d->tolerance_us + patience_us / 2);
	size_t n = pick_node(d), g = pick(d, d->groups);

	if (d->patience_us < patience_us)
		d->patience_us = patience_us;
	if (gap_us >= d->plan->faults_us - f->at_us)
		gap_us = d->plan->faults_us - f->at_us;
	if (chance(d, 30) && !(d->boasts && n == d->nodes)) {
		text_copy(f->kind, sizeof(f->kind), "worth changed");
		begins(f, "replace n%zu %lldus %lldus worth g%zu %u", n, (long long)gap_us,
			(long long)patience_us, g + 1, chance(d, 10) ? 0 : (unsigned)pick(d, 1000));
	} else {
		begins(f, "replace n%zu %lldus %lldus", n, (long long)gap_us,
			(long long)patience_us);
	}
}

static void draw_mute(struct draw *d)
{
	struct plan_fault *f = add_span(d, "sending fails");
	size_t n = pick_node(d);

	begins(f, "mute n%zu on", n);
	ends(f, "mute n%zu off", n);
}

/* Somebody records datagrams and sends them again, much later. */
static void draw_replay(struct draw *d)
{
	struct plan_fault *f = add_span(d, "recording replayed");
	size_t word = d->plan->fault_count;

	begins(f, "remember n%zu as r%zu", pick_node(d), word);
	ends(f, "replay r%zu to n%zu", word, pick_node(d));
}

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
	f = add_span(d, kind);
	begins(f, "health n%zu g%zu %u %s", n, g, now, what);
	if (chance(d, 70))
		ends(f, "health n%zu g%zu %u sound", n, g, worth);
}

static void (*const FAULTS[])(struct draw *d) = {
	draw_end,
	draw_freeze,
	draw_cut,
	draw_partition,
	draw_noise,
	draw_device,
	draw_address_trouble,
	draw_mute,
	draw_replay,
	draw_replace,
};
#define FAULT_KINDS (sizeof(FAULTS) / sizeof(FAULTS[0]))

/* A swarm: not every kind in every run, or each hides what the others would show. */
static void draw_faults(struct draw *d)
{
	size_t kinds[FAULT_KINDS], kind_count = 0;
	size_t count = chance(d, 10) ? 0 : (size_t)random_magnitude(&d->random, 1, 60);

	for (size_t k = 0; k < FAULT_KINDS; k++)
		if (chance(d, 40))
			kinds[kind_count++] = k;
	if (kind_count == 0)
		kinds[kind_count++] = pick(d, FAULT_KINDS);
	for (size_t i = 0; i < count && d->plan->fault_count < PLAN_FAULTS_MAX - 8; i++)
		FAULTS[kinds[pick(d, kind_count)]](d);
}

/* What an administrator asks for. */
static void draw_request(struct draw *d)
{
	struct plan_fault *f;
	size_t n = pick_node(d), g = 1 + pick(d, d->groups);

	if (chance(d, 40)) {
		f = add_span(d, "drained");
		begins(f, "drain n%zu%s", n, chance(d, 20) ? " force" : "");
		if (chance(d, 80))
			ends(f, "resume n%zu", n);
		return;
	}
	/* Whoever holds it. */
	for (size_t i = 1; i <= d->nodes && d->plan->fault_count < PLAN_FAULTS_MAX - 2; i++) {
		f = add_fault(d, "yield", draw_instant(d));
		if (chance(d, 30))
			begins(f, "yield n%zu g%zu n%zu", i, g, n);
		else
			begins(f, "yield n%zu g%zu", i, g);
	}
}

static void draw_requests(struct draw *d)
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

static void draw_checks(struct draw *d)
{
	struct random others = d->random;

	d->random = d->checks;
	if (chance(d, 40))
		for (int64_t i = random_magnitude(&d->random, 1, 20);
			i > 0 && d->plan->fault_count < PLAN_FAULTS_MAX - 8; i--)
			draw_health(d);
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
		struct plan_fault *f = add_fault(d, "hostile policy", at_us);

		begins(f, "health n%zu g%zu %u %s", n, g,
			chance(d, 20) ? 0 : (unsigned)pick(d, 65536), whats[pick(d, 4)]);
		at_us += d->node[n - 1].interval_us * random_between(&d->random, 1, 3);
	}
}

static void draw_programs(struct draw *d)
{
	struct random others = d->random;

	d->random = d->hostile;
	if (chance(d, 15))
		for (size_t i = 1 + pick(d, 3); i > 0; i--)
			draw_hostile_policy(d);
	d->random = others;
}

/* Somebody must not claim for a while. Not for good: a worthiest node that refuses what it asks for
 * keeps the second best waiting, because the holder's pause after it counts for all (6.3, 6.14). */
static void draw_vetoes(struct draw *d)
{
	struct random others = d->random;

	if (!d->prepares)
		return;
	d->random = d->preparing;
	for (size_t i = pick(d, 4); i > 0 && d->plan->fault_count < PLAN_FAULTS_MAX - 8; i--) {
		struct plan_fault *f = add_span(d, "before-active says no");
		size_t n = pick_node(d);
		long long us = draw_preparation(d);

		begins(f, "prepare n%zu %lldus no", n, us);
		ends(f, "prepare n%zu %lldus yes", n, us);
		holds_off(d, 10);
	}
	d->random = others;
}

static void draw_line_trouble(struct draw *d)
{
	static const char *const ways[][2] = {
		{"carrier off", "carrier on"}, {"down", "up"}, {"absent", "present"}};
	size_t way = pick(d, 3), n = pick_node(d);
	struct plan_fault *f = add_span(d, "second path lost");

	begins(f, "device n%zu line %s", n, ways[way][0]);
	ends(f, "device n%zu line %s", n, ways[way][1]);
}

static void draw_lines(struct draw *d)
{
	struct random others = d->random;

	d->random = d->lines;
	if (d->lined)
		for (size_t i = pick(d, 6); i > 0 && d->plan->fault_count < PLAN_FAULTS_MAX - 8;
			i--)
			draw_line_trouble(d);
	d->random = others;
}

static void draw_starts(struct draw *d)
{
	bool together = chance(d, 30);

	for (size_t i = 0; i < d->nodes; i++) {
		int64_t at_us = together ? 0 : random_between(&d->random, 0, 2 * d->tolerance_us);

		begins(add_fault(d, "start", at_us), "start n%zu", i + 1);
	}
}

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
	char names[200];
	bool apart = chance(d, 20);

	add_heal(d->plan, "heal");
	add_heal(d->plan, "loss 0");
	add_heal(d->plan, "duplicates off");
	add_heal(d->plan, "jitter %lldus", (long long)d->jitter_us);
	add_heal(d->plan, "stranger none");
	if (apart) {
		pick_part(d, names, sizeof(names));
		add_heal(d->plan, "cut %s", names);
	}
	for (size_t i = 0; i < d->nodes; i++) {
		add_heal(d->plan, "restore n%zu eth0 192.168.1.%u", i + 1, d->node[i].address);
		if (d->lined && apart)
			add_heal(d->plan, "device n%zu line carrier off", i + 1);
		if (!chance(d, 10))
			add_heal(d->plan, "start n%zu", i + 1);
		if (random_below(&d->policies, 100) >= 10)
			add_heal(d->plan, "resume n%zu", i + 1);
	}
}

/*
 * How long it may take until nothing moves any more, from docs/protocol.md: what holds a node off
 * (5.2, 5.3) and what it waits for (6.13); then silence (4.1), listening (6.1), a grant that lapses
 * and its pause of four tolerances (6.3), or a patience that was asked for (6.10); and the clients'
 * own caches.
 */
static void set_bounds(struct draw *d)
{
	int64_t believed_us = d->boasts ? 2 * most_believed(d) : 0;

	d->plan->settle_us = d->wait_us + d->hold_off_us + US_PER_S / 2 + 10 * d->tolerance_us +
			     believed_us + 2 * d->patience_us +
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
	d.tables = random_init(seed ^ TABLES_SEED);
	draw_cluster(&d);
	/* Large clusters cost the square of their size. */
	p->faults_us = d.tolerance_us * random_between(&d.random, 4, 8 + 120 / (int64_t)d.nodes);
	draw_starts(&d);
	draw_faults(&d);
	draw_checks(&d);
	draw_requests(&d);
	draw_vetoes(&d);
	draw_lines(&d);
	draw_programs(&d);
	qsort(p->faults, p->fault_count, sizeof(p->faults[0]), by_instant);
	draw_heal(&d);
	set_bounds(&d);
}

/* --- telling it */

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
	for (size_t i = 0; i < p->setup_count; i++)
		printf("> %s\n", p->setup[i]);
	for (size_t i = 0; i < count; i++) {
		print_run(told[i].at_us - now_us);
		printf("> %s\n", told[i].command);
		now_us = told[i].at_us;
	}
	print_run(p->faults_us - now_us);
	for (size_t i = 0; i < p->heal_count; i++)
		printf("> %s\n", p->heal[i]);
	print_run(p->settle_us + p->client_us);
	printf("> settled\n");
}
