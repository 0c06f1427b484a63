/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "engine/node.h"

/* How long a node keeps off a group that it could not hold. Long enough not to toss the address to
 * and fro, short enough that a repaired host is of use again without anybody's help. */
#define HOLD_FAILED_NS        (10 * NS_PER_S)
#define NO_CARRIER_NS         (30 * NS_PER_S)
#define LINGER_MAX_NS         (20 * NS_PER_MS)
#define LINGERS_PER_TOLERANCE 8

enum node_state group_state(const struct group *g)
{
	switch (g->election.phase) {
	case ELECTION_ACTIVE: return STATE_ACTIVE;
	case ELECTION_RELEASING: /* the addresses are up, if they ever were */
		return g->election.unheld ? STATE_STANDBY : STATE_ACTIVE;
	case ELECTION_SHUTDOWN: return STATE_SHUTDOWN;
	case ELECTION_LISTENING:
	case ELECTION_STANDBY:
	case ELECTION_TAKING: break;
	}
	return STATE_STANDBY;
}

bool group_is_held(const struct group *g)
{
	return g->election.phase == ELECTION_ACTIVE;
}

/* The live peer of highest rank of which @is_what is true, or NULL. */
static const struct peer_record *best_peer(
	const struct engine *e, size_t group, bool (*is_what)(const struct election_rival *rival))
{
	const struct peer_record *best = NULL;
	struct election_rank best_rank;

	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];
		struct election_rival r;

		if (!peer_is_live(&p->peer, e->now) || !p->entries[group].present)
			continue;
		r = group_rival(e, group, p);
		if (!is_what(&r) || (best && election_outranks(&best_rank, &r.rank)))
			continue;
		best = p;
		best_rank = r.rank;
	}
	return best;
}

static bool is_active(const struct election_rival *rival)
{
	return rival->active;
}

static bool is_eligible(const struct election_rival *rival)
{
	return rival->eligible;
}

bool group_may_serve(const struct engine *e, size_t group)
{
	return group_is_held(&e->groups[group]) && !time_reached(e->now, e->lease);
}

const struct peer_record *group_active_peer(const struct engine *e, size_t group)
{
	return best_peer(e, group, is_active);
}

const struct peer_record *group_eligible_peer(const struct engine *e, size_t group)
{
	return best_peer(e, group, is_eligible);
}

uint64_t group_holder(const struct engine *e, size_t group)
{
	const struct peer_record *p = group_active_peer(e, group);

	if (group_state(&e->groups[group]) == STATE_ACTIVE)
		return e->identity.id;
	return p ? p->peer.id : suspicion_holder(e, group);
}

void group_hold_off(struct engine *e, size_t group, enum ineligible why, int64_t duration_ns)
{
	e->groups[group].hold_off = why;
	e->groups[group].hold_off_until = time_add(e->now, duration_ns);
}

enum ineligible group_unfit(const struct engine *e, size_t group)
{
	const struct group *g = &e->groups[group];
	enum ineligible why = health_ineligible(e, group);
	size_t device;

	if (e->stopping)
		return INELIGIBLE_STOPPING;
	if (g->retired)
		return INELIGIBLE_RETIRED;
	if (why != ELIGIBLE)
		return why;
	if (g->hold_off != ELIGIBLE)
		return g->hold_off;
	why = devices_serve(e, group, &device);
	if (why == ELIGIBLE)
		why = devices_speak(e, &device);
	if (why == ELIGIBLE && original_outranks(e))
		why = INELIGIBLE_ORIGINAL;
	if (why == ELIGIBLE && g->conflict)
		why = INELIGIBLE_CONFLICT;
	return why;
}

enum ineligible group_ineligible(const struct engine *e, size_t group)
{
	if (e->drained && !e->stopping && !e->groups[group].retired)
		return INELIGIBLE_DRAINED;
	return group_unfit(e, group);
}

