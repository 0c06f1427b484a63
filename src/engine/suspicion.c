/* SPDX-License-Identifier: ISC */
#include "engine/suspicion.h"

#include <string.h>

#include "base/assert.h"
#include "engine/attention.h"
#include "engine/effects.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/node.h"
#include "engine/peers.h"
#include "engine/tables.h"

/* The first third of the margin is for clocks that differ, the rest for the answer; half of that
 * for one to a second question, as the first may get lost. */
#define WINDOW_PARTS 3
/* Addresses of one group that are asked for: somebody may have taken the first away. */
#define QUESTIONS_MAX 2
/* A margin that somebody announces is at most this part of its tolerance. */
#define MARGIN_PARTS_MIN 2

/* By its own last word it holds the group; whether it is heard or not. */
static bool is_holder(const struct peer_record *p, size_t group)
{
	return p->peer.proven && !p->peer.leaving && entry_is_active(&p->entries[group]);
}

/* The one that was heard last: until its silence is a tolerance old, nobody claims. */
static const struct peer_record *last_holder(const struct engine *e, size_t group)
{
	const struct peer_record *last = NULL;

	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];

		if (is_holder(p, group) && (!last || peer_silence_deadline(&p->peer).ns >
							     peer_silence_deadline(&last->peer).ns))
			last = p;
	}
	return last;
}

/* How long before the end of its tolerance its fence has closed; if it has none, when it would
 * have. */
static int64_t margin_ns(const struct engine *e, const struct peer_record *p)
{
	int64_t most_ns = p->peer.tolerance_ns / MARGIN_PARTS_MIN;
	int64_t announced_ns =
		p->fence_margin_ns > 0 ? p->fence_margin_ns : e->conf->node.margin_ns;

	return announced_ns < most_ns ? announced_ns : most_ns;
}

static int64_t part_ns(const struct engine *e, const struct peer_record *p)
{
	return margin_ns(e, p) / WINDOW_PARTS;
}

/* From then on it answers only if it is alive. */
static ha_time answers_count(const struct engine *e, const struct peer_record *p)
{
	return time_add(peer_silence_deadline(&p->peer), -2 * part_ns(e, p));
}

/* R2: when nobody is in the way of a claim any more if nobody is heard: neither the holder nor
 * those who outrank us. */
static ha_time claim_is_due(const struct engine *e, size_t group, const struct peer_record *holder)
{
	struct election_rank own = group_own_rank(e, group);
	ha_time due = peer_silence_deadline(&holder->peer);

	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];
		struct election_rival r;

		if (!p->entries[group].present ||
			!(p->entries[group].flags & HEARTBEAT_GROUP_ELIGIBLE) ||
			!peer_is_live(&p->peer, e->now))
			continue;
		r = group_rival(e, group, p);
		if (election_outranks(&r.rank, &own))
			due = time_max(due, peer_silence_deadline(&p->peer));
	}
	return due;
}

static ha_time asking_begins(const struct engine *e, size_t group, const struct peer_record *holder)
{
	return time_add(claim_is_due(e, group, holder), -2 * part_ns(e, holder));
}

/* Two of its heartbeats are missing, and half an interval is left for delay. */
static ha_time calling_begins(const struct peer_record *p)
{
	return time_add(p->peer.heard, p->peer.interval_ns * 5 / 2);
}

static bool may_succeed(const struct engine *e, size_t group)
{
	return e->groups[group].election.phase == ELECTION_STANDBY &&
	       group_ineligible(e, group) == ELIGIBLE;
}

static bool may_succeed_it(const struct engine *e, const struct peer_record *p)
{
	for (size_t g = 0; g < e->conf->group_count; g++)
		if (is_holder(p, g) && may_succeed(e, g))
			return true;
	return false;
}

/* The call is a heartbeat at once, to all and to it (beat.c). If it is heard, it answers by
 * unicast. */
static void call(struct engine *e, struct peer_record *p)
{
	if (p->called) {
		p->called = peers_is_audible(e, p) || p->answers;
		return;
	}
	if (!peers_is_audible(e, p) || !time_reached(e->now, calling_begins(p)) ||
		!may_succeed_it(e, p))
		return;
	p->called = true;
	e->beat_soon = true;
}

static void ask(struct engine *e, size_t group, struct effects *out)
{
	const struct conf_group *g = &e->conf->groups[group];

	for (size_t i = 0; i < g->address_count && i < QUESTIONS_MAX && effects_have_room(out);
		i++) {
		effect_keeper(out, CHANNEL_PROBE, (uint16_t)(g->address_first + i), 0, 0);
		e->groups[group].suspicion.put = true;
	}
}

