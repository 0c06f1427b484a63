/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 6.6 (R6): "When the engine dies, it takes the addresses down and then sends it."
 *
 * Whoever hears the will claims at once: nothing may answer there any more.
 */
#include "sim/invariants.h"

void invariant_will(struct world *w, const struct node *n)
{
	for (size_t g = 0; g < n->conf.group_count; g++)
		if (node_serves(w, n, g))
			violated(w, "the will of %s is sent while it still serves %s", n->name,
				n->conf.groups[g].name);
}
