/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "sim/world.h"

static bool works(const struct engine_device *d)
{
	return d->present && d->up && d->carrier;
}

static bool has_carrier(const struct world *w, size_t port)
{
	const struct node *n;

	if (port >= WORLD_NODES_MAX)
		return true;
	n = &w->nodes[port];
	return works(&n->devices[n->conf.node.path[0]]);
}

/* A second path for heartbeats, which no client uses, or NULL. */
static const struct engine_device *line_of(const struct node *n)
{
	const struct engine_device *d = &n->devices[n->conf.node.path[1]];

	return n->conf.node.path_count > 1 && works(d) ? d : NULL;
}

bool lan_connects(const struct world *w, size_t from, size_t to, enum cut kind)
{
	return !(w->cuts[from][to] & kind) && has_carrier(w, from) && has_carrier(w, to);
}

bool lan_is_whole(const struct world *w, size_t a, size_t b, ha_time *ret_since)
{
	*ret_since = time_max(w->lossless_since, time_max(w->joined[a][b], w->joined[b][a]));
	return w->loss_permille == 0 && w->cuts[a][b] == CUT_NOTHING &&
	       w->cuts[b][a] == CUT_NOTHING && has_carrier(w, a) && has_carrier(w, b);
}

bool lan_carries_frames(const struct world *w, size_t a, size_t b, ha_time *ret_since)
{
	*ret_since = time_max(w->lossless_since, time_max(w->joined[a][b], w->joined[b][a]));
	return w->loss_permille == 0 && lan_connects(w, a, b, CUT_FRAMES) &&
	       lan_connects(w, b, a, CUT_FRAMES);
}

void lan_joins(struct world *w, const struct node *n)
{
	for (size_t i = 0; i < WORLD_PORTS_MAX; i++)
		w->joined[node_index(w, n)][i] = w->joined[i][node_index(w, n)] = w->now;
}

void lan_cut(struct world *w, size_t from, size_t to, enum cut what)
{
	if (from == to || w->cuts[from][to] == what)
		return;
	w->cuts[from][to] = (uint8_t)what;
	w->joined[from][to] = w->joined[to][from] = w->now;
}

size_t lan_port_count(const struct world *w)
{
	return WORLD_NODES_MAX + w->client_count;
}

const char *lan_port_name(const struct world *w, size_t port)
{
	return port < WORLD_NODES_MAX ? w->nodes[port].name
				      : w->clients[port - WORLD_NODES_MAX].name;
}

size_t lan_find_port(const struct world *w, const char *name)
{
	for (size_t i = 0; i < w->node_count; i++)
		if (strcmp(w->nodes[i].name, name) == 0)
			return i;
	for (size_t i = 0; i < w->client_count; i++)
		if (strcmp(w->clients[i].name, name) == 0)
			return WORLD_NODES_MAX + i;
	return WORLD_PORTS_MAX;
}

struct packet *lan_packet(struct world *w, const struct node *from, const struct datagram *d)
{
	struct packet *p = w->free_packets;

	if (p)
		w->free_packets = p->next_free;
	else
		p = malloc(sizeof(*p));
	assert(p);
	p->references = 1;
	p->from = node_index(w, from);
	p->boot = from->boot;
	p->sent = w->now;
	p->datagram.size = d->size;
	p->datagram.hop_limit = d->hop_limit;
	p->datagram.source = d->source;
	memcpy(p->datagram.bytes, d->bytes, d->size);
	p->readable = false;
	return p;
}

enum heartbeat_drop lan_read_packet(struct packet *p, const struct node *from)
{
	enum heartbeat_drop drop = heartbeat_decode(p->datagram.bytes, p->datagram.size,
		p->datagram.hop_limit, from->conf.node.cluster_tag, &from->key, &p->says);

	p->readable = drop == HEARTBEAT_ACCEPTED;
	return drop;
}

void lan_drop_packet(struct world *w, struct packet *p)
{
	assert(p->references > 0);
	if (--p->references > 0)
		return;
	p->next_free = w->free_packets;
	w->free_packets = p;
}

static ha_time arrival(struct world *w)
{
	int64_t jitter = w->jitter_ns > 0 ? random_between(&w->random, 0, w->jitter_ns) : 0;

	return time_add(w->now, w->delay_ns + jitter);
}

