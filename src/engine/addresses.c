/* SPDX-License-Identifier: ISC */
#include "engine/addresses.h"

#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "engine/attention.h"
#include "engine/devices.h"
#include "engine/effects.h"
#include "engine/explain.h"
#include "engine/groups.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/measure.h"
#include "engine/node.h"
#include "engine/sticky.h"
#include "engine/suspicion.h"
#include "wire/arp.h"
#include "wire/nd.h"

#define STEP_DOWN_NS         (60 * NS_PER_S) /* off the group after its address was removed too often */
#define DEFEND_EVERY_NS      NS_PER_S        /* against a stranger's claim: RFC 5227 section 2.4 */
#define PROBES_PER_LISTENING 4
#define PROBE_EVERY_MIN_NS   (10 * NS_PER_MS)
#define PROBE_EVERY_MAX_NS   NS_PER_S
/* Many addresses are probed one after the other, so that the keeper has time for other things. */
#define PROBE_TAKES_NS (50 * NS_PER_US)

#define ETHERTYPE_ARP  0x0806
#define ETHERTYPE_IPV6 0x86dd

/* For each address of a group: for (EACH_ADDRESS(e, group, a)). */
#define EACH_ADDRESS(e, g, a)                                                                      \
	size_t a = (e)->conf->groups[g].address_first;                                             \
	a < (size_t)(e)->conf->groups[g].address_first + (e)->conf->groups[g].address_count;       \
	a++

/* After each change of its schedule. */
static void plan(struct engine *e, size_t a)
{
	deadlines_set(&e->announcing, a, announce_deadline(&e->addresses[a].announce));
}

void addresses_taken(struct engine *e, size_t group)
{
	for (EACH_ADDRESS(e, group, a)) {
		announce_start(&e->addresses[a].announce, e->now);
		plan(e, a);
		memset(e->addresses[a].answered, 0, sizeof(e->addresses[a].answered));
	}
}

void addresses_resumed(struct engine *e, size_t group)
{
	for (EACH_ADDRESS(e, group, a)) {
		if (e->addresses[a].announce.running)
			continue; /* it is new */
		announce_resume(&e->addresses[a].announce, e->now);
		plan(e, a);
	}
}

void addresses_released(struct engine *e, size_t group)
{
	for (EACH_ADDRESS(e, group, a)) {
		announce_stop(&e->addresses[a].announce);
		plan(e, a);
		e->addresses[a].target_count = 0;
	}
}

bool addresses_are_warm(const struct engine *e, size_t group)
{
	return e->conf->groups[group].warm && e->fence == CHANNEL_FENCE_BPF;
}

/* A node that has the address itself does not answer it. */
static bool can_answer(const struct engine *e, size_t a, size_t target)
{
	return !addresses_are_warm(e, e->conf->addresses[a].group) ||
	       !peers_include(e, &e->addresses[a].targets[target]);
}

size_t addresses_targets(const struct engine *e, size_t a, size_t *ret_acknowledged)
{
	const struct address *address = &e->addresses[a];
	size_t count = 0;

	*ret_acknowledged = 0;
	for (size_t t = 0; t < address->target_count; t++) {
		if (!can_answer(e, a, t))
			continue;
		count++;
		*ret_acknowledged += address->answered[t];
	}
	return count;
}

static void request_unanswered(struct engine *e, size_t a, struct effects *out)
{
	struct address *address = &e->addresses[a];
	bool unanswered = false;

	for (size_t t = 0; t < address->target_count; t++) {
		if (address->answered[t] || !can_answer(e, a, t))
			continue;
		unanswered = true;
		if (!effects_have_room(out))
			continue; /* with the next repetition */
		effect_keeper(out, CHANNEL_REQUEST, (uint16_t)a, (uint16_t)t, 0);
		metrics_count(&e->metrics, METRIC_REQUESTS);
	}
	if (!unanswered)
		announce_acknowledged(&address->announce);
	plan(e, a);
}

