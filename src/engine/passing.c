/* SPDX-License-Identifier: ISC */
#include "engine/passing.h"

#include <string.h>

#include "engine/devices.h"
#include "engine/effects.h"
#include "engine/groups.h"
#include "engine/node.h"
#include "engine/peers.h"
#include "engine/tables.h"

/* After the release, for frames of clients who learn of it a little later: the new holder announces
 * as soon as it hears of the release. */
#define AFTER_NS (100 * NS_PER_MS)

/* By which @p is reached on our @device. Nodes name the hardware addresses of all devices that
 * carry shared addresses, in the order of their configurations. NULL: it cannot be told. */
static const uint8_t *mac_on(const struct engine *e, const struct peer_record *p, size_t device)
{
	size_t count = 0, own = 0;

	for (size_t i = 0; i < e->conf->device_count; i++) {
		if (i == device)
			own = count;
		count += devices_carry_shared(e, i);
	}
	return p->mac_count == count ? p->macs[own] : NULL;
}

static enum lease_service service_of(const struct election *election)
{
	switch (election->phase) {
	case ELECTION_ACTIVE: return election->lingering ? LEASE_HANDED_ON : LEASE_IN_SERVICE;
	case ELECTION_TAKING: return LEASE_IN_SERVICE;
	case ELECTION_LISTENING:
	case ELECTION_STANDBY:
	case ELECTION_RELEASING:
	case ELECTION_SHUTDOWN: break;
	}
	return LEASE_GIVEN_UP;
}

/* @peer: to whom; 0: to nobody. A group whose addresses are on several devices has that of its
 * first one passed on, the others' not. */
static void pass(
	struct engine *e, size_t group, uint64_t peer, int64_t duration_ns, struct effects *out)
{
	size_t device = e->conf->addresses[e->conf->groups[group].address_first].device;
	const struct engine_device *state = &e->devices[device].state;
	const struct peer_record *p = peers_find(e, peer);
	const uint8_t *mac = p ? mac_on(e, p, device) : NULL;
	struct engine_pass *effect = &effect_add(out, EFFECT_PASS)->pass;

	*effect = (struct engine_pass){
		.group = (uint16_t)group, .service = service_of(&e->groups[group].election)};
	if (!mac)
		return;
	memcpy(effect->mac, mac, MAC_SIZE);
	effect->interface_index = state->interface_index;
	effect->until = time_add(e->now, duration_ns);
}

/* The one that has handed the group to us has not released it yet. */
static bool granter_holds(struct engine *e, size_t group)
{
	const struct group *g = &e->groups[group];
	const struct peer_record *p = peers_find(e, g->election.granter);

	return p && peer_is_live(&p->peer, e->now) && entry_is_active(&p->entries[group]);
}

static void follow_back(struct engine *e, size_t group, bool begins, struct effects *out)
{
	struct group *g = &e->groups[group];
	bool serves = service_of(&g->election) == LEASE_IN_SERVICE;

	if (begins && g->election.granter != 0) {
		g->passes_back = true;
		pass(e, group, g->election.granter, e->conf->node.tolerance_ns, out);
	} else if (begins && !time_reached(e->now, g->passes_on_until)) {
		pass(e, group, 0, 0, out); /* that one is gone */
	} else if (g->passes_back && !(serves && granter_holds(e, group))) {
		g->passes_back = false;
		pass(e, group, 0, 0, out);
	}
}

void passing_follow(struct engine *e, size_t group, const struct election *was, struct effects *out)
{
	const struct election *now = &e->groups[group].election;
	bool changed = now->phase != was->phase;

	follow_back(e, group, changed && now->phase == ELECTION_TAKING, out);
	if (now->lingering && !was->lingering)
		pass(e, group, now->grantee, e->conf->node.tolerance_ns, out);
	else if (was->lingering && !now->lingering && now->phase == ELECTION_ACTIVE)
		pass(e, group, 0, 0, out);
	else if (changed && was->phase == ELECTION_RELEASING &&
		 now->cause == ELECTION_HANDED_OVER) {
		e->groups[group].passes_on_until = time_add(e->now, AFTER_NS);
		pass(e, group, now->cause_peer, AFTER_NS, out);
	}
}