/* R5: what a holder that became ineligible can still do. Without one of its addresses it cannot. */
static bool can_serve(const struct engine *e, size_t group)
{
	size_t device;

	return e->groups[group].hold_off != INELIGIBLE_REMOVED &&
	       devices_serve(e, group, &device) == ELIGIBLE && devices_can_send(e);
}

struct election_rank group_own_rank(const struct engine *e, size_t group)
{
	return (struct election_rank){.yielded = e->groups[group].election.yielded_to != 0,
		.impaired = health_is_impaired(e, group),
		.worth = e->groups[group].health.worth,
		.address = devices_real_address(e),
		.id = e->identity.id};
}

struct election_rival group_rival(const struct engine *e, size_t group, const struct peer_record *p)
{
	const struct peer_entry *entry = &p->entries[group];

	return (struct election_rival){.rank = {.yielded = entry->flags & HEARTBEAT_GROUP_YIELDED,
					       .impaired = entry->flags & HEARTBEAT_GROUP_IMPAIRED,
					       .worth = entry->worth,
					       .address = p->address,
					       .id = p->peer.id},
		.active = entry_is_active(entry),
		.eligible = entry->flags & HEARTBEAT_GROUP_ELIGIBLE,
		.wants = entry->flags & HEARTBEAT_GROUP_WANT,
		.claimed = entry->flags & HEARTBEAT_GROUP_CLAIMED,
		.sticky = entry->flags & HEARTBEAT_GROUP_STICKY,
		.acknowledged = entry->flags & HEARTBEAT_GROUP_ACKNOWLEDGED,
		.listens = entry->flags & HEARTBEAT_GROUP_LISTENING,
		.hears_us = peer_hears_us(&p->peer, e->conf->node.tolerance_ns),
		.granted_us = entry->grantee != 0 && entry->grantee == e->mark,
		.answers = entry->flags & HEARTBEAT_GROUP_GRANTED,
		.renewed = entry->renewed,
		.epoch = entry->epoch};
}

/* What one that leaves says of a group, or need not say. */
static struct election_rival without_offers(const struct election_rival *rival)
{
	struct election_rival r = *rival;

	r.active = r.eligible = r.wants = r.listens = r.claimed = r.granted_us = false;
	return r;
}

/* Those who leave politely, and those who have just started anew and proved nothing yet, are known
 * with nothing to offer until they would be missed: so a resignation can be told from a silence. */
static size_t collect_rivals(const struct engine *e, size_t group, struct election_rival *rivals)
{
	size_t count = 0;

	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];
		struct election_rival rival = group_rival(e, group, p);

		if (!p->entries[group].present ||
			time_reached(e->now, peer_silence_deadline(&p->peer)))
			continue;
		if (!p->peer.proven)
			rival = (struct election_rival){.rank = rival.rank};
		else if (p->peer.leaving)
			rival = without_offers(&rival);
		rivals[count++] = rival;
	}
	return count;
}

/* R1: one full tolerance, the largest announced by any peer heard. */
int64_t groups_listen_ns(const struct engine *e)
{
	int64_t longest = e->conf->node.tolerance_ns;

	for (size_t i = 0; i < e->peer_count; i++)
		if (peers_is_audible(e, &e->peers[i]) && e->peers[i].peer.tolerance_ns > longest)
			longest = e->peers[i].peer.tolerance_ns;
	return longest;
}

/* R3: long enough for what is on its way, short beside the tolerance. */
static int64_t linger_ns(const struct engine *e)
{
	int64_t part = e->conf->node.tolerance_ns / LINGERS_PER_TOLERANCE;

	return part < LINGER_MAX_NS ? part : LINGER_MAX_NS;
}

/* R2: one that has not told yet what it says of the group may hold it. */
static bool is_open(const struct engine *e, size_t group)
{
	return e->groups[group].election.phase == ELECTION_STANDBY && tables_leave_open(e, group);
}