/* The whole set again, as if just taken: every neighbour must answer anew. */
static void announce_again(struct engine *e, size_t a, struct effects *out)
{
	struct address *address = &e->addresses[a];

	memset(address->answered, 0, sizeof(address->answered));
	if (!effects_have_room(out)) {
		announce_begin(&address->announce, e->now); /* with the next step */
		plan(e, a);
		return;
	}
	announce_start(&address->announce, e->now);
	plan(e, a);
	effect_keeper(out, CHANNEL_ANNOUNCE, (uint16_t)a, 0, 0);
	metrics_count(&e->metrics, METRIC_ANNOUNCEMENTS);
	request_unanswered(e, a, out);
}

void addresses_announce(struct engine *e, size_t group, struct effects *out)
{
	for (EACH_ADDRESS(e, group, a))
		announce_again(e, a, out);
}

void addresses_due(struct engine *e, struct effects *out)
{
	size_t a;

	while (effects_have_room(out) && deadlines_take(&e->announcing, e->now, &a)) {
		const struct group *g = &e->groups[e->conf->addresses[a].group];
		unsigned due = announce_take_due(&e->addresses[a].announce, e->now);

		plan(e, a);
		if (g->election.lingering)
			continue; /* it is the new holder's to announce */
		if (due & ANNOUNCE_BROADCAST) {
			effect_keeper(out, CHANNEL_ANNOUNCE, (uint16_t)a, 0, 0);
			metrics_count(&e->metrics, METRIC_ANNOUNCEMENTS);
		}
		if (due & ANNOUNCE_REQUESTS)
			request_unanswered(e, a, out);
	}
}

ha_time addresses_deadline(const struct engine *e)
{
	return deadlines_first(&e->announcing);
}

static size_t removals_within(const struct address *address, ha_time now, int64_t window_ns)
{
	size_t count = 0;

	for (size_t i = 0; i < REMOVALS_MAX; i++)
		if (address->removals[i].ns != 0 &&
			time_between(address->removals[i], now) < window_ns)
			count++;
	return count;
}

void addresses_removed(struct engine *e, size_t a, struct effects *out)
{
	const struct conf_node *node = &e->conf->node;
	size_t group = e->conf->addresses[a].group;
	struct address *address = &e->addresses[a];
	char text[IP_TEXT_SIZE], window[DURATION_TEXT_SIZE];

	if (!group_may_serve(e, group))
		return;
	ip_format(&e->conf->addresses[a].ip, text);
	address->removals[address->removal_next] = e->now;
	address->removal_next = (uint8_t)((address->removal_next + 1) % REMOVALS_MAX);
	if (removals_within(address, e->now, node->removals_window_ns) < node->removals_limit) {
		effect_keeper(out, CHANNEL_RESTORE, (uint16_t)a, 0, 0);
		metrics_count(&e->metrics, METRIC_RESTORED);
		announce_start(&address->announce, e->now);
		plan(e, a);
		effect_group_report(e, out, REPORT_ADDRESS, REPORT_WARNING, group,
			"%s was removed by somebody else; put back", text);
		return;
	}
	memset(address->removals, 0, sizeof(address->removals));
	e->groups[group].hold_off_address = (uint16_t)a;
	group_hold_off(e, group, INELIGIBLE_REMOVED, STEP_DOWN_NS);
	explain_duration(node->removals_window_ns, window, sizeof(window));
	effect_group_report(e, out, REPORT_ADDRESS, REPORT_ERROR, group,
		"%s was removed by somebody else %u times in %s; this node steps down instead of "
		"fighting: find the network manager that does it",
		text, node->removals_limit, window);
}

void addresses_target(struct engine *e, const struct channel_message *m)
{
	struct address *address = &e->addresses[m->index];

	assert(m->index < e->conf->address_count);
	if (m->second >= TARGETS_MAX)
		return;
	address->targets[m->second] = ip_from_wire(m->payload);
	address->answered[m->second] = false;
	address->target_count = (uint8_t)(m->second + 1);
	/* R8: a group that goes on has got this one with its new configuration. */
	if (e->groups[e->conf->addresses[m->index].group].unsure) {
		announce_start(&address->announce, e->now);
		plan(e, m->index);
	}
}

