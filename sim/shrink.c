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

static bool drop_setup(struct plan *p, struct plan *smaller)
{
	bool any = false;

	for (size_t i = p->setup_count; i-- > 0;) {
		if (strncmp(p->setup[i], "node", 4) == 0 || strncmp(p->setup[i], "seed", 4) == 0)
			continue;
		*smaller = *p;
		memmove(&smaller->setup[i], &smaller->setup[i + 1],
			(p->setup_count - i - 1) * sizeof(p->setup[0]));
		smaller->setup_count--;
		any = keep_if_fails(p, smaller) || any;
	}
	return any;
}

static bool drop_heals(struct plan *p, struct plan *smaller)
{
	bool any = false;

	for (size_t i = p->heal_count; i-- > 0;) {
		if (strncmp(p->heal[i], "start", 5) != 0)
			continue;
		*smaller = *p;
		memmove(&smaller->heal[i], &smaller->heal[i + 1],
			(p->heal_count - i - 1) * sizeof(p->heal[0]));
		smaller->heal_count--;
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
		any = drop_setup(p, smaller) || any;
		any = drop_heals(p, smaller) || any;
		any = halve_spans(p, smaller) || any;
	}
	free(smaller);
	return true;
}
