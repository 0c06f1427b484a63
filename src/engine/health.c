/* SPDX-License-Identifier: ISC */
#include "engine/health.h"

#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "engine/effects.h"
#include "engine/inputs.h"
#include "engine/node.h"

void health_start(struct engine *e)
{
	for (size_t g = 0; g < e->conf->group_count; g++) {
		if (e->groups[g].adopted)
			continue; /* as it was told to the last engine, until it is told anew */
		e->groups[g].health = (struct engine_health){
			.group = (uint16_t)g, .worth = e->conf->groups[g].worth};
	}
}

bool health_is_impaired(const struct engine *e, size_t group)
{
	return e->groups[group].health.impaired;
}

bool health_is_well(const struct engine *e, size_t group)
{
	const struct engine_health *h = &e->groups[group].health;

	return !h->impaired && !h->ineligible && h->worth == e->conf->groups[group].worth;
}

enum ineligible health_ineligible(const struct engine *e, size_t group)
{
	const struct engine_health *h = &e->groups[group].health;

	if (e->conf->groups[group].worth == 0 && h->worth == 0)
		return INELIGIBLE_WORTH;
	if (h->worth == 0 || h->ineligible ||
		(h->impaired && e->conf->groups[group].release_when_all_fail))
		return INELIGIBLE_HEALTH;
	return ELIGIBLE;
}

static void explain_worth(unsigned now, unsigned configured, struct text *t)
{
	text_add(t, "worth %u", configured);
	if (now < configured)
		text_add(t, ", lowered by %u", configured - now);
	else
		text_add(t, ", raised to %u", now);
}

void health_explain(const struct engine *e, size_t group, struct text *t)
{
	const struct engine_health *h = &e->groups[group].health;
	unsigned configured = e->conf->groups[group].worth;

	if (h->ineligible)
		text_add(t, "unfit");
	else if (h->impaired)
		text_add(t, "impaired");
	if ((h->ineligible || h->impaired) && h->worth != configured)
		text_add(t, ", ");
	if (h->worth != configured)
		explain_worth(h->worth, configured, t);
	if (h->reason[0] != '\0')
		text_add(t, ": %s", h->reason);
}

static bool is_same(const struct engine_health *a, const struct engine_health *b)
{
	return a->worth == b->worth && a->impaired == b->impaired && a->ineligible == b->ineligible;
}

void health_changed(struct engine *e, const struct engine_health *health, struct effects *out)
{
	size_t group = health->group;
	char why[STATUS_REASON_SIZE] = "";
	struct text t = text_init(why, sizeof(why));
	bool same;

	if (group >= e->conf->group_count)
		return;
	same = is_same(&e->groups[group].health, health);
	e->groups[group].health = *health;
	if (same)
		return; /* only the reason is another one: status tells it */
	e->beat_soon = true;
	if (health_ineligible(e, group) != ELIGIBLE)
		return; /* what follows is told anyway */
	health_explain(e, group, &t);
	if (health_is_well(e, group))
		effect_group_report(e, out, REPORT_HEALTH, REPORT_NOTICE, group, "sound again");
	else
		effect_group_report(e, out, REPORT_HEALTH, REPORT_WARNING, group, "%s", why);
}
