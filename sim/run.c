/* SPDX-License-Identifier: ISC */
#include "sim/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "sim/invariants.h"

/* A beginning or an end of a fault. */
struct moment {
	int64_t at_us;
	const char *command;
	const char *kind; /* NULL: an end */
};

struct moments {
	size_t count;
	struct moment list[2 * PLAN_FAULTS_MAX];
};

static int by_time(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return x->command < y->command ? -1 : x->command > y->command;
}

static void collect(const struct plan *p, struct moments *m)
{
	m->count = 0;
	for (size_t i = 0; i < p->fault_count; i++) {
		const struct plan_fault *f = &p->faults[i];

		m->list[m->count++] = (struct moment){f->at_us, f->begin, f->kind};
		if (f->end[0] != '\0')
			m->list[m->count++] = (struct moment){f->at_us + f->for_us, f->end, NULL};
	}
	qsort(m->list, m->count, sizeof(m->list[0]), by_time);
}

static ha_time instant(int64_t us)
{
	return time_add(WORLD_BEGINNING, us * NS_PER_US);
}

static void run_until(struct world *w, ha_time until)
{
	if (w->violations == 0 && until.ns > w->now.ns)
		schedule_run(w, time_between(w->now, until));
}

/* One that makes no sense now, as the crash of a node that is down, is left out. */
static void carry_out(struct world *w, const char *command, const char *kind)
{
	if (w->violations > 0)
		return;
	world_tell(w, "> %s", command);
	if (command_run_text(w, command) && kind)
		tally_fault(w->tally, kind);
}

static void run_faults(struct world *w, const struct plan *p)
{
	static struct moments m;

	for (size_t i = 0; i < p->setup.count; i++)
		carry_out(w, p->setup.list[i], NULL);
	collect(p, &m);
	for (size_t i = 0; i < m.count; i++) {
		run_until(w, instant(m.list[i].at_us));
		carry_out(w, m.list[i].command, m.list[i].kind);
	}
	run_until(w, instant(p->faults_us));
}

static void run_peace(struct world *w, const struct plan *p)
{
	char what[WORLD_VIOLATION_MAX];
	uint64_t transitions;
	ha_time healed = w->now;

	for (size_t i = 0; i < p->heal.count; i++)
		carry_out(w, p->heal.list[i], NULL);
	run_until(w, time_add(healed, p->settle_us * NS_PER_US));
	transitions = w->checks->transitions;
	if (w->violations == 0 && convergence_failure(w, what, sizeof(what)))
		violated(w, "%s, although all faults have been over for %lld ms", what,
			(long long)(p->settle_us / 1000));
	if (w->violations == 0 && w->checks->last_transition.ns > healed.ns)
		tally_seen(w->tally, BOUND_CONVERGENCE,
			time_between(healed, w->checks->last_transition), p->settle_us * NS_PER_US);
	/* What has moved since has been announced to all of them. */
	if (w->violations == 0 &&
		convergence_client_is_lost(w, time_add(healed, 1), what, sizeof(what)))
		violated(w, "%s, although the group has moved since all faults are over", what);
	run_until(w, time_add(w->now, p->client_us * NS_PER_US));
	if (w->violations == 0 && p->client_us > 0 &&
		convergence_client_is_lost(w, TIME_ORIGIN, what, sizeof(what)))
		violated(w, "%s, although nothing has moved for %lld ms", what,
			(long long)(p->client_us / 1000));
	if (w->violations == 0 && w->client_count > 0 && p->client_us > 0)
		tally_seen(w->tally, BOUND_CLIENT,
			w->last_missed.ns > healed.ns ? time_between(healed, w->last_missed) : 0,
			(p->settle_us + p->client_us) * NS_PER_US);
	run_until(w, time_add(w->now, p->quiet_us * NS_PER_US));
	if (w->violations == 0)
		answers_are_given(w);
	if (w->violations == 0 && w->checks->transitions != transitions)
		violated(w, "something moves although all faults have long been over");
}

static bool has_v6(const struct world *w)
{
	for (size_t a = 0; a < w->shared_count; a++)
		if (w->shared[a].ip.family == IP_V6)
			return true;
	return false;
}

struct run_result run_plan(const struct plan *p, struct tally *tally,
	void (*tell)(void *context, const char *line), void *context)
{
	struct world *w = world_new();
	struct run_result result = {0};

	assert(w);
	w->stops_at_violation = true;
	w->tally = tally;
	w->tell = tell;
	w->tell_context = context;
	if (tally)
		tally->seed = p->seed;
	run_faults(w, p);
	if (w->violations == 0)
		run_peace(w, p);
	result.failed = w->violations > 0;
	text_copy(result.what, sizeof(result.what), w->violation);
	result.at_ns = time_between(WORLD_BEGINNING, w->now);
	if (tally) {
		tally->seeds++;
		tally->with_v6 += has_v6(w);
		tally->steps += w->steps;
		tally->simulated_ns += result.at_ns;
	}
	world_free(w);
	return result;
}
