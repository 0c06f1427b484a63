/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "sim/invariants.h"
#include "sim/tally.h"
#include "sim/world.h"

#define MILLION               1000000
#define SLOW_SENDING_PERMILLE 100
#define LINE_NET              10 /* the first byte of the addresses on the second path */

size_t node_index(const struct world *w, const struct node *n)
{
	return (size_t)(n - w->nodes);
}

struct node *node_find(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->node_count; i++)
		if (strcmp(w->nodes[i].name, name) == 0)
			return &w->nodes[i];
	return NULL;
}

struct ip node_address(const struct node *n)
{
	return n->devices[n->conf.node.path[0]].v4;
}

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

const uint8_t *node_mac(const struct node *n)
{
	return n->devices[n->conf.node.path[0]].mac;
}

bool node_is_awake(const struct world *w, const struct node *n)
{
	return n->running && time_reached(w->now, n->stalled_until);
}

static int64_t stretch(int64_t duration_ns, int64_t ppm)
{
	if (ppm == 0)
		return duration_ns;
	return duration_ns + duration_ns / MILLION * ppm + duration_ns % MILLION * ppm / MILLION;
}

ha_time node_clock(const struct node *n, ha_time world)
{
	int64_t passed_ns = time_between(n->clock.world, world);

	/* Before: it is paused. */
	return passed_ns < 0 ? n->clock.own
			     : time_add(n->clock.own, stretch(passed_ns, n->clock.ppm));
}

ha_time node_world_time(const struct node *n, ha_time own)
{
	int64_t left_ns = time_between(n->clock.own, own);
	ha_time world;

	if (time_is_never(own))
		return TIME_NEVER;
	if (left_ns <= 0)
		return n->clock.world;
	world = time_add(n->clock.world, stretch(left_ns, -n->clock.ppm));
	while (node_clock(n, world).ns < own.ns)
		world = time_add(world, time_between(node_clock(n, world), own));
	return world;
}

void node_set_clock(struct world *w, struct node *n, int64_t ppm)
{
	n->clock = (struct clock){.world = w->now, .own = node_clock(n, w->now), .ppm = ppm};
}

bool node_serves(const struct world *w, const struct node *n, size_t group)
{
	const struct held *held = &n->held[group];
	const struct conf_address *first = &n->conf.addresses[n->conf.groups[group].address_first];
	const struct engine_device *d = &n->devices[first->device];

	/* The fence knows the lease, and what the engine has given up. */
	if (n->fenced && (!held->asked || time_reached(node_clock(n, w->now), n->lease)))
		return false;
	return held->up && !held->missing && d->present && d->up && d->carrier &&
	       time_reached(w->now, n->host_stalled_until);
}

static void set_up_devices(struct world *w, struct node *n, const char *address)
{
	for (size_t i = 0; i < n->conf.device_count; i++) {
		struct engine_device *d = &n->devices[i];

		*d = (struct engine_device){.index = (uint8_t)i,
			.present = true,
			.up = true,
			.carrier = true,
			.mac = {2, 0, 0, 0, (uint8_t)(node_index(w, n) + 1), (uint8_t)i},
			.interface_index = (uint32_t)(i + 2)};
	}
	if (!ip_parse(address, &n->devices[n->conf.node.path[0]].v4))
		world_tell(w, "%s is not an address", address);
	if (n->conf.node.path_count > 1) {
		struct engine_device *line = &n->devices[n->conf.node.path[1]];

		line->v4 = n->devices[n->conf.node.path[0]].v4;
		line->v4.bytes[0] = LINE_NET;
	}
}

bool node_add(struct world *w, const char *name, const char *text, const char *address,
	const char *secret)
{
	static struct conf_diagnostics wrong;
	struct node *n = &w->nodes[w->node_count];

	assert(w->node_count < WORLD_NODES_MAX);
	memset(n, 0, sizeof(*n));
	if (!conf_parse(text, strlen(text), name, &n->conf, &wrong)) {
		world_tell(w, "line %u: %s", wrong.list[0].line, wrong.list[0].message);
		return false;
	}
	text_copy(n->name, sizeof(n->name), name);
	if (strcmp(secret, "none") != 0)
		heartbeat_key_init(&n->key, (const uint8_t *)secret, strlen(secret));
	n->memory = calloc(1, engine_size(&n->conf));
	assert(n->memory);
	n->clock = (struct clock){.world = w->now, .own = w->now};
	n->deadline = TIME_NEVER;
	for (size_t g = 0; g < n->conf.group_count; g++)
		n->health[g] = (struct engine_health){
			.group = (uint16_t)g, .worth = n->conf.groups[g].worth};
	w->node_count++;
	set_up_devices(w, n, address);
	return true;
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

static void plan_timer(struct world *w, struct node *n)
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
	plan_timer(w, n);
}

