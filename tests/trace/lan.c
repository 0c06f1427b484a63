/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/assert.h"
#include "world.h"

static bool has_carrier(const struct node *n)
{
	const struct engine_device *d = &n->devices[n->conf.node.path[0]];

	return d->present && d->up && d->carrier;
}

bool lan_connects(
	const struct world *w, const struct node *from, const struct node *to, enum cut kind)
{
	return !(w->cuts[node_index(w, from)][node_index(w, to)] & kind) && has_carrier(from) &&
	       has_carrier(to);
}

void lan_cut(struct world *w, const struct node *from, const struct node *to, enum cut what)
{
	size_t a = node_index(w, from), b = node_index(w, to);

	if (from == to)
		return;
	w->cuts[a][b] = (uint8_t)what;
	w->joined[a][b] = w->joined[b][a] = w->now;
}

void lan_deliver(struct world *w, const struct node *to, const struct datagram *d)
{
	schedule(w, HAPPENS_DATAGRAM, to, time_add(w->now, w->delay_ns))->datagram = *d;
}

static bool is_configured_peer(const struct node *from, const struct node *to)
{
	struct ip address = node_address(to);

	for (size_t i = 0; i < from->conf.node.peer_count; i++)
		if (ip_equal(&from->conf.node.peer[i], &address))
			return true;
	return false;
}

void lan_multicast(struct world *w, struct node *from, const struct datagram *d)
{
	for (size_t i = 0; i < w->node_count; i++) {
		const struct node *to = &w->nodes[i];
		bool by_unicast =
			is_configured_peer(from, to) && lan_connects(w, from, to, CUT_UNICAST);

		if (to == from || !to->running)
			continue;
		if (lan_connects(w, from, to, CUT_MULTICAST)) {
			lan_deliver(w, to, d);
			if (w->duplicates)
				lan_deliver(w, to, d);
		}
		if (by_unicast)
			lan_deliver(w, to, d);
	}
}

void lan_unicast(
	struct world *w, struct node *from, const struct ip *address, const struct datagram *d)
{
	for (size_t i = 0; i < w->node_count; i++) {
		const struct node *to = &w->nodes[i];
		struct ip own = node_address(to);

		if (to != from && to->running && ip_equal(&own, address) &&
			lan_connects(w, from, to, CUT_UNICAST))
			lan_deliver(w, to, d);
	}
}
