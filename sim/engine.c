/* SPDX-License-Identifier: ISC */
/* A step of a node's engine, and what becomes of its effects. */
#include <errno.h>
#include <string.h>

#include "sim/invariants.h"
#include "sim/world.h"

#define SLOW_SENDING_PERMILLE 100

/* Who has that hardware address on the device of @n that carries @group; all have the same devices.
 */
static const struct node *find_neighbour(
	const struct world *w, const struct node *n, size_t group, const uint8_t mac[MAC_SIZE])
{
	size_t device = n->conf.addresses[n->conf.groups[group].address_first].device;

	for (size_t i = 0; i < w->node_count; i++)
		if (memcmp(w->nodes[i].devices[device].mac, mac, MAC_SIZE) == 0)
			return &w->nodes[i];
	return NULL;
}

static void send_datagram(struct world *w, struct node *n, const struct effect *effect)
{
	struct datagram d = {.size = effect->send.size,
		.hop_limit = HEARTBEAT_HOP_LIMIT,
		.source = node_address(n)};
	struct packet *p;

	memcpy(d.bytes, effect->send.bytes, d.size);
	p = lan_packet(w, n, &d);
	invariant_sent(w, n, p);
	if (effect->kind == EFFECT_SEND_TO) {
		if (!n->cannot_send)
			lan_unicast(w, n, &effect->send.to, p);
		lan_drop_packet(w, p);
		return;
	}
	n->sent = !n->cannot_send;
	n->send_failed = n->cannot_send;
	if (n->cannot_send) {
		lan_drop_packet(w, p);
		return;
	}
	n->last_sent = node_clock(n, w->now);
	n->last_sent_world = w->now;
	lan_multicast(w, n, p);
	if (n->last)
		lan_drop_packet(w, n->last);
	n->last = p;
}

static void tell_report(struct world *w, const struct node *n, const struct report *r)
{
	static const char *const levels[] = {", error", ", warning", "", ""};

	if (r->kind == REPORT_STEP && !w->shows_steps)
		return;
	if (r->kind == REPORT_STATE)
		world_tell(w, "%s%s: %s %s (epoch %llu)", n->name, levels[r->level], r->group,
			r->text, (unsigned long long)r->epoch);
	else if (r->group[0] != '\0')
		world_tell(w, "%s%s: %s: %s", n->name, levels[r->level], r->group, r->text);
	else
		world_tell(w, "%s%s: %s", n->name, levels[r->level], r->text);
}

static void answered(struct world *w, struct node *n, const struct engine_answer *answer)
{
	world_tell(w, "%s answers, %s: %s", n->name, control_outcome_name(answer->outcome),
		answer->text);
	invariant_answered(w, n, answer);
}

static void stopped(struct world *w, struct node *n)
{
	n->running = false;
	world_tell(w, "%s ends", n->name);
	invariant_ended(w, n);
	keeper_ends(w, n);
}

/* Of hooks only those are modelled that something waits for. */
static void run_hook(struct world *w, struct node *n, const struct engine_hook *hook)
{
	struct happening h;

	if (hook->preparation == 0)
		return;
	n->prepares_since[hook->group] = w->now;
	schedule_prepare(&h, HAPPENS_PREPARED);
	h.note.index = hook->group;
	h.note.number = hook->preparation;
	schedule(w, &h, node_index(w, n), time_add(w->now, n->prepare_ns));
}

static void passes(struct world *w, const struct node *n, const struct engine_pass *pass)
{
	static const char *const what[] = {
		[LEASE_IN_SERVICE] = "segments of connections that it does not have",
		[LEASE_GIVEN_UP] = "everything",
		[LEASE_HANDED_ON] = "all but the connections that it has"};
	const char *group = n->conf.groups[pass->group].name;
	const struct node *other = find_neighbour(w, n, pass->group, pass->mac);

	passing_check(w, n, pass, other);
	if (!w->shows_steps)
		return;
	if (pass->until.ns == 0)
		world_tell(w, "%s: %s: passes nothing on", n->name, group);
	else
		world_tell(w, "%s: %s: passes %s on to %s", n->name, group, what[pass->service],
			other ? other->name : "nobody");
}

static void perform(struct world *w, struct node *n, const struct effect *effect)
{
	switch (effect->kind) {
	case EFFECT_SEND:
	case EFFECT_SEND_TO: send_datagram(w, n, effect); break;
	case EFFECT_LEASE:
		invariant_lease_given(w, n, effect->lease);
		n->lease = effect->lease;
		break;
	case EFFECT_PASS: passes(w, n, &effect->pass); break;
	case EFFECT_KEEPER: keeper_told(w, n, effect); break;
	case EFFECT_REPORT:
		if (w->tell)
			tell_report(w, n, &effect->report);
		invariant_reported(w, n, &effect->report);
		break;
	case EFFECT_SEND_ORIGINAL: break; /* needs `protocol = original`, which none has here */
	case EFFECT_HOOK: run_hook(w, n, &effect->hook); break;
	case EFFECT_ANSWER: answered(w, n, &effect->answer); break;
	case EFFECT_REMEMBER: n->drained = effect->drained; break;
	case EFFECT_STOPPED: stopped(w, n); break;
	case EFFECT_PAUSED: node_has_paused(w, n); break;
	}
}

void node_plan_timer(struct world *w, struct node *n)
{
	ha_time due = engine_deadline(n->engine), deadline = node_world_time(n, due);

	if (n->late_ns > 0 && !time_reached(node_clock(n, w->now), due))
		deadline = time_add(deadline, random_between(&w->random, 0, n->late_ns));
	n->deadline = n->running ? time_max(deadline, w->now) : TIME_NEVER;
}

static void step_once(struct world *w, struct node *n, const struct engine_event *event)
{
	w->steps++;
	engine_step(n->engine, node_clock(n, w->now), event, &w->effects);
	for (size_t i = 0; i < w->effects.count; i++)
		perform(w, n, &w->effects.list[i]);
}

/* On a slow host the engine hangs in its sending. */
static bool hangs_in_sending(struct world *w, struct node *n)
{
	struct happening h;
	int64_t takes_ns;

	if (n->late_ns == 0 || !n->sent || !random_chance(&w->random, SLOW_SENDING_PERMILLE))
		return false;
	takes_ns = random_between(&w->random, 0, n->late_ns);
	node_stall(w, n, takes_ns);
	schedule(w, schedule_prepare(&h, HAPPENS_SENT), node_index(w, n), n->stalled_until);
	return true;
}

static void take_results(struct world *w, struct node *n)
{
	while (n->running && (n->sent || n->send_failed)) {
		struct engine_event result = {
			.kind = n->sent ? ENGINE_SENT : ENGINE_SEND_FAILED, .error = EPERM};

		n->sent = n->send_failed = false;
		step_once(w, n, &result);
	}
	node_plan_timer(w, n);
}

void node_step(struct world *w, struct node *n, const struct engine_event *event)
{
	step_once(w, n, event);
	if (hangs_in_sending(w, n))
		node_plan_timer(w, n);
	else
		take_results(w, n);
}

void node_has_sent(struct world *w, struct node *n)
{
	if (n->running)
		take_results(w, n);
}
