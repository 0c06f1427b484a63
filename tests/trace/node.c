/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "wire/arp.h"
#include "world.h"

static const uint8_t STRANGER_MAC[MAC_SIZE] = {0x66, 0x66, 0, 0, 0, 0x66};

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

bool node_is_awake(const struct world *w, const struct node *n)
{
	return n->running && time_reached(w->now, n->stalled_until);
}

bool node_serves(const struct node *n, size_t group)
{
	const struct held *held = &n->held[group];
	const struct conf_address *first = &n->conf.addresses[n->conf.groups[group].address_first];
	const struct engine_device *d = &n->devices[first->device];

	return held->up && !held->missing && d->present && d->up && d->carrier;
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
	n->memory = calloc(1, engine_size());
	assert(n->memory);
	w->node_count++;
	set_up_devices(w, n, address);
	return true;
}

/* The keeper does one thing after the other. */
static ha_time keeper_done_at(const struct world *w, struct node *n)
{
	n->keeper_busy_until = time_add(time_max(w->now, n->keeper_busy_until), KEEPER_TAKES_NS);
	return n->keeper_busy_until;
}

static void keeper_says(
	struct world *w, struct node *n, enum channel_verb verb, size_t index, uint64_t number)
{
	struct channel_message *m = &schedule(w, HAPPENS_MESSAGE, n, w->now)->message;

	m->verb = verb;
	m->index = (uint16_t)index;
	m->number = number;
}

/* Somebody who uses @address answers a probe of @n, as the kernel does. */
static void answer_probe(
	struct world *w, struct node *n, const struct ip *address, const uint8_t mac[MAC_SIZE])
{
	ha_time at = time_add(w->now, 2 * w->delay_ns);
	struct channel_message *m = &schedule(w, HAPPENS_MESSAGE, n, at)->message;

	m->verb = CHANNEL_FRAME;
	m->payload_size = ARP_FRAME_SIZE;
	arp_encode_announcement_reply(m->payload, mac, address);
}

static void probe(struct world *w, struct node *n, size_t a)
{
	const struct ip *address = &n->conf.addresses[a].ip;

	if (ip_equal(&w->stranger, address))
		answer_probe(w, n, address, STRANGER_MAC);
	for (size_t i = 0; i < w->node_count; i++) {
		const struct node *other = &w->nodes[i];

		if (other != n && a < other->conf.address_count &&
			node_serves(other, other->conf.addresses[a].group) &&
			lan_connects(w, n, other, CUT_UNICAST) &&
			lan_connects(w, other, n, CUT_UNICAST))
			answer_probe(w, n, address, other->devices[0].mac);
	}
}

static void keeper_told(struct world *w, struct node *n, const struct effect *effect)
{
	size_t index = effect->keeper.index;
	uint64_t number = effect->keeper.number;
	char text[IP_TEXT_SIZE];

	check_keeper(w, n, effect->keeper.verb, index, number);
	switch (effect->keeper.verb) {
	case CHANNEL_HOLD:
		n->held[index].asked = true;
		n->held[index].epoch = n->held[index].last_epoch = number;
		schedule(w, HAPPENS_HELD, n, keeper_done_at(w, n))->message =
			(struct channel_message){.index = (uint16_t)index, .number = number};
		break;
	case CHANNEL_RELEASE:
		n->held[index].asked = false;
		schedule(w, HAPPENS_RELEASED, n, keeper_done_at(w, n))->message.index =
			(uint16_t)index;
		break;
	case CHANNEL_RESTORE: n->held[n->conf.addresses[index].group].missing = false; break;
	case CHANNEL_ANNOUNCE:
		if (w->shows_announcements)
			world_tell(w, "%s announces %s", n->name,
				ip_format(&n->conf.addresses[index].ip, text));
		break;
	case CHANNEL_PROBE: probe(w, n, index); break;
	case CHANNEL_WILL:
		n->will = (struct datagram){
			.size = effect->keeper.payload_size, .hop_limit = HEARTBEAT_HOP_LIMIT};
		memcpy(n->will.bytes, effect->keeper.payload, n->will.size);
		break;
	default: break;
	}
}