static void deliver_one(struct world *w, const struct node *to, struct packet *p)
{
	struct happening h;

	schedule_prepare(&h, HAPPENS_DATAGRAM)->packet = p;
	p->references++;
	schedule(w, &h, node_index(w, to), arrival(w));
}

void lan_deliver(struct world *w, const struct node *to, struct packet *p)
{
	if (random_chance(&w->random, w->loss_permille))
		return;
	deliver_one(w, to, p);
	if (random_chance(&w->random, w->duplicate_permille))
		deliver_one(w, to, p);
}

static bool is_configured_peer(const struct node *from, const struct node *to)
{
	struct ip address = node_address(to);

	for (size_t i = 0; i < from->conf.node.peer_count; i++)
		if (ip_equal(&from->conf.node.peer[i], &address))
			return true;
	return false;
}

/* The same datagram, but from the address that the sender has on its line. */
static struct packet *packet_by_line(
	struct world *w, const struct node *from, const struct packet *p)
{
	struct packet *copy = lan_packet(w, from, &p->datagram);

	copy->datagram.source = node_own_address(from, line_of(from));
	copy->boot = p->boot;
	copy->readable = p->readable;
	copy->says = p->says;
	return copy;
}

static void multicast_by_line(struct world *w, const struct node *from, const struct packet *p)
{
	struct packet *copy;

	if (!line_of(from))
		return;
	copy = packet_by_line(w, from, p);
	for (size_t i = 0; i < w->node_count; i++)
		if (&w->nodes[i] != from && w->nodes[i].running && line_of(&w->nodes[i]))
			lan_deliver(w, &w->nodes[i], copy);
	lan_drop_packet(w, copy);
}

static void unicast_by_line(
	struct world *w, const struct node *from, const struct ip *address, const struct packet *p)
{
	struct packet *copy;

	if (!line_of(from))
		return;
	copy = packet_by_line(w, from, p);
	for (size_t i = 0; i < w->node_count; i++) {
		const struct engine_device *line = line_of(&w->nodes[i]);
		struct ip own;

		if (&w->nodes[i] == from || !w->nodes[i].running || !line)
			continue;
		own = node_own_address(&w->nodes[i], line);
		if (ip_equal(&own, address))
			lan_deliver(w, &w->nodes[i], copy);
	}
	lan_drop_packet(w, copy);
}

void lan_multicast(struct world *w, struct node *from, struct packet *p)
{
	size_t sender = node_index(w, from);

	for (size_t i = 0; i < w->node_count; i++) {
		const struct node *to = &w->nodes[i];

		if (i == sender || !to->running)
			continue;
		if (lan_connects(w, sender, i, CUT_MULTICAST) &&
			from->conf.node.multicast.family != IP_NONE)
			lan_deliver(w, to, p);
		if (from->conf.node.peer_count > 0 && is_configured_peer(from, to) &&
			lan_connects(w, sender, i, CUT_DATAGRAMS))
			lan_deliver(w, to, p);
	}
	multicast_by_line(w, from, p);
}

void lan_unicast(struct world *w, struct node *from, const struct ip *address, struct packet *p)
{
	for (size_t i = 0; i < w->node_count; i++) {
		const struct node *to = &w->nodes[i];
		struct ip own = node_address(to);

		if (to != from && to->running && ip_equal(&own, address) &&
			lan_connects(w, node_index(w, from), i, CUT_DATAGRAMS))
			lan_deliver(w, to, p);
	}
	unicast_by_line(w, from, address, p);
}

/* Broadcast takes the way of unicast: snooping switches do not filter it. A firewall that drops the
 * heartbeats lets it through. */
void lan_frame_to(struct world *w, size_t port, const struct frame *f)
{
	struct happening h;

	if (port == f->from || !lan_connects(w, f->from, port, CUT_FRAMES) ||
		random_chance(&w->random, w->loss_permille))
		return;
	schedule_prepare(&h, HAPPENS_FRAME)->frame = *f;
	schedule(w, &h, port, arrival(w));
}

void lan_frame_to_all(struct world *w, const struct frame *f)
{
	for (size_t i = 0; i < w->node_count; i++)
		lan_frame_to(w, i, f);
	for (size_t i = 0; i < w->client_count; i++)
		lan_frame_to(w, WORLD_NODES_MAX + i, f);
}
