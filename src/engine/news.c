/* SPDX-License-Identifier: ISC */
#include "engine/news.h"

#include "base/text.h"
#include "engine/devices.h"
#include "engine/effects.h"
#include "engine/explain.h"
#include "engine/groups.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/measure.h"
#include "engine/node.h"
#include "engine/peers.h"
#include "engine/prepare.h"

static void run_hooks(struct engine *e, size_t group, enum node_state previous, const char *reason,
	struct effects *out)
{
	const struct group *g = &e->groups[group];
	uint64_t holder = group_holder(e, group);
	struct engine_hook *hook;
	bool any = e->conf->node.on_change_stream[0] != '\0';

	for (size_t kind = 0; kind < CONF_HOOK_KINDS; kind++)
		any = any || e->conf->groups[group].hook_count[kind] > 0;
	if (!any)
		return;
	hook = &effect_add(out, EFFECT_HOOK)->hook;
	hook->preparation = 0;
	hook->group = (uint16_t)group;
	hook->state = g->told_state;
	hook->previous = previous;
	hook->epoch = g->told_state == STATE_ACTIVE ? g->election.epoch : g->election.epoch_seen;
	text_copy(hook->holder, sizeof(hook->holder),
		g->told_state == STATE_ACTIVE ? e->conf->node.name
		: holder != 0                 ? peers_name(e, holder)
					      : "");
	text_copy(hook->reason, sizeof(hook->reason), reason);
}

static void report_state(struct engine *e, size_t group, struct effects *out)
{
	struct group *g = &e->groups[group];
	enum node_state state = group_state(g), previous = g->told_state;
	int64_t lasted_ns;
	char why[STATUS_REASON_SIZE];

	if (state == previous)
		return;
	lasted_ns = time_between(g->state_since, e->now);
	g->told_state = state;
	g->told_epoch = g->election.epoch;
	g->state_since = e->now;
	g->transitions++;
	e->metrics.transitions[g->election.cause]++;
	explain_cause(e, group, why, sizeof(why));
	if (effects_have_room(out)) {
		effect_group_report(e, out, REPORT_STATE,
			g->election.cause == ELECTION_LEASE_PASSED ? REPORT_WARNING : REPORT_NOTICE,
			group, "%s: %s", node_state_name(state), why);
		struct report *r = &out->list[out->count - 1].report;
		r->from = (uint8_t)previous;
		r->to = (uint8_t)state;
		r->lasted_us = lasted_ns / NS_PER_US;
		measure_report(g, e->now, r);
	} else {
		metrics_count(&e->metrics, METRIC_REPORTS_LOST);
	}
	run_hooks(e, group, previous, why, out);
}

/* R4: the winner of a collision goes on with a new token, which whoever uses tokens must learn. */
static void report_epoch(struct engine *e, size_t group, struct effects *out)
{
	static const char *const why = "another node had claimed it as well";
	struct group *g = &e->groups[group];

	if (g->told_state != STATE_ACTIVE || g->told_epoch == g->election.epoch)
		return;
	g->told_epoch = g->election.epoch;
	effect_group_report(
		e, out, REPORT_STATE, REPORT_NOTICE, group, "ACTIVE with a new epoch: %s", why);
	run_hooks(e, group, STATE_ACTIVE, why, out);
}

static void report_holder(struct engine *e, size_t group, struct effects *out)
{
	struct group *g = &e->groups[group];
	uint64_t holder = group_holder(e, group);

	if (holder != 0)
		g->held_last = e->now;
	else if (g->was_held)
		g->held_last = e->before; /* as far as we know, until then */
	g->was_held = holder != 0;
	if (holder == g->told_holder)
		return;
	/* The moment between two holders is no news; that nobody takes over is. */
	if (holder == 0 && time_between(g->held_last, e->now) < e->conf->node.tolerance_ns)
		return;
	g->told_holder = holder;
	if (holder == 0)
		effect_group_report(
			e, out, REPORT_HOLDER, REPORT_WARNING, group, "nobody holds it");
	else if (holder != e->identity.id && effects_have_room(out)) {
		effect_group_report(e, out, REPORT_HOLDER, REPORT_NOTICE, group, "%s holds it",
			peers_name(e, holder));
		struct report *r = &out->list[out->count - 1].report;
		text_copy(r->peer, sizeof(r->peer), peers_name(e, holder));
	}
}

static void report_eligibility(struct engine *e, size_t group, struct effects *out)
{
	struct group *g = &e->groups[group];
	enum ineligible why = group_ineligible(e, group);
	char text[STATUS_REASON_SIZE];

	if (why == g->told_ineligible || why == INELIGIBLE_STOPPING || !devices_are_known(e))
		return;
	g->told_ineligible = why;
	if (why == ELIGIBLE) {
		effect_group_report(
			e, out, REPORT_NODE, REPORT_NOTICE, group, "this node may hold it again");
		return;
	}
	explain_ineligible(e, group, why, text, sizeof(text));
	effect_group_report(e, out, why == INELIGIBLE_CONFLICT ? REPORT_CONFLICT : REPORT_NODE,
		why == INELIGIBLE_DRAINED ? REPORT_NOTICE : REPORT_WARNING, group,
		"not eligible: %s", text);
}

void news_tell(struct engine *e, size_t group, struct effects *out)
{
	report_state(e, group, out);
	report_epoch(e, group, out);
	report_holder(e, group, out);
	report_eligibility(e, group, out);
}
