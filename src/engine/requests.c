/* SPDX-License-Identifier: ISC */
#include "engine/requests.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "base/word.h"
#include "engine/effects.h"
#include "engine/explain.h"
#include "engine/groups.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/node.h"
#include "engine/peers.h"
#include "engine/sticky.h"

/* A grant is waited for for one tolerance, and may have to wait for another one to end before. */
#define PATIENCE_TOLERANCES 3
#define PATIENCE_MORE_NS    NS_PER_S

__attribute__((format(printf, 4, 5))) static void answer(
	struct effects *out, uint32_t token, enum control_outcome outcome, const char *format, ...)
{
	struct engine_answer *a = &effect_add(out, EFFECT_ANSWER)->answer;
	va_list arguments;

	a->token = token;
	a->outcome = outcome;
	va_start(arguments, format);
	vsnprintf(a->text, sizeof(a->text), format, arguments);
	va_end(arguments);
}

/* --- names */

/* Of the names that @name_of gives, 0 to @count - 1, the one that @name was perhaps meant to be. */
static const char *nearest(const struct engine *e, const char *name, size_t count,
	const char *(*name_of)(const struct engine *e, size_t index))
{
	const char *best = NULL;
	unsigned best_distance = (unsigned)strlen(name) / 2 + 1;

	for (size_t i = 0; i < count; i++) {
		const char *candidate = name_of(e, i);
		unsigned distance = candidate ? word_distance(name, candidate) : WORD_SIZE;

		if (distance >= best_distance)
			continue;
		best = candidate;
		best_distance = distance;
	}
	return best;
}

static const char *group_name(const struct engine *e, size_t index)
{
	return e->conf->groups[index].name;
}

/* Of those that are live; the names of the others are of no use. */
static const char *node_name(const struct engine *e, size_t index)
{
	const struct peer_record *p = &e->peers[index];

	return peer_is_live(&p->peer, e->now) ? p->name : NULL;
}

static int find_group(const struct engine *e, const struct engine_request *r, struct effects *out)
{
	const char *name = r->asked.group, *near;
	int group = conf_group_by_name(e->conf, name);

	if (group >= 0)
		return group;
	near = nearest(e, name, e->conf->group_count, group_name);
	if (near)
		answer(out, r->token, CONTROL_MISUSED, "there is no group %s; did you mean %s?",
			name, near);
	else
		answer(out, r->token, CONTROL_MISUSED,
			"there is no group %s; `ha status` lists them", name);
	return -1;
}

static const struct peer_record *find_node(
	const struct engine *e, const struct engine_request *r, struct effects *out)
{
	const char *name = r->asked.to, *near;

	for (size_t i = 0; i < e->peer_count; i++)
		if (strcmp(e->peers[i].name, name) == 0)
			return &e->peers[i];
	near = nearest(e, name, e->peer_count, node_name);
	if (near)
		answer(out, r->token, CONTROL_MISUSED, "no node %s was heard; did you mean %s?",
			name, near);
	else
		answer(out, r->token, CONTROL_MISUSED,
			"no node %s was heard; `ha status` lists those that were", name);
	return NULL;
}

/* --- yield */

static void refuse_not_held(
	const struct engine *e, size_t group, const struct engine_request *r, struct effects *out)
{
	const struct peer_record *holder = group_active_peer(e, group);
	const char *name = e->conf->groups[group].name;

	if (group_state(&e->groups[group]) == STATE_ACTIVE || !holder)
		answer(out, r->token, CONTROL_REFUSED,
			"%s is being moved, or nobody holds it: `ha status %s` says more", name,
			name);
	else if (r->asked.to[0] != '\0' && strcmp(r->asked.to, holder->name) == 0)
		answer(out, r->token, CONTROL_DONE, "%s holds %s already", holder->name, name);
	else
		answer(out, r->token, CONTROL_REFUSED, "%s holds %s; run `ha yield %s%s%s` there",
			holder->name, name, name, r->asked.to[0] != '\0' ? " --to " : "",
			r->asked.to);
}

/* With the policy worthiest a group does not stay with one while a worthier one could hold it. */
static const struct peer_record *find_worthier(
	const struct engine *e, size_t group, const struct peer_record *target)
{
	const struct peer_record *best = group_eligible_peer(e, group);

	return group_is_sticky(e, group) || best == target ? NULL : best;
}

/* Whether @target could have the group; else the request is refused. */
static bool can_have(const struct engine *e, size_t group, const struct peer_record *target,
	const struct engine_request *r, struct effects *out)
{
	const struct election_rival rival = group_rival(e, group, target);
	const struct peer_record *worthier;
	const char *name = e->conf->groups[group].name;

	if (!peer_is_live(&target->peer, e->now))
		answer(out, r->token, CONTROL_REFUSED,
			"%s is not live; `ha status` says since when", target->name);
	else if (!target->entries[group].present)
		answer(out, r->token, CONTROL_REFUSED, "%s has no group %s", target->name, name);
	else if (!rival.eligible)
		answer(out, r->token, CONTROL_REFUSED,
			"%s cannot take %s now; `ha status %s` there says why", target->name, name,
			name);
	else if (!rival.hears_us)
		answer(out, r->token, CONTROL_REFUSED, "%s does not hear this node", target->name);
	else if ((worthier = find_worthier(e, group, target)))
		answer(out, r->token, CONTROL_REFUSED,
			"%s is worthier than %s and would take %s from it at once: yield to it, or "
			"set policy = sticky",
			worthier->name, target->name, name);
	else
		return true;
	return false;
}