/* What an ARP or ND frame means to us. */
struct claim {
	struct ip sender;    /* who speaks */
	struct ip spoken_to; /* whom it answers; IP_NONE if it is no answer */
	const uint8_t *mac;
};

static void acknowledge(struct engine *e, size_t a, const struct ip *neighbour, struct effects *out)
{
	struct address *address = &e->addresses[a];
	char text[IP_TEXT_SIZE], own[IP_TEXT_SIZE], took[DURATION_TEXT_SIZE];

	if (!address->announce.running)
		return;
	for (size_t t = 0; t < address->target_count; t++) {
		if (address->answered[t] || !ip_equal(&address->targets[t], neighbour))
			continue;
		address->answered[t] = true;
		attention_mark(e, e->conf->addresses[a].group);
		measure_acknowledged(e, e->conf->addresses[a].group);
		sticky_acknowledged(e, e->conf->addresses[a].group, neighbour);
		explain_duration(
			time_between(address->announce.started, e->now), took, sizeof(took));
		effect_group_report(e, out, REPORT_ACKNOWLEDGED, REPORT_INFO,
			e->conf->addresses[a].group, "%s has acknowledged %s after %s",
			ip_format(neighbour, text), ip_format(&e->conf->addresses[a].ip, own),
			took);
	}
}

/* Two and a half probes without an answer: nobody is there any more. */
static int64_t conflict_window_ns(const struct group *g)
{
	return g->probe_every_ns * 5 / 2;
}

/* Somebody else says that a shared address is its own. */
static void meet_claim(struct engine *e, size_t a, const struct claim *claim, struct effects *out)
{
	struct address *address = &e->addresses[a];
	size_t group = e->conf->addresses[a].group;
	const struct group *g = &e->groups[group];
	char text[IP_TEXT_SIZE];
	const uint8_t *mac = claim->mac;

	if (devices_own_mac(e, mac))
		return;
	suspicion_answered(e, a, mac, out);
	if (g->probing) {
		attention_mark(e, group);
		if (time_between(address->conflict_at, e->now) > conflict_window_ns(g))
			address->conflict_since = e->now;
		address->conflict_at = e->now;
		memcpy(address->conflict_mac, mac, MAC_SIZE);
		return;
	}
	if (!group_may_serve(e, group) || g->election.grantee != 0 || g->election.contenders != 0 ||
		time_between(address->defended_at, e->now) < DEFEND_EVERY_NS)
		return;
	address->defended_at = e->now;
	metrics_count(&e->metrics, METRIC_CONFLICTS);
	effect_group_report(e, out, REPORT_CONFLICT, REPORT_ERROR, group,
		"%02x:%02x:%02x:%02x:%02x:%02x claims %s too, which this node holds; announced "
		"again",
		mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
		ip_format(&e->conf->addresses[a].ip, text));
	announce_again(e, a, out);
}

static bool read_arp(const uint8_t *frame, size_t size, struct arp *arp, struct claim *claim)
{
	if (!arp_decode(frame, size, arp))
		return false;
	claim->sender = arp->sender;
	claim->mac = arp->sender_mac;
	if (arp->operation == ARP_REPLY)
		claim->spoken_to = arp->target;
	return true;
}

static bool read_nd(const uint8_t *frame, size_t size, struct nd *nd, struct claim *claim)
{
	if (!nd_decode(frame, size, nd))
		return false;
	claim->sender = nd->type == ND_ADVERTISEMENT ? nd->target : nd->source;
	claim->mac = nd->has_link_address ? nd->link_address : nd->source_mac;
	if (nd->type == ND_ADVERTISEMENT)
		claim->spoken_to = nd->destination;
	return true;
}