/* With very many groups not all questions have room in one step. What its holder says of another
 * group then counts for this one. */
static bool is_answered_elsewhere(const struct engine *e, size_t group)
{
	const struct suspicion *s = &e->groups[group].suspicion;

	for (size_t i = 0; !s->put && i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];

		if (is_holder(p, group) && p->fence_margin_ns > 0 &&
			p->answered_at.ns >= s->asked.ns)
			return true;
	}
	return false;
}

static ha_time round_ends(
	const struct engine *e, const struct suspicion *s, const struct peer_record *holder)
{
	return time_add(s->asked, 2 * part_ns(e, holder));
}

/* The next one comes with the next heartbeat. */
static ha_time next_round(
	const struct engine *e, const struct suspicion *s, const struct peer_record *holder)
{
	int64_t every_ns = e->conf->node.interval_ns;

	return time_add(
		s->asked, every_ns > margin_ns(e, holder) ? every_ns : margin_ns(e, holder));
}

static void forget_answers(struct engine *e, size_t group)
{
	for (size_t i = 0; i < e->peer_count; i++)
		if (is_holder(&e->peers[i], group))
			e->peers[i].answers = false;
}

static void conclude(struct engine *e, size_t group)
{
	struct suspicion *s = &e->groups[group].suspicion;

	s->open = false;
	s->concluded = true;
	if (is_answered_elsewhere(e, group))
		s->answered = s->withheld = true;
	if (s->answered)
		return;
	s->withheld = false;
	forget_answers(e, group);
}

static void begin_round(struct engine *e, size_t group, struct effects *out)
{
	struct suspicion *s = &e->groups[group].suspicion;

	s->asked = e->now;
	s->open = true;
	s->repeated = s->answered = s->put = false;
	ask(e, group, out);
}

/* Somebody has taken it since: whoever was silent then holds it no more, whatever it said. */
static void supersede(struct engine *e, size_t group)
{
	for (size_t i = 0; i < e->peer_count; i++) {
		struct peer_record *p = &e->peers[i];

		if (!is_holder(p, group) || peers_is_audible(e, p))
			continue;
		tables_supersede(p, group);
		p->answers = false;
	}
}

/* R10: what was sent to this node while it did not run, it has not seen. */
static void credit_stalls(const struct engine *e, struct suspicion *s)
{
	if (s->open)
		s->asked = time_min(e->now, time_add(s->asked, e->stalled_ns - s->credited_ns));
	s->credited_ns = e->stalled_ns;
}

static void review(struct engine *e, size_t group, struct effects *out)
{
	struct suspicion *s = &e->groups[group].suspicion;
	const struct peer_record *holder = last_holder(e, group);

	credit_stalls(e, s);
	if (group_is_held(&e->groups[group]) || (holder && peers_is_audible(e, holder)))
		supersede(e, group);
	if (!holder || !may_succeed(e, group) ||
		!time_reached(e->now, asking_begins(e, group, holder))) {
		*s = (struct suspicion){0};
		return;
	}
	if (s->open && time_reached(e->now, round_ends(e, s, holder)))
		conclude(e, group);
	if (!s->open &&
		(!s->concluded || (s->withheld && time_reached(e->now, next_round(e, s, holder)))))
		begin_round(e, group, out);
	if (s->open && !s->repeated && !s->answered &&
		time_reached(e->now, time_add(s->asked, part_ns(e, holder)))) {
		s->repeated = true;
		ask(e, group, out);
	}
}

/* Whether there is anything to do beyond the usual: the groups need not be looked at then. */
static bool is_calm(const struct engine *e)
{
	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];

		if (p->holds && (time_reached(e->now, calling_begins(p)) ||
					time_reached(e->now, answers_count(e, p))))
			return false;
	}
	return true;
}

static ha_time if_future(const struct engine *e, ha_time t)
{
	return time_reached(e->now, t) ? TIME_NEVER : t;
}

static ha_time group_deadline(const struct engine *e, size_t group)
{
	const struct suspicion *s = &e->groups[group].suspicion;
	const struct peer_record *holder = last_holder(e, group);
	ha_time deadline;

	if (!holder || !may_succeed(e, group))
		return TIME_NEVER;
	if (s->asked.ns == 0)
		return if_future(e, asking_begins(e, group, holder));
	if (!s->open)
		return s->withheld ? next_round(e, s, holder) : TIME_NEVER;
	deadline = round_ends(e, s, holder);
	if (!s->repeated && !s->answered)
		deadline = time_min(deadline, time_add(s->asked, part_ns(e, holder)));
	return deadline;
}

/* With many groups only those that this step evaluates anyway (suspicion_review_group()), unless
 * one is due. */
