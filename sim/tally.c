/* SPDX-License-Identifier: ISC */
#include "sim/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"

static const char *const BOUND_NAMES[BOUNDS] = {
	[BOUND_LEASE] = "served after the last heartbeat",
	[BOUND_OVERLAP] = "two served, nothing was cut",
	[BOUND_MET] = "two served and had met",
	[BOUND_CONVERGENCE] = "until nothing moved",
	[BOUND_CLIENT] = "until each client followed",
};

static void count_name(struct tally_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->list[i].name, name) == 0) {
			list->list[i].count++;
			return;
		}
	if (list->count == TALLY_NAMES_MAX)
		return;
	text_copy(list->list[list->count].name, TALLY_NAME_SIZE, name);
	list->list[list->count++].count = 1;
}

void tally_fault(struct tally *t, const char *name)
{
	if (t)
		count_name(&t->faults, name);
}

void tally_transition(struct tally *t, const char *name)
{
	if (t)
		count_name(&t->transitions, name);
}

void tally_refused(struct tally *t)
{
	if (t)
		t->refused++;
}

void tally_use(struct tally *t, bool reached)
{
	if (!t)
		return;
	t->uses++;
	t->uses_failed += !reached;
}

void tally_seen(struct tally *t, enum bound bound, int64_t seen_ns, int64_t bound_ns)
{
	struct tally_bound *b;

	if (!t)
		return;
	b = &t->bounds[bound];
	b->count++;
	if (seen_ns > b->longest_ns)
		b->longest_ns = seen_ns;
	if (b->its_bound_ns != 0 &&
		(double)seen_ns * (double)b->its_bound_ns <= (double)b->worst_ns * (double)bound_ns)
		return;
	b->worst_ns = seen_ns;
	b->its_bound_ns = bound_ns;
	b->seed = t->seed;
}

static int by_count(const void *a, const void *b)
{
	const struct tally_count *x = a, *y = b;

	return x->count < y->count ? 1 : x->count > y->count ? -1 : strcmp(x->name, y->name);
}

static void print_list(const char *title, const struct tally_list *list)
{
	struct tally_list sorted = *list;

	qsort(sorted.list, sorted.count, sizeof(sorted.list[0]), by_count);
	printf("%s\n", title);
	for (size_t i = 0; i < sorted.count; i++)
		printf("  %10llu  %s\n", (unsigned long long)sorted.list[i].count,
			sorted.list[i].name);
}

static double ms(int64_t ns)
{
	return (double)ns / (double)NS_PER_MS;
}

void tally_print(const struct tally *t)
{
	print_list("faults and requests", &t->faults);
	print_list("transitions and their causes", &t->transitions);
	printf("bounds                              cases     worst case of its bound      longest"
	       "  seed\n");
	for (enum bound b = 0; b < BOUNDS; b++)
		printf("  %-32s %8llu  %10.1f of %10.1f ms %9.1f ms  %llu\n", BOUND_NAMES[b],
			(unsigned long long)t->bounds[b].count, ms(t->bounds[b].worst_ns),
			ms(t->bounds[b].its_bound_ns), ms(t->bounds[b].longest_ns),
			(unsigned long long)t->bounds[b].seed);
	printf("clients: %llu uses, %llu of them did not reach a holder; shared addresses of IPv6 "
	       "in "
	       "%llu seeds\n",
		(unsigned long long)t->uses, (unsigned long long)t->uses_failed,
		(unsigned long long)t->with_v6);
	printf("keepers: %llu steps in which a lease had passed, the keeper was frozen or dead and "
	       "no fence there; %llu messages came too late for them\n",
		(unsigned long long)t->unfenced, (unsigned long long)t->refused);
}
