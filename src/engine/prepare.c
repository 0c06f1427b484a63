/* SPDX-License-Identifier: ISC */
#include "engine/prepare.h"

#include "base/assert.h"
#include "base/text.h"
#include "engine/effects.h"
#include "engine/groups.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/node.h"
#include "engine/peers.h"

#define VETO_NS (10 * NS_PER_S)
/* Whoever carries it out bounds it as well, and kills it then; this is for one that does not. */
#define SLACK_NS NS_PER_S

static bool is_wanted(const struct engine *e, size_t group)
{
	return e->conf->groups[group].hook_count[CONF_HOOK_BEFORE] > 0;
}

/* What was done counts for one claim, and not for ever: the grant that it was done for may have
 * lapsed meanwhile, and comes again. */
static bool counts(const struct engine *e, size_t group)
{
	const struct group *g = &e->groups[group];

	return g->preparation.state == PREPARATION_DONE &&
	       (g->election.wants || !time_reached(e->now, g->preparation.until));
}

bool prepare_is_done(const struct engine *e, size_t group)
{
	return !is_wanted(e, group) || counts(e, group);
}

bool prepare_is_under_way(const struct engine *e, size_t group)
{
	return e->groups[group].preparation.state == PREPARATION_RUNNING;
}

static void begin(struct engine *e, size_t group, struct effects *out)
{
	struct preparation *p = &e->groups[group].preparation;
	uint64_t holder = group_holder(e, group);
	struct engine_hook *hook = &effect_add(out, EFFECT_HOOK)->hook;

	p->state = PREPARATION_RUNNING;
	p->run = p->run < UINT32_MAX ? p->run + 1 : 1;
	p->until = time_add(e->now, e->conf->groups[group].before_active_timeout_ns + SLACK_NS);
	*hook = (struct engine_hook){.group = (uint16_t)group,
		.state = STATE_STANDBY,
		.previous = STATE_STANDBY,
		.epoch = e->groups[group].election.epoch_seen + 1,
		.preparation = p->run};
	text_copy(hook->holder, sizeof(hook->holder), holder != 0 ? peers_name(e, holder) : "");
	text_copy(hook->reason, sizeof(hook->reason),
		holder != 0 ? "it is being handed over" : "nobody holds it");
	effect_group_report(e, out, REPORT_HOOK, REPORT_INFO, group,
		"before-active runs, and may say no: %s", hook->reason);
}

void prepare_follow(struct engine *e, size_t group, bool asked, struct effects *out)
{
	struct group *g = &e->groups[group];
	struct preparation *p = &g->preparation;

	if (!is_wanted(e, group))
		return;
	if (p->state == PREPARATION_DONE &&
		(g->election.phase != ELECTION_STANDBY || !counts(e, group)))
		p->state = PREPARATION_IDLE;
	if (asked && p->state == PREPARATION_IDLE)
		begin(e, group, out);
}

static void veto(struct engine *e, size_t group, int error)
{
	e->groups[group].preparation.state = PREPARATION_IDLE;
	group_hold_off(e, group, INELIGIBLE_VETOED, VETO_NS);
	e->groups[group].hold_off_error = error;
	e->beat_soon = true; /* somebody else may be waiting for us to claim it */
}

void prepare_answered(struct engine *e, const struct engine_preparation *answer)
{
	struct preparation *p;

	if (answer->group >= e->conf->group_count)
		return;
	p = &e->groups[answer->group].preparation;
	if (p->state != PREPARATION_RUNNING || p->run != answer->run)
		return; /* of one that was given up */
	if (answer->error == 0)
		p->state = PREPARATION_DONE;
	else
		veto(e, answer->group, answer->error);
}

void prepare_review(struct engine *e, size_t group)
{
	const struct preparation *p = &e->groups[group].preparation;

	if (p->state == PREPARATION_RUNNING && time_reached(e->now, p->until))
		veto(e, group, ENGINE_PREPARATION_TIMEOUT);
}

ha_time prepare_deadline(const struct engine *e, size_t group)
{
	const struct preparation *p = &e->groups[group].preparation;

	return p->state == PREPARATION_RUNNING ? p->until : TIME_NEVER;
}

void prepare_explain_veto(const struct engine *e, size_t group, struct text *t)
{
	int error = e->groups[group].hold_off_error;

	if (error == ENGINE_PREPARATION_TIMEOUT)
		text_add(t, "before-active took longer than before-active-timeout");
	else if (error < 0)
		text_add(t, "before-active could not be run, or was killed");
	else
		text_add(t, "before-active said no (exit status %d)", error);
}