static void step(struct world *w, struct node *n, const struct engine_event *event)
{
	step_once(w, n, event);
	if (hangs_in_sending(w, n))
		plan_timer(w, n);
	else
		take_results(w, n);
}

void node_has_sent(struct world *w, struct node *n)
{
	if (n->running)
		take_results(w, n);
}

static void tell_device(struct world *w, struct node *n, size_t device)
{
	struct engine_event event = {.kind = ENGINE_DEVICE, .device = n->devices[device]};
	struct happening h;

	if (node_is_awake(w, n)) {
		step(w, n, &event);
	} else if (n->running) {
		schedule_prepare(&h, HAPPENS_DEVICE)->note.index = (uint16_t)device;
		schedule(w, &h, node_index(w, n), w->now);
	}
}

void node_hear_device(struct world *w, struct node *n, size_t device)
{
	if (n->running)
		tell_device(w, n, device);
}

void node_device(struct world *w, struct node *n, size_t device)
{
	lan_joins(w, n);
	tell_device(w, n, device);
}

void node_prepared(struct world *w, struct node *n, size_t group, uint32_t run)
{
	struct engine_event event = {.kind = ENGINE_PREPARED,
		.preparation = {.group = (uint16_t)group, .run = run, .error = n->vetoes ? 1 : 0}};

	if (!n->running)
		return;
	n->said_yes[group] = !n->vetoes;
	step(w, n, &event);
}

void node_health(struct world *w, struct node *n, size_t group)
{
	struct engine_event event = {.kind = ENGINE_HEALTH, .health = &n->health[group]};
	struct happening h;

	if (node_is_awake(w, n)) {
		step(w, n, &event);
	} else if (n->running) {
		schedule_prepare(&h, HAPPENS_HEALTH)->note.index = (uint16_t)group;
		schedule(w, &h, node_index(w, n), w->now);
	}
}

void node_begin(struct world *w, struct node *n)
{
	struct engine_event event = {.kind = ENGINE_START, .drained = n->drained};

	n->running = true;
	answers_forget(w, n);
	n->sent = n->send_failed = n->told_to_stop = false;
	n->stalled_until = time_max(w->now, n->host_stalled_until);
	n->awake_since = n->stalled_until;
	step(w, n, &event);
	if (!n->succession.takes_up)
		keeper_tells_fence(w, n);
	for (size_t i = 0; i < n->conf.device_count; i++)
		node_device(w, n, i);
	for (size_t g = 0; g < n->conf.group_count; g++)
		if (n->succession.takes_up || n->health[g].impaired || n->health[g].ineligible ||
			n->health[g].worth != n->conf.groups[g].worth)
			node_health(w, n, g);
}

static void end_engine(struct node *n)
{
	n->running = false;
	n->died = n->boot++;
	n->deadline = TIME_NEVER;
}

void node_start(struct world *w, struct node *n)
{
	n->start_next = n->dying;
	if (n->dying)
		return; /* the service manager waits for the keeper's end */
	if (n->running)
		end_engine(n); /* one that has lost its keeper, and has not seen that yet */
	n->succession.paused = false;
	kernel_take_all_down(w, n); /* leftovers */
	n->boot++;
	n->identity = (struct engine_identity){.id = id_hash(ID_SEED, n->name, strlen(n->name))};
	n->identity.nonce = id_hash(n->identity.id, &n->boot, sizeof(n->boot));
	memset(n->memory, 0, engine_size(&n->conf));
	n->engine = engine_init(n->memory, &n->conf, n->identity, &n->key);
	if (n->tells_changes)
		engine_tell_changes(n->engine);
	keeper_start(w, n);
	invariant_started(w, n);
	node_begin(w, n);
}

void node_request(struct world *w, struct node *n, const struct control_request *asked)
{
	struct engine_request request = {.asked = *asked};
	struct engine_event event = {.kind = ENGINE_REQUEST, .request = &request};

	request.token = invariant_requested(w, n, asked);
	step(w, n, &event);
}

void node_stop(struct world *w, struct node *n)
{
	struct engine_event event = {.kind = ENGINE_STOP};

	n->told_to_stop = true;
	if (node_is_awake(w, n))
		step(w, n, &event);
	else
		keeper_tells_to_stop(w, n);
}

void node_kill(struct world *w, struct node *n)
{
	end_engine(n);
	keeper_cleans_up(w, n);
}

void node_crash(struct world *w, struct node *n)
{
	end_engine(n);
	keeper_dies(w, n);
	kernel_take_all_down(w, n);
	for (size_t g = 0; g < n->conf.group_count; g++)
		n->held[g].asked = false;
	n->dying = n->start_next = n->succession.paused = false;
	n->stalled_until = n->keeper_stalled_until = n->host_stalled_until = TIME_ORIGIN;
}

/* Without a fence its addresses go on answering, so the others must not think them free before they
 * have missed it (src/driver/keeper.c). */