void addresses_frame(struct engine *e, const struct channel_message *m, struct effects *out)
{
	struct claim claim = {0};
	int sender, spoken_to;
	struct arp arp;
	struct nd nd;
	unsigned type;

	if (m->payload_size < 14)
		return;
	type = (unsigned)(m->payload[12] << 8 | m->payload[13]);
	if (type == ETHERTYPE_ARP && !read_arp(m->payload, m->payload_size, &arp, &claim))
		return;
	if (type == ETHERTYPE_IPV6 && !read_nd(m->payload, m->payload_size, &nd, &claim))
		return;
	if (!claim.mac || ip_is_unspecified(&claim.sender))
		return;
	sender = conf_address_by_ip(e->conf, &claim.sender);
	if (sender >= 0)
		meet_claim(e, (size_t)sender, &claim, out);
	spoken_to = conf_address_by_ip(e->conf, &claim.spoken_to);
	if (spoken_to >= 0 && spoken_to != sender)
		acknowledge(e, (size_t)spoken_to, &claim.sender, out);
}

void probes_start(struct engine *e, size_t group)
{
	struct group *g = &e->groups[group];
	int64_t every = e->conf->node.tolerance_ns / PROBES_PER_LISTENING;
	int64_t round = e->conf->address_count * PROBE_TAKES_NS;
	bool crowded = round > every;

	every = crowded ? round : every;
	g->probing = true;
	g->probe_at = e->now;
	if (crowded)
		g->probe_at =
			time_add(e->now, e->conf->groups[group].address_first * PROBE_TAKES_NS);
	g->probe_every_ns = every < PROBE_EVERY_MIN_NS   ? PROBE_EVERY_MIN_NS
			    : every > PROBE_EVERY_MAX_NS ? PROBE_EVERY_MAX_NS
							 : every;
	for (EACH_ADDRESS(e, group, a))
		e->addresses[a].conflict_at = TIME_ORIGIN;
}

void probes_resume(struct engine *e, size_t group)
{
	probes_start(e, group);
	for (EACH_ADDRESS(e, group, a))
		e->addresses[a].conflict_at = e->now;
}

/* Whether somebody has claimed an address since the last probe for it. */
static bool was_answered(const struct engine *e, size_t group)
{
	const struct group *g = &e->groups[group];
	ha_time probed = time_add(g->probe_at, -g->probe_every_ns);

	for (EACH_ADDRESS(e, group, a))
		if (e->addresses[a].conflict_at.ns >= probed.ns)
			return true;
	return false;
}

static void probe(struct engine *e, size_t group, struct effects *out)
{
	struct group *g = &e->groups[group];

	for (EACH_ADDRESS(e, group, a)) {
		if (!effects_have_room(out))
			break;
		effect_keeper(out, CHANNEL_PROBE, (uint16_t)a, 0, 0);
		metrics_count(&e->metrics, METRIC_PROBES);
	}
	/* Once it is known that somebody answers, ask ever more seldom whether he still does; when
	 * he does not, make sure of it soon. */
	if (g->conflict && was_answered(e, group) && g->probe_every_ns < PROBE_EVERY_MAX_NS)
		g->probe_every_ns = g->probe_every_ns * 2 < PROBE_EVERY_MAX_NS
					    ? g->probe_every_ns * 2
					    : PROBE_EVERY_MAX_NS;
	g->probe_at = time_add(e->now, g->probe_every_ns);
}

void probes_due(struct engine *e, struct effects *out)
{
	for (size_t group = 0; attention_seen(e, &group); group++) {
		const struct group *g = &e->groups[group];

		if (!g->probing || !time_reached(e->now, g->probe_at))
			continue;
		if (e->attention.lazy && !effects_have_room(out))
			attention_mark(e, group); /* with the next step, at once */
		else
			probe(e, group, out);
	}
}

int probes_conflict(const struct engine *e, size_t group)
{
	const struct group *g = &e->groups[group];
	/* One claim may be the announcement of a node that has just taken the group, whose
	 * heartbeat is still on its way: a stranger answers more than one probe. */
	int64_t sure_ns = g->conflict ? 0 : g->probe_every_ns / 2;

	for (EACH_ADDRESS(e, group, a)) {
		const struct address *address = &e->addresses[a];

		if (address->conflict_at.ns != 0 &&
			time_between(address->conflict_at, e->now) < conflict_window_ns(g) &&
			time_between(address->conflict_since, address->conflict_at) >= sure_ns)
			return (int)a;
	}
	return -1;
}