static void review_groups(struct engine *e, bool begins, struct effects *out)
{
	if (e->attention.lazy && !begins && !time_reached(e->now, e->suspicion_at))
		return;
	e->suspicion_at = TIME_NEVER;
	for (size_t g = 0; g < e->conf->group_count; g++) {
		bool withheld = suspicion_withholds(e, g);

		review(e, g, out);
		if (withheld != suspicion_withholds(e, g))
			attention_mark(e, g);
		if (e->attention.lazy)
			e->suspicion_at = time_min(e->suspicion_at, group_deadline(e, g));
	}
}

void suspicion_review_group(struct engine *e, size_t group, struct effects *out)
{
	if (!e->attention.lazy || !e->suspects)
		return;
	review(e, group, out);
	e->suspicion_at = time_min(e->suspicion_at, group_deadline(e, group));
}

void suspicion_review(struct engine *e, struct effects *out)
{
	bool begins;

	if (is_calm(e)) {
		for (size_t g = 0; e->suspects && g < e->conf->group_count; g++) {
			e->groups[g].suspicion = (struct suspicion){0};
			attention_mark(e, g);
		}
		e->suspects = false;
		e->suspicion_at = TIME_NEVER;
		return;
	}
	begins = !e->suspects;
	e->suspects = true;
	for (size_t i = 0; i < e->peer_count; i++)
		if (e->peers[i].holds)
			call(e, &e->peers[i]);
	review_groups(e, begins, out);
}

bool suspicion_withholds(const struct engine *e, size_t group)
{
	const struct suspicion *s = &e->groups[group].suspicion;
	const struct peer_record *holder = last_holder(e, group);

	if (s->withheld)
		return true;
	/* It is still to be asked, or its answer may still come: this node has become eligible only
	 * now. */
	return !s->concluded && holder && holder->fence_margin_ns > 0;
}

uint64_t suspicion_holder(const struct engine *e, size_t group)
{
	for (size_t i = 0; e->groups[group].suspicion.withheld && i < e->peer_count; i++)
		if (e->peers[i].answers && is_holder(&e->peers[i], group))
			return e->peers[i].peer.id;
	return 0;
}

static void raise_alarm(struct engine *e, size_t group, size_t address, const struct peer_record *p,
	struct effects *out)
{
	bool fenced = p->fence_margin_ns > 0;
	char of[IP_TEXT_SIZE], text[IP_TEXT_SIZE];

	effect_group_report(e, out, REPORT_PEER, REPORT_ERROR, group,
		"%s (%s) is not heard but answers for %s: its heartbeats are lost on the way (is "
		"multicast or UDP port %u filtered?); %s",
		p->name, ip_format(&p->address, of),
		ip_format(&e->conf->addresses[address].ip, text), e->conf->node.port,
		fenced ? "it goes on holding it"
		       : "it has no fence in the kernel that would show whether it is alive");
}

static bool is_mac_of(const struct peer_record *p, const uint8_t mac[MAC_SIZE])
{
	for (size_t i = 0; i < p->mac_count; i++)
		if (memcmp(p->macs[i], mac, MAC_SIZE) == 0)
			return true;
	return false;
}

void suspicion_answered(
	struct engine *e, size_t address, const uint8_t mac[MAC_SIZE], struct effects *out)
{
	size_t group = e->conf->addresses[address].group;
	struct suspicion *s = &e->groups[group].suspicion;

	if (s->asked.ns == 0)
		return;
	for (size_t i = 0; i < e->peer_count; i++) {
		struct peer_record *p = &e->peers[i];

		if (!is_holder(p, group) || !is_mac_of(p, mac) ||
			!time_reached(e->now, answers_count(e, p)))
			continue;
		if (!s->told)
			raise_alarm(e, group, address, p, out);
		s->told = s->answered = p->answers = true;
		p->answered_at = e->now;
		attention_mark(e, group);
		if (p->fence_margin_ns > 0 && !s->withheld) {
			s->withheld = true;
			metrics_count(&e->metrics, METRIC_CLAIMS_WITHHELD);
		}
	}
}

ha_time suspicion_deadline(const struct engine *e)
{
	ha_time deadline = TIME_NEVER;

	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];

		if (!p->holds)
			continue;
		deadline = time_min(deadline, if_future(e, calling_begins(p)));
		deadline = time_min(deadline, if_future(e, answers_count(e, p)));
	}
	if (e->attention.lazy)
		return e->suspects ? time_min(deadline, e->suspicion_at) : deadline;
	for (size_t g = 0; e->suspects && g < e->conf->group_count; g++)
		deadline = time_min(deadline, group_deadline(e, g));
	return deadline;
}