void node_sees_orphaned(struct world *w, struct node *n)
{
	struct packet *p;

	if (!n->running || n->keeper.runs)
		return;
	n->lease = TIME_ORIGIN;
	if (n->fenced && n->own_will.size > 0 && !n->cannot_send) {
		n->own_will.source = node_address(n);
		p = lan_packet(w, n, &n->own_will);
		(void)lan_read_packet(p, n);
		lan_multicast(w, n, p);
		lan_drop_packet(w, p);
	}
	world_tell(w, "%s has lost its keeper, and ends", n->name);
	end_engine(n);
}

void node_orphan(struct world *w, struct node *n)
{
	struct happening h;

	keeper_dies(w, n);
	n->dying = false;
	if (n->lifetimes)
		kernel_make_mortal(w, n, keeper_lifetime_s(w, n));
	if (node_is_awake(w, n))
		node_sees_orphaned(w, n);
	else if (n->running)
		schedule(w, schedule_prepare(&h, HAPPENS_ORPHANED), node_index(w, n), w->now);
}

void node_stall(struct world *w, struct node *n, int64_t duration_ns)
{
	ha_time until = time_add(w->now, duration_ns);

	if (w->now.ns > n->stalled_until.ns) /* else it goes on: there was no time between */
		n->stalled_since = w->now;
	n->stalled_until = time_max(n->stalled_until, until);
	n->awake_since = time_max(n->awake_since, n->stalled_until);
}

void node_stall_keeper(struct world *w, struct node *n, int64_t duration_ns)
{
	if (n->lifetimes && n->keeper.runs)
		kernel_make_mortal(w, n, keeper_lifetime_s(w, n));
	n->keeper_stalled_until = time_max(n->keeper_stalled_until, time_add(w->now, duration_ns));
}

void node_stall_host(struct world *w, struct node *n, int64_t duration_ns)
{
	node_stall(w, n, duration_ns);
	node_stall_keeper(w, n, duration_ns);
	n->host_stalled_until = time_max(n->host_stalled_until, time_add(w->now, duration_ns));
}

void node_pause(struct world *w, struct node *n, int64_t duration_ns)
{
	node_stall_host(w, n, duration_ns);
	n->clock.own = node_clock(n, w->now);
	n->clock.world = n->host_stalled_until;
	if (n->running)
		plan_timer(w, n);
	/* Its lease did not pass with the others' patience. */
	for (size_t i = 0; i < WORLD_PORTS_MAX; i++)
		w->joined[node_index(w, n)][i] = w->joined[i][node_index(w, n)] =
			n->host_stalled_until;
}

void node_hear(struct world *w, struct node *n, const struct packet *p)
{
	const struct datagram *d = &p->datagram;
	struct engine_event event = {.kind = ENGINE_DATAGRAM,
		.datagram = {.bytes = d->bytes,
			.size = d->size,
			.hop_limit = d->hop_limit,
			.source = d->source}};

	if (!n->running)
		return;
	invariant_hears(w, n, p);
	step(w, n, &event);
}

void node_hear_keeper(struct world *w, struct node *n, const struct note *note)
{
	static struct channel_message m; /* large */
	struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = &m};

	if (!n->running)
		return;
	if (note->verb == CHANNEL_HOLD_FAILED)
		n->held[note->index].asked = false; /* from now on the engine knows */
	m.verb = note->verb;
	m.index = note->index;
	m.second = note->second;
	m.number = note->number;
	m.payload_size = 0;
	if (note->verb == CHANNEL_FRAME)
		m.payload_size = (uint16_t)frames_encode(&note->frame, m.payload);
	if (note->verb == CHANNEL_TARGET) {
		m.payload_size = IP_WIRE_SIZE;
		ip_to_wire(&note->frame.target, m.payload);
	}
	step(w, n, &event);
}

ha_time node_deadline(const struct node *n)
{
	return n->running ? time_max(n->deadline, n->stalled_until) : TIME_NEVER;
}

void node_timer(struct world *w, struct node *n)
{
	struct engine_event event = {.kind = ENGINE_TIMER};

	step(w, n, &event);
}

void node_frame(struct world *w, struct node *n, const struct frame *f)
{
	const struct note note = {.verb = CHANNEL_FRAME, .frame = *f};
	bool asks = f->kind == FRAME_REQUEST || f->kind == FRAME_PROBE;
	bool concerns = false;

	for (size_t a = 0; a < n->conf.address_count; a++) {
		const struct ip *ip = &n->conf.addresses[a].ip;

		if (asks && ip_equal(ip, &f->target))
			frames_answer(w, n, f, a);
		concerns = concerns || frames_concern(f, ip);
	}
	if (concerns && n->running && n->keeper.runs)
		keeper_notes(w, n, &note, w->now);
}
