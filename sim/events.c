/* SPDX-License-Identifier: ISC */
/* What reaches a node: its engine hears of it when it is awake, its kernel at once. */
#include "sim/invariants.h"
#include "sim/world.h"

static void tell_device(struct world *w, struct node *n, size_t device)
{
	struct engine_event event = {.kind = ENGINE_DEVICE, .device = n->devices[device]};
	struct happening h;

	if (node_is_awake(w, n)) {
		node_step(w, n, &event);
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

	if (!n->running || group >= n->conf.group_count)
		return;
	n->said_yes[group] = !n->vetoes;
	node_step(w, n, &event);
}

void node_health(struct world *w, struct node *n, size_t group)
{
	struct engine_event event = {.kind = ENGINE_HEALTH, .health = &n->health[group]};
	struct happening h;

	if (group >= n->conf.group_count)
		return; /* not any more */
	if (node_is_awake(w, n)) {
		node_step(w, n, &event);
	} else if (n->running) {
		schedule_prepare(&h, HAPPENS_HEALTH)->note.index = (uint16_t)group;
		schedule(w, &h, node_index(w, n), w->now);
	}
}

void node_request(struct world *w, struct node *n, const struct control_request *asked)
{
	struct engine_request request = {.asked = *asked};
	struct engine_event event = {.kind = ENGINE_REQUEST, .request = &request};

	request.token = invariant_requested(w, n, asked);
	node_step(w, n, &event);
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
	node_step(w, n, &event);
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
	node_step(w, n, &event);
}

ha_time node_deadline(const struct node *n)
{
	return n->running ? time_max(n->deadline, n->stalled_until) : TIME_NEVER;
}

void node_timer(struct world *w, struct node *n)
{
	struct engine_event event = {.kind = ENGINE_TIMER};

	node_step(w, n, &event);
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