static bool has_successor(const struct engine *e, size_t group)
{
	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];
		struct election_rival r = group_rival(e, group, p);

		if (peer_is_live(&p->peer, e->now) && p->entries[group].present &&
			rivals_can_take(&r))
			return true;
	}
	return false;
}

static struct pending *find_room(struct engine *e)
{
	for (size_t i = 0; i < REQUESTS_MAX; i++)
		if (!e->pending[i].used)
			return &e->pending[i];
	return NULL;
}

static int64_t patience_ns(const struct engine *e)
{
	return PATIENCE_TOLERANCES * e->conf->node.tolerance_ns + PATIENCE_MORE_NS;
}

/* From now on it is looked after; without room, the request is refused. */
static bool begin(
	struct engine *e, const struct engine_request *r, size_t group, struct effects *out)
{
	struct pending *p = find_room(e);

	if (!p) {
		answer(out, r->token, CONTROL_REFUSED,
			"%d requests are being carried out already; try again", REQUESTS_MAX);
		return false;
	}
	*p = (struct pending){.used = true,
		.token = r->token,
		.what = r->asked.command,
		.group = (uint16_t)group,
		.since = e->now,
		.until = time_add(e->now, patience_ns(e))};
	return true;
}

static void yield(struct engine *e, const struct engine_request *r, struct effects *out)
{
	const struct peer_record *target = NULL;
	int group = find_group(e, r, out);
	struct election *election;

	if (group < 0)
		return;
	election = &e->groups[group].election;
	if (strcmp(r->asked.to, e->conf->node.name) == 0 && group_is_held(&e->groups[group])) {
		answer(out, r->token, CONTROL_DONE, "this node holds %s already", r->asked.group);
		return;
	}
	if (r->asked.to[0] != '\0' && strcmp(r->asked.to, e->conf->node.name) != 0) {
		target = find_node(e, r, out);
		if (!target)
			return;
	}
	if (!group_is_held(&e->groups[group])) {
		refuse_not_held(e, (size_t)group, r, out);
		return;
	}
	if (target && !can_have(e, (size_t)group, target, r, out))
		return;
	if (!target && !has_successor(e, (size_t)group)) {
		answer(out, r->token, CONTROL_REFUSED,
			"no other node could take %s now; `ha status --all` says why",
			r->asked.group);
		return;
	}
	if (begin(e, r, (size_t)group, out))
		election_yield(election, target ? target->peer.id : 0);
}

/* --- drain and resume */

static void remember(struct engine *e, bool drained, struct effects *out)
{
	e->drained = drained;
	effect_add(out, EFFECT_REMEMBER)->drained = drained;
	e->beat_soon = true;
}

static void drain(struct engine *e, const struct engine_request *r, struct effects *out)
{
	if (!begin(e, r, 0, out))
		return;
	if (!e->drained)
		effect_report(e, out, REPORT_NODE, REPORT_NOTICE,
			"%s is drained: it hands over what it holds, and holds nothing until `ha "
			"resume`",
			e->conf->node.name);
	e->drain_forced = r->asked.force;
	remember(e, true, out);
}

static void resume_group(struct engine *e, const struct engine_request *r, struct effects *out)
{
	int group = find_group(e, r, out);
	struct election *election;

	if (group < 0)
		return;
	election = &e->groups[group].election;
	if (e->drained)
		answer(out, r->token, CONTROL_REFUSED,
			"this node is drained; `ha resume` without a group ends that");
	else if (election->yielded_to == 0)
		answer(out, r->token, CONTROL_DONE, "nothing to do: this node has not yielded %s",
			r->asked.group);
	else
		answer(out, r->token, CONTROL_DONE, "this node may take %s again", r->asked.group);
	if (!e->drained && election->yielded_to != 0) {
		election_resume(election);
		e->beat_soon = true;
	}
}

static void resume(struct engine *e, const struct engine_request *r, struct effects *out)
{
	bool drained = e->drained, yielded = false;

	if (r->asked.group[0] != '\0') {
		resume_group(e, r, out);
		return;
	}
	for (size_t g = 0; g < e->conf->group_count; g++) {
		yielded = yielded || e->groups[g].election.yielded_to != 0;
		election_resume(&e->groups[g].election);
	}
	remember(e, false, out);
	if (drained)
		effect_report(e, out, REPORT_NODE, REPORT_NOTICE,
			"%s is not drained any more: it may hold its groups again",
			e->conf->node.name);
	answer(out, r->token, CONTROL_DONE, "%s",
		drained || yielded ? "this node may hold its groups again"
				   : "nothing to do: this node was not drained");
}

