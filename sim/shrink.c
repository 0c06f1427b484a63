/* SPDX-License-Identifier: ISC */
#include "sim/shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "sim/run.h"

#define SHORTEST_US 100

static bool fails(const struct plan *p)
{
	return run_plan(p, NULL, NULL, NULL).failed;
}

/* Replaces *@p by @smaller if that fails too. */
static bool keep_if_fails(struct plan *p, const struct plan *smaller)
{
	if (!fails(smaller))
		return false;
	*p = *smaller;
	return true;
}

static bool drop_faults(struct plan *p, struct plan *smaller)
{
	bool any = false;

	for (size_t i = p->fault_count; i-- > 0;) {
		*smaller = *p;
		memmove(&smaller->faults[i], &smaller->faults[i + 1],
			(p->fault_count - i - 1) * sizeof(p->faults[0]));
		smaller->fault_count--;
		any = keep_if_fails(p, smaller) || any;
	}
	return any;
}

/* Without its nodes and their seed a story is none. */
static bool is_of_the_cluster(const char *command)
{
	return strncmp(command, "node", 4) == 0 || strncmp(command, "seed", 4) == 0;
}

/* What heals is needed; but a node need not start again. */
static bool heals(const char *command)
{
	return strncmp(command, "start", 5) != 0;
}

/* Drops what it can of @of, a list of *@p; @as is the same list of *@smaller. */
static bool drop_commands(struct plan *p, struct plan *smaller, const struct plan_commands *of,
	struct plan_commands *as, bool (*is_needed)(const char *command))
{
	bool any = false;

	for (size_t i = of->count; i-- > 0;) {
		if (is_needed(of->list[i]))
			continue;
		*smaller = *p;
		as->count--;
		memmove(as->list[i], as->list[i + 1], (as->count - i) * sizeof(as->list[0]));
		any = keep_if_fails(p, smaller) || any;
	}
	return any;
}

/* A frozen one carries its span in its command. */
static bool halve_spans(struct plan *p, struct plan *smaller)
{
	bool any = false;

	for (size_t i = 0; i < p->fault_count; i++) {
		struct plan_fault *f;
		char *last;

		if (p->faults[i].for_us <= SHORTEST_US)
			continue;
		*smaller = *p;
		f = &smaller->faults[i];
		f->for_us /= 2;
		last = strrchr(f->begin, ' ');
		if (strncmp(f->begin, "freeze", 6) == 0)
			snprintf(last, PLAN_FAULT_SIZE - (size_t)(last - f->begin), " %lldus",
				(long long)f->for_us);
		any = keep_if_fails(p, smaller) || any;
	}
	return any;
}

bool shrink(struct plan *p)
{
	struct plan *smaller = malloc(sizeof(*smaller));
	bool any = true;

	assert(smaller);
	if (!fails(p)) {
		free(smaller);
		return false;
	}
	while (any) {
		any = drop_faults(p, smaller);
		any = drop_commands(p, smaller, &p->setup, &smaller->setup, is_of_the_cluster) ||
		      any;
		any = drop_commands(p, smaller, &p->heal, &smaller->heal, heals) || any;
		any = halve_spans(p, smaller) || any;
	}
	free(smaller);
	return true;
}
