/* SPDX-License-Identifier: ISC */
/* What happens to processes, hosts, devices and the network. */
#include "sim/draw.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"

#define OTHER_ADDRESS  40 /* higher than its own, nobody has it */
#define REMOVALS_LIMIT 5  /* so many make a node step down */

struct plan_fault *fault_add(struct draw *d, const char *kind, int64_t at_us)
{
	struct plan_fault *f = &d->plan->faults[d->plan->fault_count];

	assert(d->plan->fault_count < PLAN_FAULTS_MAX);
	d->plan->fault_count++;
	*f = (struct plan_fault){.at_us = at_us};
	text_copy(f->kind, sizeof(f->kind), kind);
	return f;
}

int64_t draw_instant(struct draw *d)
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

struct plan_fault *fault_add_span(struct draw *d, const char *kind)
{
	struct plan_fault *f = fault_add(d, kind, draw_instant(d));

	f->for_us = draw_span(d, f->at_us);
	return f;
}

void fault_begins(struct plan_fault *f, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(f->begin, sizeof(f->begin), format, arguments);
	va_end(arguments);
}

void fault_ends(struct plan_fault *f, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(f->end, sizeof(f->end), format, arguments);
	va_end(arguments);
}

size_t pick_node(struct draw *d)
{
	return 1 + pick(d, d->nodes);
}

static void draw_end(struct draw *d)
{
	static const char *const ways[] = {"crash", "kill", "stop"};
	const char *way = ways[pick(d, 3)];
	struct plan_fault *f = fault_add_span(d, way);
	size_t n = pick_node(d);

	fault_begins(f, "%s n%zu", way, n);
	fault_ends(f, "start n%zu", n);
}

static void draw_freeze(struct draw *d)
{
	static const char *const whats[] = {"engine", "keeper", "host", "clock"};
	const char *what = whats[pick(d, 4)];
	char kind[24];
	struct text t = text_init(kind, sizeof(kind));

	text_add(&t, "freeze %s", what);
	struct plan_fault *f = fault_add_span(d, kind);

	fault_begins(f, "freeze n%zu %s %lldus", pick_node(d), what, (long long)f->for_us);
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
	struct plan_fault *f = fault_add_span(d, kind);

	pick_port(d, a, sizeof(a));
	pick_port(d, b, sizeof(b));
	if (chance(d, 40))
		snprintf(b, sizeof(b), "all");
	if (chance(d, 10) && arrow[0]) { /* it hears nobody */
		fault_begins(f, "cut %sall -> %s", what, a);
		fault_ends(f, "cut nothing all -> %s", a);
		return;
	}
	fault_begins(f, "cut %s%s%s %s", what, a, arrow, b);
	fault_ends(f, "cut nothing %s%s %s", a, arrow, b);
}

/* Some of all ports, at least one node. */
void pick_part(struct draw *d, char *names, size_t size)
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
	struct plan_fault *f = fault_add_span(d, "partition");
	char names[200];

	pick_part(d, names, sizeof(names));
	fault_begins(f, "cut %s", names);
	fault_ends(f, "cut nothing %s", names);
}

static void draw_noise(struct draw *d)
{
	struct plan_fault *f;

	switch (pick(d, 3)) {
	case 0:
		f = fault_add_span(d, "loss");
		fault_begins(f, "loss %lld", (long long)random_magnitude(&d->random, 1, 900));
		fault_ends(f, "loss 0");
		break;
	case 1:
		f = fault_add_span(d, "duplicates");
		fault_begins(
			f, "duplicates %lld", (long long)random_magnitude(&d->random, 1, 1000));
		fault_ends(f, "duplicates off");
		break;
	default:
		f = fault_add_span(d, "jitter and reordering");
		fault_begins(f, "jitter %lldus",
			(long long)random_magnitude(&d->random, 10, 2 * d->interval_us));
		fault_ends(f, "jitter %lldus", (long long)d->jitter_us);
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
		{"address of its own changed", NULL, NULL},
	};
	size_t way = pick(d, 5), n = pick_node(d);
	char address[DRAWN_ADDRESS_SIZE];
	struct plan_fault *f = fault_add_span(d, ways[way].kind);

	if (!ways[way].begin)
		fault_begins(f, "device n%zu eth0 address %s", n,
			draw_address(d, n - 1, OTHER_ADDRESS, address));
	else
		fault_begins(f, "device n%zu eth0 %s", n, ways[way].begin);
	if (ways[way].end)
		fault_ends(f, "device n%zu eth0 %s", n, ways[way].end);
	else
		fault_ends(f, "device n%zu eth0 address %s", n, draw_address(d, n - 1, 0, address));
}

void draw_holds_off(struct draw *d, int64_t seconds)
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
			f = fault_add(d, "address removed", at_us);
			fault_begins(f, "remove n%zu g%zu", n, g);
			d->removals++;
			at_us += random_between(&d->random, 2000, 500000);
			if (at_us >= d->plan->faults_us)
				break;
		}
		if (d->removals >= REMOVALS_LIMIT)
			draw_holds_off(d, 60);
		break;
	case 1:
		f = fault_add_span(d, "hold fails");
		fault_begins(f, "refuse n%zu g%zu on", n, g);
		fault_ends(f, "refuse n%zu g%zu off", n, g);
		draw_holds_off(d, 10);
		break;
	default:
		f = fault_add_span(d, "stranger");
		if (draw_only(d, "v6"))
			fault_begins(f, "stranger 2001:db8::%zx", 99 + g);
		else
			fault_begins(f, "stranger 192.168.1.%zu", 99 + g);
		fault_ends(f, "stranger none");
		draw_holds_off(d, 4);
		break;
	}
}

/* An upgrade or a reload: as a rule it comes in time. */
static void draw_replace(struct draw *d)
{
	struct plan_fault *f = fault_add(d, "engine replaced", draw_instant(d));
	int64_t patience_us = chance(d, 50) ? 5 * (int64_t)US_PER_S : US_PER_S;
	int64_t gap_us = random_magnitude(&d->random, 100, d->tolerance_us + patience_us / 2);
	size_t n = pick_node(d), g = pick(d, d->groups);

	if (d->patience_us < patience_us)
		d->patience_us = patience_us;
	if (gap_us >= d->plan->faults_us - f->at_us)
		gap_us = d->plan->faults_us - f->at_us;
	if (chance(d, 30) && !(d->boasts && n == d->nodes)) {
		text_copy(f->kind, sizeof(f->kind), "worth changed");
		fault_begins(f, "replace n%zu %lldus %lldus worth g%zu %u", n, (long long)gap_us,
			(long long)patience_us, g + 1, chance(d, 10) ? 0 : (unsigned)pick(d, 1000));
	} else {
		fault_begins(f, "replace n%zu %lldus %lldus", n, (long long)gap_us,
			(long long)patience_us);
	}
}

static void draw_mute(struct draw *d)
{
	struct plan_fault *f = fault_add_span(d, "sending fails");
	size_t n = pick_node(d);

	fault_begins(f, "mute n%zu on", n);
	fault_ends(f, "mute n%zu off", n);
}

/* Somebody records datagrams and sends them again, much later. */
static void draw_replay(struct draw *d)
{
	struct plan_fault *f = fault_add_span(d, "recording replayed");
	size_t word = d->plan->fault_count;

	fault_begins(f, "remember n%zu as r%zu", pick_node(d), word);
	fault_ends(f, "replay r%zu to n%zu", word, pick_node(d));
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
void draw_faults(struct draw *d)
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