static void send_datagram(struct world *w, struct node *n, const struct effect *effect)
{
	struct datagram d = {.size = effect->send.size,
		.hop_limit = HEARTBEAT_HOP_LIMIT,
		.source = node_address(n)};

	memcpy(d.bytes, effect->send.bytes, d.size);
	if (effect->kind == EFFECT_SEND_TO) {
		if (!n->cannot_send)
			lan_unicast(w, n, &effect->send.to, &d);
		return;
	}
	check_sent(w, n, &d);
	n->sent = !n->cannot_send;
	n->send_failed = n->cannot_send;
	if (n->cannot_send)
		return;
	n->last_sent = w->now;
	n->last = d;
	lan_multicast(w, n, &d);
}

static void report(struct world *w, const struct node *n, const struct report *r)
{
	static const char *const levels[] = {", error", ", warning", "", ""};

	check_report(w, n, r);
	if (r->kind == REPORT_STATE)
		world_tell(w, "%s%s: %s %s (epoch %llu)", n->name, levels[r->level], r->group,
			r->text, (unsigned long long)r->epoch);
	else if (r->group[0] != '\0')
		world_tell(w, "%s%s: %s: %s", n->name, levels[r->level], r->group, r->text);
	else
		world_tell(w, "%s%s: %s", n->name, levels[r->level], r->text);
}

static void stopped(struct world *w, struct node *n)
{
	n->running = false;
	world_tell(w, "%s ends", n->name);
	for (size_t g = 0; g < n->conf.group_count; g++)
		if (n->held[g].up || n->held[g].asked)
			check_violated(
				w, "%s ends and still holds %s", n->name, n->conf.groups[g].name);
}

static void perform(struct world *w, struct node *n, const struct effect *effect)
{
	switch (effect->kind) {
	case EFFECT_SEND:
	case EFFECT_SEND_TO: send_datagram(w, n, effect); break;
	case EFFECT_LEASE:
		check_lease(w, n, effect->lease);
		n->lease = effect->lease;
		break;
	case EFFECT_KEEPER: keeper_told(w, n, effect); break;
	case EFFECT_REPORT: report(w, n, &effect->report); break;
	case EFFECT_HOOK: break; /* needs a configuration with commands: not told here */
	case EFFECT_STOPPED: stopped(w, n); break;
	}
}

static void step_once(struct world *w, struct node *n, const struct engine_event *event)
{
	engine_step(n->engine, w->now, event, &w->effects);
	for (size_t i = 0; i < w->effects.count; i++)
		perform(w, n, &w->effects.list[i]);
	check_step(w, n);
}

static void step(struct world *w, struct node *n, const struct engine_event *event)
{
	step_once(w, n, event);
	while (n->running && (n->sent || n->send_failed)) {
		struct engine_event result = {
			.kind = n->sent ? ENGINE_SENT : ENGINE_SEND_FAILED, .error = EPERM};

		n->sent = n->send_failed = false;
		step_once(w, n, &result);
	}
}

void node_device(struct world *w, struct node *n, size_t device)
{
	struct engine_event event = {.kind = ENGINE_DEVICE, .device = n->devices[device]};

	/* Whom a device that comes or goes connects has to meet again. */
	for (size_t i = 0; i < w->node_count; i++)
		w->joined[node_index(w, n)][i] = w->joined[i][node_index(w, n)] = w->now;
	if (n->running)
		step(w, n, &event);
}

void node_start(struct world *w, struct node *n)
{
	struct engine_identity identity = {.id = id_hash(ID_SEED, n->name, strlen(n->name))};
	struct engine_event event = {.kind = ENGINE_START};

	n->boot++;
	identity.nonce = id_hash(identity.id, &n->boot, sizeof(n->boot));
	memset(n->memory, 0, engine_size());
	memset(n->held, 0, sizeof(n->held));
	n->engine = engine_init(n->memory, &n->conf, identity, &n->key);
	n->running = true;
	n->stopped = n->sent = n->send_failed = false;
	n->stalled_until = n->awake_since = w->now;
	n->keeper_busy_until = n->lease = n->last_sent = TIME_ORIGIN;
	n->will.size = 0;
	step(w, n, &event);
	for (size_t i = 0; i < n->conf.device_count; i++)
		node_device(w, n, i);
}

