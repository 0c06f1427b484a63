/* SPDX-License-Identifier: ISC */
/*
 * client: a Linux host that uses the shared addresses, with its neighbour cache. What changes an
 * entry was measured: an announcement, as a request or as a reply whose target hardware address is
 * the sender's own, does at once; a request addressed to the client does too, and the client
 * answers it; any other reply does not within a second of the last change (locktime). An
 * advertisement with the override flag changes an entry at once, and makes none; a solicitation
 * addressed to the client does both.
 */
#include <string.h>

#include "base/assert.h"
#include "sim/tally.h"
#include "sim/world.h"

#define LOCKTIME_NS (1 * NS_PER_S)
/* An entry in use that nobody confirms is probed after 5 s, and given up after three probes. */
#define GIVE_UP_NS (8 * NS_PER_S)
#define ASK_NS     (1 * NS_PER_S)

const struct ip *client_address(const struct client *c, enum ip_family family)
{
	return family == IP_V6 ? &c->address_v6 : &c->address;
}

static size_t port_of(const struct world *w, const struct client *c)
{
	return WORLD_NODES_MAX + (size_t)(c - w->clients);
}

static void plan_use(struct world *w, struct client *c)
{
	struct happening h;

	schedule(w, schedule_prepare(&h, HAPPENS_USE), port_of(w, c),
		time_add(w->now, c->period_ns));
}

bool client_add(struct world *w, const char *name, const char *address, int64_t period_ns)
{
	struct client *c = &w->clients[w->client_count];

	if (w->client_count == WORLD_CLIENTS_MAX || period_ns <= 0)
		return false;
	memset(c, 0, sizeof(*c));
	if (!ip_parse(address, &c->address) || !ip_parse("2001:db8::", &c->address_v6) ||
		!text_copy(c->name, sizeof(c->name), name))
		return false;
	c->address_v6.bytes[15] = c->address.bytes[3];
	memcpy(c->mac, (const uint8_t[]){4, 0, 0, 0, 0, (uint8_t)(w->client_count + 1)}, MAC_SIZE);
	c->period_ns = period_ns;
	w->client_count++;
	plan_use(w, c);
	return true;
}

const struct node *client_reaches(const struct world *w, const struct client *c, size_t address)
{
	const struct neighbour *entry = &c->neighbours[address];
	const struct ip *ip = &w->shared[address].ip;
	size_t port = port_of(w, c);

	for (size_t i = 0; entry->known && i < w->node_count; i++) {
		const struct node *n = &w->nodes[i];

		if (memcmp(entry->mac, node_mac(n), MAC_SIZE) != 0 ||
			!lan_connects(w, port, i, CUT_FRAMES) ||
			!lan_connects(w, i, port, CUT_FRAMES) ||
			!time_reached(w->now, n->host_stalled_until))
			continue;
		if (node_serves_address(w, n, ip))
			return n;
	}
	return NULL;
}

/* By somebody whom the client could reach. */
static bool is_served(const struct world *w, const struct client *c, size_t address)
{
	const struct ip *ip = &w->shared[address].ip;
	size_t port = port_of(w, c);

	for (size_t i = 0; i < w->node_count; i++)
		if (node_serves_address(w, &w->nodes[i], ip) &&
			lan_connects(w, port, i, CUT_FRAMES) &&
			lan_connects(w, i, port, CUT_FRAMES))
			return true;
	return false;
}

static void ask(struct world *w, struct client *c, size_t address)
{
	struct neighbour *entry = &c->neighbours[address];
	struct frame f = {
		.kind = FRAME_REQUEST, .from = port_of(w, c), .target = w->shared[address].ip};

	if (entry->asked.ns != 0 && time_between(entry->asked, w->now) < ASK_NS)
		return;
	entry->asked = w->now;
	f.sender = *client_address(c, f.target.family);
	memcpy(f.mac, c->mac, MAC_SIZE);
	lan_frame_to_all(w, &f);
}

static void use(struct world *w, struct client *c, size_t address)
{
	struct neighbour *entry = &c->neighbours[address];
	bool reached =
		client_reaches(w, c, address) && !random_chance(&w->random, w->loss_permille);

	tally_use(w->tally, reached);
	if (reached) {
		entry->confirmed = w->now;
		return;
	}
	if (is_served(w, c, address))
		w->last_missed = w->now;
	if (entry->known &&
		time_between(time_max(entry->confirmed, entry->updated), w->now) > GIVE_UP_NS)
		entry->known = false;
	if (!entry->known)
		ask(w, c, address);
}

void client_use(struct world *w, struct client *c)
{
	for (size_t a = 0; a < w->shared_count; a++)
		use(w, c, a);
	plan_use(w, c);
}

static void answer(struct world *w, struct client *c, const struct frame *f)
{
	struct frame reply = {.kind = FRAME_REPLY,
		.from = port_of(w, c),
		.sender = f->target,
		.target = f->sender};

	memcpy(reply.mac, c->mac, MAC_SIZE);
	lan_frame_to(w, f->from, &reply);
}

static void take(struct world *w, struct neighbour *entry, const struct frame *f)
{
	bool news = !entry->known || memcmp(entry->mac, f->mac, MAC_SIZE) != 0;

	if (f->kind == FRAME_REPLY && f->sender.family == IP_V4 && entry->known && news &&
		time_between(entry->updated, w->now) < LOCKTIME_NS)
		return;
	if (f->kind != FRAME_REQUEST)
		entry->router = f->router;
	memcpy(entry->mac, f->mac, MAC_SIZE);
	if (news)
		entry->updated = w->now;
	entry->known = true;
}

void client_frame(struct world *w, struct client *c, const struct frame *f)
{
	bool to_me = f->kind == FRAME_REQUEST &&
		     ip_equal(&f->target, client_address(c, f->target.family));

	for (size_t a = 0; a < w->shared_count; a++) {
		struct neighbour *entry = &c->neighbours[a];

		if (!ip_equal(&w->shared[a].ip, &f->sender))
			continue;
		/* One that was never used has no entry that an announcement could change. */
		if (to_me || f->kind == FRAME_REPLY ||
			(f->kind == FRAME_ANNOUNCEMENT && entry->known))
			take(w, entry, f);
	}
	if (to_me)
		answer(w, c, f);
}
