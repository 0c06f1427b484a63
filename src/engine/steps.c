/* SPDX-License-Identifier: ISC */
#include "engine/steps.h"

#include "engine/effects.h"
#include "engine/explain.h"
#include "engine/node.h"
#include "engine/peers.h"

#define TELL(...) effect_group_report(e, out, REPORT_STEP, REPORT_INFO, group, __VA_ARGS__)

static void tell_phase(
	struct engine *e, size_t group, const struct election *was, struct effects *out)
{
	const struct election *now = &e->groups[group].election;
	char took[DURATION_TEXT_SIZE];

	if (now->phase == was->phase)
		return;
	explain_duration(time_between(was->since, e->now), took, sizeof(took));
	if (now->phase == ELECTION_TAKING && now->granter != 0)
		TELL("takes it from %s: configures the addresses", peers_name(e, now->granter));
	else if (now->phase == ELECTION_TAKING)
		TELL("claims it: configures the addresses");
	else if (now->phase == ELECTION_ACTIVE)
		TELL("the addresses are up and announced, after %s", took);
	else if (now->phase == ELECTION_RELEASING)
		TELL("takes the addresses down");
	else if (was->phase == ELECTION_RELEASING)
		TELL("the addresses are down, after %s", took);
}

void steps_tell(struct engine *e, size_t group, const struct election *was, struct effects *out)
{
	const struct election *now = &e->groups[group].election;

	if (now->wants && !was->wants)
		TELL("asks %s to hand over", peers_name(e, now->holder));
	if (now->grantee != 0 && now->grantee != was->grantee)
		TELL("grants it to %s", peers_name(e, now->grantee));
	if (was->grantee != 0 && now->grantee == 0 && now->phase == ELECTION_ACTIVE)
		TELL("%s has not taken it: the grant has lapsed", peers_name(e, was->grantee));
	if (now->lingering && !was->lingering)
		TELL("%s is ACTIVE: answers only what is on its way", peers_name(e, now->grantee));
	tell_phase(e, group, was, out);
	if (now->phase == ELECTION_ACTIVE && was->phase == ELECTION_ACTIVE &&
		was->contenders != 0 && now->contenders == 0)
		TELL("nobody else holds it any more: announces once more");
}
