/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 8.1: "A node that takes an IPv4 address sends ..." and 8.3: "Everything stops
 * when the group is released or the lease has passed."
 *
 * Every announcement, the requests that ask for an acknowledgement too, comes from a node on which
 * the address is up and whose lease is in force.
 */
#include "sim/invariants.h"

void announcements_check(struct world *w, const struct node *n, size_t address)
{
	size_t group = n->conf.addresses[address].group;

	if (!n->held[group].up)
		violated(w, "%s announces %s before it is up or after it is down", n->name,
			n->conf.groups[group].name);
	if (time_reached(node_clock(n, w->now), time_add(n->lease, 1)))
		violated(w, "%s announces %s after its lease has passed", n->name,
			n->conf.groups[group].name);
}