void node_stop(struct world *w, struct node *n)
{
	struct engine_event event = {.kind = ENGINE_STOP};

	step(w, n, &event);
}

void node_kill(struct world *w, struct node *n)
{
	n->running = false;
	n->boot++;
	schedule(w, HAPPENS_WILL, n, keeper_done_at(w, n));
}

void node_crash(struct world *w, struct node *n)
{
	n->running = false;
	n->boot++;
	memset(n->held, 0, sizeof(n->held));
	(void)w;
}

void node_stall(struct world *w, struct node *n, int64_t duration_ns)
{
	n->stalled_until = n->awake_since = time_add(w->now, duration_ns);
}

void node_remove_address(struct world *w, struct node *n, size_t address)
{
	n->held[n->conf.addresses[address].group].missing = true;
	keeper_says(w, n, CHANNEL_REMOVED, address, 0);
}

static void held(struct world *w, struct node *n, size_t group, uint64_t epoch)
{
	struct held *held = &n->held[group];

	if (held->refuses) {
		held->asked = false;
		keeper_says(w, n, CHANNEL_HOLD_FAILED, group, EPERM);
		return;
	}
	held->up = true;
	held->missing = false;
	keeper_says(w, n, CHANNEL_HELD, group, epoch);
}

static void released(struct world *w, struct node *n, size_t group)
{
	n->held[group].up = false;
	n->held[group].down_at = w->now;
	keeper_says(w, n, CHANNEL_RELEASED, group, 0);
}

/* R6: first the addresses, then the word. */
static void send_will(struct world *w, struct node *n)
{
	memset(n->held, 0, sizeof(n->held));
	n->will.source = node_address(n);
	if (n->will.size > 0)
		lan_multicast(w, n, &n->will);
}

static void hear(struct world *w, struct node *n, const struct datagram *d)
{
	struct engine_event event = {.kind = ENGINE_DATAGRAM,
		.datagram = {.bytes = d->bytes,
			.size = d->size,
			.hop_limit = d->hop_limit,
			.source = d->source}};

	if (n->running)
		step(w, n, &event);
}

static void hear_keeper(struct world *w, struct node *n, const struct channel_message *m)
{
	struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = m};

	if (n->running)
		step(w, n, &event);
}

void node_happens(struct world *w, struct node *n, const struct happening *h)
{
	switch (h->kind) {
	case HAPPENS_DATAGRAM: hear(w, n, &h->datagram); break;
	case HAPPENS_MESSAGE: hear_keeper(w, n, &h->message); break;
	case HAPPENS_HELD: held(w, n, h->message.index, h->message.number); break;
	case HAPPENS_RELEASED: released(w, n, h->message.index); break;
	case HAPPENS_WILL: send_will(w, n); break;
	}
}

ha_time node_deadline(const struct world *w, const struct node *n)
{
	(void)w;
	return n->running ? time_max(engine_deadline(n->engine), n->stalled_until) : TIME_NEVER;
}

void node_timer(struct world *w, struct node *n)
{
	struct engine_event event = {.kind = ENGINE_TIMER};

	step(w, n, &event);
}

ha_time node_watchdog_deadline(const struct node *n)
{
	for (size_t g = 0; g < n->conf.group_count; g++)
		if (n->held[g].up)
			return n->lease;
	return TIME_NEVER;
}

void node_watchdog(struct world *w, struct node *n)
{
	for (size_t g = 0; g < n->conf.group_count; g++) {
		if (!n->held[g].up)
			continue;
		n->held[g].up = false;
		keeper_says(w, n, CHANNEL_EXPIRED, g, 0);
	}
}
