/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 8.3: "Everything stops when the group is released"; 5.3: "While it listens (R1),
 * a node probes for each address"; 6.14: "claims when that is done ... counts for one claim".
 *
 * The keeper is asked only for what makes sense: it refuses the rest, and would tell so loudly.
 */
#include "sim/invariants.h"

void requests_check(struct world *w, const struct node *n, enum channel_verb verb, size_t index)
{
	bool is_address = verb == CHANNEL_RESTORE || verb == CHANNEL_ANNOUNCE ||
			  verb == CHANNEL_REQUEST || verb == CHANNEL_PROBE;
	size_t group = is_address ? n->conf.addresses[index].group : index;
	const struct held *held = &n->held[group];
	const char *verb_name = channel_verb_name(verb);

	if (verb == CHANNEL_READY || verb == CHANNEL_WILL || verb == CHANNEL_PAUSED)
		return;
	if (verb == CHANNEL_HOLD && held->asked)
		violated(w, "%s asks twice to hold", n->name);
	if (verb == CHANNEL_HOLD && n->conf.groups[index].hook_count[CONF_HOOK_BEFORE] > 0 &&
		!n->said_yes[index])
		violated(w, "%s claims %s before it is prepared", n->name,
			n->conf.groups[index].name);
	if (verb == CHANNEL_RELEASE && !held->asked)
		violated(w, "%s releases what it does not hold", n->name);
	if (is_address && verb != CHANNEL_PROBE && !held->asked)
		violated(w, "%s asks to %s what it does not hold", n->name, verb_name);
	if (is_address && verb != CHANNEL_PROBE && held->asked &&
		held->up_at.ns < held->asked_at.ns)
		violated(w, "%s asks to %s what is not up yet", n->name, verb_name);
	if (verb == CHANNEL_PROBE && held->asked)
		violated(w, "%s probes for what it holds", n->name);
}