void requests_take(struct engine *e, const struct engine_request *r, struct effects *out)
{
	if (e->stopping) {
		answer(out, r->token, CONTROL_REFUSED,
			"this node stops: it hands over by itself what it holds");
		return;
	}
	switch (r->asked.command) {
	case CONTROL_YIELD: yield(e, r, out); break;
	case CONTROL_DRAIN: drain(e, r, out); break;
	case CONTROL_RESUME: resume(e, r, out); break;
	case CONTROL_STATUS:
	case CONTROL_CLUSTER:
	case CONTROL_WATCH:
	case CONTROL_ATTACH:
	case CONTROL_CANDIDATES: assert(false);
	}
}

/* --- what has become of them */

static void finish(struct pending *p)
{
	p->used = false;
}

static const char *took(
	const struct engine *e, const struct pending *p, char buffer[DURATION_TEXT_SIZE])
{
	explain_duration(time_between(p->since, e->now), buffer, DURATION_TEXT_SIZE);
	return buffer;
}

static void answer_yielded(const struct engine *e, const struct pending *p, struct effects *out)
{
	const struct election *election = &e->groups[p->group].election;
	char duration[DURATION_TEXT_SIZE], why[STATUS_REASON_SIZE];

	if (election->cause == ELECTION_HANDED_OVER) {
		answer(out, p->token, CONTROL_DONE, "%s holds %s now, with epoch %llu, after %s",
			peers_name(e, election->cause_peer), e->conf->groups[p->group].name,
			(unsigned long long)election->epoch_seen, took(e, p, duration));
		return;
	}
	explain_cause(e, p->group, why, sizeof(why));
	answer(out, p->token, CONTROL_FAILED, "this node does not hold %s any more: %s",
		e->conf->groups[p->group].name, why);
}

static void review_yield(struct engine *e, struct pending *p, struct effects *out)
{
	struct election *election = &e->groups[p->group].election;
	const char *name = e->conf->groups[p->group].name;
	char duration[DURATION_TEXT_SIZE];

	if (election->phase == ELECTION_RELEASING) {
		if (time_reached(e->now, p->until)) /* the keeper takes its time */
			p->until = time_add(e->now, patience_ns(e));
		return;
	}
	if (election->phase != ELECTION_ACTIVE)
		answer_yielded(e, p, out);
	else if (!election->yield_asked && election->grantee == 0)
		answer(out, p->token, CONTROL_FAILED,
			"nobody has taken %s within %s; this node goes on holding it", name,
			took(e, p, duration));
	else if (time_reached(e->now, p->until))
		answer(out, p->token, CONTROL_FAILED,
			"%s was not handed over within %s; this node goes on holding it", name,
			took(e, p, duration));
	else
		return;
	election->yield_asked = false;
	finish(p);
}

static bool is_let_go(const struct group *g)
{
	switch (g->election.phase) {
	case ELECTION_TAKING:
	case ELECTION_ACTIVE:
	case ELECTION_RELEASING: return false;
	case ELECTION_LISTENING:
	case ELECTION_STANDBY:
	case ELECTION_SHUTDOWN: break;
	}
	return true;
}

/* It stays drained all the same. */
static void review_drain(struct engine *e, struct pending *p, struct effects *out)
{
	size_t kept = 0, first = 0;
	bool under_way = false;
	char duration[DURATION_TEXT_SIZE];

	for (size_t g = e->conf->group_count; g-- > 0;) {
		if (is_let_go(&e->groups[g]))
			continue;
		first = g;
		kept++;
		under_way = under_way || e->groups[g].election.phase != ELECTION_ACTIVE ||
			    e->groups[g].election.grantee != 0 || has_successor(e, g);
	}
	if (!e->drained)
		answer(out, p->token, CONTROL_FAILED, "it was resumed meanwhile");
	else if (kept == 0)
		answer(out, p->token, CONTROL_DONE,
			"this node holds nothing any more, after %s; `ha resume` ends that",
			took(e, p, duration));
	else if (!under_way || time_reached(e->now, p->until))
		answer(out, p->token, CONTROL_FAILED,
			"no other node could take %s%s: this node goes on serving, hands over as "
			"soon as one can, and lets go at once with `ha drain --force`",
			e->conf->groups[first].name, kept > 1 ? " and others" : "");
	else
		return;
	finish(p);
}

void requests_review(struct engine *e, struct effects *out)
{
	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		struct pending *p = &e->pending[i];

		if (!p->used || !effects_have_room(out))
			continue;
		if (e->stopping && p->what == CONTROL_YIELD && !is_let_go(&e->groups[p->group])) {
			answer(out, p->token, CONTROL_FAILED, "this node stops meanwhile");
			finish(p);
		} else if (p->what == CONTROL_YIELD) {
			review_yield(e, p, out);
		} else {
			review_drain(e, p, out);
		}
	}
}

ha_time requests_deadline(const struct engine *e)
{
	ha_time deadline = TIME_NEVER;

	for (size_t i = 0; i < REQUESTS_MAX; i++)
		if (e->pending[i].used)
			deadline = time_min(deadline, e->pending[i].until);
	return deadline;
}
