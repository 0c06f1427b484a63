/* SPDX-License-Identifier: ISC */
/*
 * messages: the table of what an engine may ask for: what the index of each message means, and in
 * which state of its group it is allowed.
 */
#include "base/assert.h"
#include "custody/custody.h"

enum subject { SUBJECT_NONE, SUBJECT_GROUP, SUBJECT_ADDRESS };
enum condition { CONDITION_ANY, CONDITION_HELD, CONDITION_NOT_HELD };

struct rule {
	enum channel_verb verb;
	enum subject subject;
	enum condition condition;
};

static const struct rule RULES[] = {
	{CHANNEL_READY, SUBJECT_NONE, CONDITION_ANY},
	{CHANNEL_HOLD, SUBJECT_GROUP, CONDITION_ANY},
	{CHANNEL_RELEASE, SUBJECT_GROUP, CONDITION_ANY},
	{CHANNEL_RESTORE, SUBJECT_ADDRESS, CONDITION_HELD},
	{CHANNEL_ANNOUNCE, SUBJECT_ADDRESS, CONDITION_HELD},
	{CHANNEL_REQUEST, SUBJECT_ADDRESS, CONDITION_HELD},
	{CHANNEL_PROBE, SUBJECT_ADDRESS, CONDITION_NOT_HELD},
	{CHANNEL_WILL, SUBJECT_NONE, CONDITION_ANY},
	{CHANNEL_ASK, SUBJECT_NONE, CONDITION_ANY},
	{CHANNEL_AFRESH, SUBJECT_NONE, CONDITION_ANY},
	{CHANNEL_PAUSED, SUBJECT_NONE, CONDITION_ANY},
};

static const struct rule *find(enum channel_verb verb)
{
	for (size_t i = 0; i < sizeof(RULES) / sizeof(RULES[0]); i++)
		if (RULES[i].verb == verb)
			return &RULES[i];
	return NULL;
}

static const char *condition_of(const struct custody *c, const struct rule *r, size_t address)
{
	size_t group = c->conf->addresses[address].group;
	enum custody_phase phase = c->groups[group].phase;

	assert(r->condition != CONDITION_ANY); /* of addresses each rule has one */
	if (phase != CUSTODY_FREE && phase != CUSTODY_HELD)
		return "the group is on its way";
	if ((phase == CUSTODY_HELD) == (r->condition == CONDITION_HELD))
		return NULL;
	return phase == CUSTODY_HELD ? "the group is held" : "the group is not held";
}

/* How many more of the group are to be announced. */
static const char *run_of(const struct custody *c, const struct custody_event *e)
{
	const struct conf_group *g = &c->conf->groups[c->conf->addresses[e->index].group];
	size_t behind = (size_t)g->address_first + g->address_count - e->index - 1;

	return e->second > behind || e->second > CHANNEL_RUN_MAX ? "there are not so many behind it"
								 : NULL;
}

const char *custody_objection(const struct custody *c, const struct custody_event *e)
{
	const struct rule *r = find(e->verb);
	const char *reason;

	if (!r)
		return "it is not for the keeper";
	if (r->subject == SUBJECT_NONE)
		return NULL;
	if (e->index >=
		(r->subject == SUBJECT_GROUP ? c->conf->group_count : c->conf->address_count))
		return "its index is out of range";
	if (r->subject == SUBJECT_GROUP)
		return NULL;
	reason = condition_of(c, r, e->index);
	return reason || e->verb != CHANNEL_ANNOUNCE ? reason : run_of(c, e);
}