static struct election_input input_of(
	const struct engine *e, size_t group, struct election_rival *rivals)
{
	return (struct election_input){.own = group_own_rank(e, group),
		.eligible = group_ineligible(e, group) == ELIGIBLE && !is_open(e, group),
		.can_serve = can_serve(e, group),
		.answered = suspicion_withholds(e, group),
		.stopping = e->stopping || e->groups[group].retired,
		.reluctant = group_ineligible(e, group) == INELIGIBLE_DRAINED && !e->drain_forced,
		.settled = settle_is_over(e, group),
		.sticky = group_is_sticky(e, group),
		.acknowledged = e->groups[group].acknowledged,
		.prepared = prepare_is_done(e, group),
		.lease = e->lease,
		.tolerance_ns = e->conf->node.tolerance_ns,
		.linger_ns = linger_ns(e),
		.listen_ns = groups_listen_ns(e),
		.rivals = rivals,
		.rival_count = collect_rivals(e, group, rivals)};
}

static void remember_cause(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];
	uint64_t id = g->election.cause_peer;
	const struct peer_record *p = peers_find(e, id);

	text_copy(g->cause_peer, sizeof(g->cause_peer), id != 0 ? peers_name(e, id) : "");
	g->cause_silence_ns = p ? time_between(p->peer.heard, e->now) : 0;
	g->cause_ineligible = group_ineligible(e, group);
}

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

static void carry_out(
	struct engine *e, size_t group, const struct election_output *output, struct effects *out)
{
	const struct election *election = &e->groups[group].election;

	if (output->release) {
		effect_keeper(out, CHANNEL_RELEASE, (uint16_t)group, 0, 0);
		measure_release(e, group);
	}
	if (output->hold) {
		effect_keeper(out, CHANNEL_HOLD, (uint16_t)group, 0, election->epoch);
		measure_decision(e, group);
	}
	if (output->announce)
		addresses_announce(e, group, out);
	if (output->tell)
		e->beat_soon = true;
}

/* Given up because this node could not hold it any longer, not because somebody wanted it so. */
static bool is_lost(const struct engine *e, size_t group)
{
	enum ineligible why = group_unfit(e, group);

	switch (e->groups[group].election.cause) {
	case ELECTION_LEASE_PASSED:
	case ELECTION_HOLD_FAILED: return true;
	case ELECTION_INELIGIBLE:
	case ELECTION_CANNOT_SERVE:
	case ELECTION_HANDED_OVER:
		if (health_is_impaired(e, group))
			return true;
		return why != ELIGIBLE && why != INELIGIBLE_STOPPING && why != INELIGIBLE_WORTH;
	case ELECTION_STARTED:
	case ELECTION_VACANT:
	case ELECTION_HOLDER_SILENT:
	case ELECTION_HOLDER_RESIGNED:
	case ELECTION_GRANTED:
	case ELECTION_COLLISION:
	case ELECTION_STOPPING: break;
	}
	return false;
}

/* What the engine itself has to do when a phase begins. */
static void enter_phase(struct engine *e, size_t group, enum election_phase before)
{
	enum election_phase phase = e->groups[group].election.phase;

	if (phase == before)
		return;
	if (phase == ELECTION_LISTENING)
		probes_start(e, group);
	if (phase == ELECTION_ACTIVE) {
		addresses_taken(e, group);
		sticky_taken(e, group);
	}
	if (before == ELECTION_ACTIVE || before == ELECTION_TAKING)
		if (phase != ELECTION_ACTIVE) {
			addresses_released(e, group);
			if (is_lost(e, group))
				settle_lost(e, group);
		}
}

static void count_phase(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];

	e->phases[g->counted]--;
	g->counted = g->election.phase;
	e->phases[g->counted]++;
}

void groups_step(struct engine *e, size_t group, enum election_event event, struct effects *out)
{
	struct group *g = &e->groups[group];
	struct election_rival rivals[PEERS_MAX];
	const struct election was = g->election;
	enum election_phase before = g->election.phase;
	enum election_cause cause = g->election.cause;
	struct election_input input;
	struct election_output output;

	/* It may be overtaken by a release, but never comes unasked. */
	if (event == ELECTION_FAILED && (before == ELECTION_TAKING || before == ELECTION_ACTIVE ||
						before == ELECTION_RELEASING))
		group_hold_off(e, group, INELIGIBLE_HOLD_FAILED, HOLD_FAILED_NS);
	input = input_of(e, group, rivals);
	election_step(&g->election, e->now, event, &input, &output);
	if (g->election.cause != cause ||
		(g->election.phase != before && output.hold + output.release))
		remember_cause(e, group);
	if (g->election.phase != before || output.release || output.hold || output.announce ||
		output.tell)
		attention_mark_again(e, group);
	carry_out(e, group, &output, out);
	enter_phase(e, group, before);
	steps_tell(e, group, &was, out);
	count_phase(e, group);
	if (event == ELECTION_EVALUATE)
		prepare_follow(e, group, output.prepare, out);
	report_state(e, group, out);
	report_epoch(e, group, out);
	report_holder(e, group, out);
	report_eligibility(e, group, out);
}

void group_listen(struct engine *e, size_t group)
{
	election_listen(&e->groups[group].election, e->now);
	if (e->groups[group].election.phase == ELECTION_LISTENING)
		probes_start(e, group);
}

/* A group whose devices have come back has heard nothing of late: it listens and probes anew. */
static void review_hearing(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];
	size_t device;
	bool in_touch = devices_serve(e, group, &device) == ELIGIBLE &&
			devices_speak(e, &device) == ELIGIBLE;

	if (in_touch && !g->in_touch && g->election.phase == ELECTION_RELEASING)
		return; /* then, when it is released */
	if (in_touch && !g->in_touch)
		group_listen(e, group);
	g->in_touch = in_touch;
}

/* A device that we bring up for a group and that then has no carrier would be tossed up and down.
 */
static void review_hold_off(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];
	size_t device;

	prepare_review(e, group);
	if (g->hold_off != ELIGIBLE && time_reached(e->now, g->hold_off_until))
		g->hold_off = ELIGIBLE;
	if (group_is_held(g) &&
		devices_serve(e, group, &device) == INELIGIBLE_NO_CARRIER_WHEN_RAISED)
		group_hold_off(e, group, INELIGIBLE_NO_CARRIER_WHEN_RAISED, NO_CARRIER_NS);
}

/* RFC 5227: whether somebody outside the cluster answers for an address. While a node of the
 * cluster holds the group, it is that one who answers. */
static void review_conflict(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];

	if (!g->probing)
		return;
	if (group_active_peer(e, group) || group_state(g) == STATE_ACTIVE) {
		g->conflict = g->probing = false;
		return;
	}
	if (g->election.phase == ELECTION_LISTENING && !g->conflict) {
		/* Decided when listening ends, so that a holder has the time to introduce itself.
		 */
		if (time_between(g->election.since, e->now) < groups_listen_ns(e))
			return;
	}
	g->conflict = probes_conflict(e, group) >= 0;
	if (!g->conflict)
		g->probing = false;
}

void groups_start(struct engine *e)
{
	e->phases[ELECTION_LISTENING] = e->conf->group_count;
	for (size_t g = 0; g < e->conf->group_count; g++) {
		if (e->groups[g].adopted)
			continue;
		election_init(&e->groups[g].election, e->now);
		e->groups[g].counted = e->groups[g].election.phase;
		e->groups[g].told_state = STATE_STANDBY;
		e->groups[g].state_since = e->now;
	}
	settle_start(e);
}

static void evaluate(struct engine *e, size_t group, struct effects *out)
{
	review_hearing(e, group);
	review_hold_off(e, group);
	review_conflict(e, group);
	settle_review(e, group);
	groups_step(e, group, ELECTION_EVALUATE, out);
}

void groups_evaluate(struct engine *e, struct effects *out)
{
	size_t group;

	while ((!e->attention.lazy || effects_have_room(out)) && attention_take(e, &group))
		evaluate(e, group, out);
}

/* When a group must be evaluated again although nothing happens. */
static ha_time group_due(const struct engine *e, size_t group, const struct election_input *input)
{
	const struct group *g = &e->groups[group];
	ha_time due = election_deadline(&g->election, input);

	if (!settle_is_over(e, group))
		due = time_min(due, settle_until(e, group));
	if (g->hold_off != ELIGIBLE)
		due = time_min(due, g->hold_off_until);
	if (g->probing)
		due = time_min(due, g->probe_at);
	due = time_min(due, prepare_deadline(e, group));
	return due;
}

static ha_time if_ahead(const struct engine *e, ha_time due)
{
	return due.ns > e->now.ns ? due : TIME_NEVER;
}

/* The same for what is also met with in passing where each group is evaluated in each step. */
static ha_time group_due_in_passing(const struct engine *e, size_t group)
{
	const struct group *g = &e->groups[group];
	ha_time due = TIME_NEVER;

	if (g->election.phase == ELECTION_STANDBY && g->election.holder == 0)
		due = if_ahead(e, time_add(g->election.since, groups_listen_ns(e)));
	if (g->election.phase == ELECTION_ACTIVE)
		due = if_ahead(e, g->election.grant_pause);
	if (g->told_holder != 0 && !g->was_held)
		due = time_min(
			due, if_ahead(e, time_add(g->held_last, e->conf->node.tolerance_ns)));
	for (size_t i = 0; i < e->peer_count; i++)
		if (!e->peers[i].table.complete && e->peers[i].table.in_use)
			due = time_min(
				due, if_ahead(e, time_add(e->peers[i].table.lacking,
							 2 * e->peers[i].peer.tolerance_ns)));
	return due;
}

void groups_plan(struct engine *e)
{
	const struct election_input input = {.lease = TIME_NEVER, .listen_ns = groups_listen_ns(e)};

	if (!e->attention.lazy)
		return;
	for (size_t g = 0; attention_seen(e, &g); g++)
		deadlines_set(&e->attention.due, g,
			time_min(group_due(e, g, &input), group_due_in_passing(e, g)));
}

/* Those in which the lease is looked at. */
static ha_time lease_deadline(const struct engine *e)
{
	bool any = e->phases[ELECTION_TAKING] + e->phases[ELECTION_ACTIVE] > 0;

	return any ? e->lease : TIME_NEVER;
}

ha_time groups_deadline(const struct engine *e)
{
	const struct election_input input = {.lease = TIME_NEVER, .listen_ns = groups_listen_ns(e)};
	ha_time deadline = lease_deadline(e);

	if (attention_is_left(e))
		return e->now;
	if (e->attention.lazy)
		return time_min(deadline, deadlines_first(&e->attention.due));
	for (size_t g = 0; g < e->conf->group_count; g++)
		deadline = time_min(deadline, group_due(e, g, &input));
	return deadline;
}

void groups_credit_stall(struct engine *e, int64_t stall_ns)
{
	bool anew = stall_ns >= e->conf->node.tolerance_ns;

	if (e->phases[ELECTION_LISTENING] == 0 && !anew)
		return;
	for (size_t g = 0; g < e->conf->group_count; g++) {
		if (anew)
			group_listen(e, g);
		else
			election_credit_stall(&e->groups[g].election, e->now, stall_ns);
	}
	if (anew)
		attention_mark_all(e); /* else they are due a little later than planned */
}

bool groups_any_releasing(const struct engine *e)
{
	return e->phases[ELECTION_RELEASING] > 0;
}

bool groups_are_shut_down(const struct engine *e)
{
	return e->phases[ELECTION_SHUTDOWN] == e->conf->group_count;
}
