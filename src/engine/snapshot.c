/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "engine/addresses.h"
#include "engine/devices.h"
#include "engine/explain.h"
#include "engine/groups.h"
#include "engine/health.h"
#include "engine/holders.h"
#include "engine/inputs.h"
#include "engine/next.h"
#include "engine/node.h"
#include "engine/paths.h"
#include "engine/peers.h"
#include "engine/sticky.h"
#include "engine/suspicion.h"

static void fill_group(
	const struct engine *e, size_t group, int64_t wall_offset_ms, struct status *s)
{
	const struct conf_group *conf = &e->conf->groups[group];
	const struct group *g = &e->groups[group];
	struct status_group *status = &s->groups[group];
	uint64_t holder = group_holder(e, group);

	*status = (struct status_group){0};
	text_copy(status->name, sizeof(status->name), conf->name);
	text_copy(status->policy, sizeof(status->policy), conf_policy_name(conf->policy));
	status->warm = addresses_are_warm(e, group);
	status->state = group_state(g);
	explain_group(e, group, status->reason, sizeof(status->reason));
	explain_what_next(e, group, status->next, sizeof(status->next));
	status->worth = g->health.worth;
	status->configured_worth = conf->worth;
	status->impaired = health_is_impaired(e, group);
	status->eligible = group_ineligible(e, group) == ELIGIBLE;
	status->epoch = status->state == STATE_ACTIVE ? g->election.epoch : g->election.epoch_seen;
	if (holder == e->identity.id)
		text_copy(status->holder, sizeof(status->holder), e->conf->node.name);
	else if (holder != 0)
		text_copy(status->holder, sizeof(status->holder), peers_name(e, holder));
	status->since_ms = wall_offset_ms + g->state_since.ns / NS_PER_MS;
	status->address_first = conf->address_first;
	status->address_count = conf->address_count;
	status->transitions = g->transitions;
}

static void fill_address(const struct engine *e, size_t a, struct status_address *status)
{
	const struct conf_address *conf = &e->conf->addresses[a];
	size_t acknowledged;

	*status = (struct status_address){0};
	status->ip = conf->ip;
	status->prefix_length = conf->prefix_length;
	text_copy(status->device, sizeof(status->device), e->conf->devices[conf->device].name);
	status->targets = (uint8_t)addresses_targets(e, a, &acknowledged);
	status->acknowledged = (uint8_t)acknowledged;
}

static void fill_peer(const struct engine *e, ha_time now, const struct peer_record *p,
	struct status_peer *status)
{
	text_copy(status->name, sizeof(status->name), p->name);
	status->id = p->peer.id;
	status->address = p->address;
	status->live = peer_is_live(&p->peer, e->now);
	/* Shown for what it is also while unicast helps. */
	status->hears_me = peer_hears_us(&p->peer, e->conf->node.tolerance_ns) && p->was_hearing;
	status->proven = p->peer.proven;
	status->last_heard_ms = time_between(p->peer.heard, now) / NS_PER_MS;
	status->interval_ms = p->peer.interval_ns / NS_PER_MS;
	status->tolerance_ms = p->peer.tolerance_ns / NS_PER_MS;
	status->received = p->received;
	for (size_t i = 0; i < e->conf->node.path_count; i++)
		status->path_heard_ms[i] =
			p->path_heard[i].ns == 0 ? -1
						 : time_between(p->path_heard[i], now) / NS_PER_MS;
}

static void fill_path(const struct engine *e, size_t path, struct status_path *status)
{
	size_t device = e->conf->node.path[path];

	text_copy(status->interface, sizeof(status->interface), e->conf->devices[device].name);
	status->address = devices_address(e, device);
	status->up = devices_path_speaks(e, path);
	devices_describe_path(e, path, status->state, sizeof(status->state));
}

__attribute__((format(printf, 2, 3))) static void warn(struct status *s, const char *format, ...)
{
	va_list arguments;

	if (s->warning_count == STATUS_WARNINGS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(s->warnings[s->warning_count++], STATUS_REASON_SIZE, format, arguments);
	va_end(arguments);
}

static void warn_of_peers(const struct engine *e, struct status *s)
{
	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];
		char address[IP_TEXT_SIZE];

		if (!peers_is_audible(e, p) || p->was_hearing)
			continue;
		ip_format(&p->address, address);
		if (peer_hears_us(&p->peer, e->conf->node.tolerance_ns))
			warn(s,
				"%s (%s) hears this node by unicast only: is multicast filtered on "
				"the "
				"way?",
				p->name, address);
		else
			warn(s,
				"%s (%s) is heard but does not hear this node: is multicast "
				"filtered "
				"on the way, or unicast by a firewall?",
				p->name, address);
	}
}

/* Nothing is lost yet, but the next fault may be one too many. */
static void warn_of_paths(const struct engine *e, struct status *s)
{
	size_t count = e->conf->node.path_count;

	for (size_t path = 0; count > 1 && path < count; path++) {
		const char *name = s->paths[path].interface;

		if (!devices_path_speaks(e, path))
			warn(s, "heartbeat interface %s %s", name, s->paths[path].state);
		for (size_t i = 0; i < e->peer_count; i++)
			if (paths_is_lost(e, &e->peers[i], path))
				warn(s, "%s is not heard by %s, only by other interfaces",
					e->peers[i].name, name);
	}
}

static void warn_of_group(const struct engine *e, size_t group, struct status *s)
{
	const struct group *g = &e->groups[group];

	if (g->suspicion.withheld)
		warn(s,
			"group %s: %s answers for it although it is not heard: is multicast or UDP "
			"port %u filtered on the way?",
			s->groups[group].name, peers_name(e, suspicion_holder(e, group)),
			e->conf->node.port);
	if (e->conf->groups[group].warm && !s->groups[group].warm)
		warn(s,
			"group %s: standby = warm needs programs in the kernel (BPF) as the fence; "
			"its addresses come when it is held",
			s->groups[group].name);
	if (g->conflict)
		warn(s, "group %s: %s", s->groups[group].name, s->groups[group].reason);
	if (g->election.contenders != 0 && group_is_held(g))
		warn(s, "group %s: another node holds it too", s->groups[group].name);
}

/* They end with one holder all the same, but hardly with the one that somebody had in mind. */
static void warn_of_policies(const struct engine *e, size_t group, struct status *s)
{
	for (size_t i = 0; i < e->peer_count; i++) {
		const struct peer_record *p = &e->peers[i];
		struct election_rival r = group_rival(e, group, p);

		if (!peer_is_live(&p->peer, e->now) || !p->entries[group].present ||
			r.sticky == group_is_sticky(e, group))
			continue;
		warn(s,
			"group %s: the policy of %s is %s, this node's is %s; write the same in "
			"both configurations",
			s->groups[group].name, p->name, r.sticky ? "sticky" : "another one",
			s->groups[group].policy);
		return;
	}
}

static void fill_warnings(const struct engine *e, struct status *s)
{
	if (!e->key.present)
		warn(s, "heartbeats are not authenticated: anybody on this LAN can move the "
			"address; "
			"make a key with `ha keygen` and name it as key-file");
	if (e->fence == CHANNEL_FENCE_LIFETIME && !e->fenced)
		warn(s, "the fence (address lifetimes) closes up to 2 s after the lease has "
			"passed: a "
			"tolerance of several seconds, nftables or BPF would close it in time");
	if (e->send_failing)
		warn(s, "heartbeats cannot be sent: %s", strerror(e->send_error));
	if (e->dropped[HEARTBEAT_DROP_DUPLICATE_ID] > 0)
		warn(s, "another node uses this node's id; give each a name of its own");
	warn_of_peers(e, s);
	warn_of_paths(e, s);
}

/* All but its room. */
static void clear(struct status *s)
{
	struct status_group *groups = s->groups;
	struct status_address *addresses = s->addresses;
	struct status_check *checks = s->checks;

	assert(groups && addresses);
	memset(s, 0, sizeof(*s));
	s->groups = groups;
	s->addresses = addresses;
	s->checks = checks;
}

void engine_status_begin(const struct engine *e, ha_time now, struct status *s)
{
	const struct conf_node *node = &e->conf->node;
	const char *fence = channel_fence_name(e->fence);

	assert(now.ns >= e->now.ns);
	clear(s);
	text_copy(s->name, sizeof(s->name), node->name);
	text_copy(s->fence, sizeof(s->fence), fence ? fence : "unknown");
	s->id = e->identity.id;
	s->address = devices_real_address(e);
	s->interval_ms = (double)node->interval_ns / (double)NS_PER_MS;
	s->tolerance_ms = (double)node->tolerance_ns / (double)NS_PER_MS;
	s->authenticated = e->key.present;
	s->sent = e->sent;
	s->received = e->received;
	memcpy(s->dropped, e->dropped, sizeof(s->dropped));
	s->group_count = e->conf->group_count;
	s->address_count = e->conf->address_count;
	s->path_count = node->path_count;
	for (size_t i = 0; i < node->path_count; i++)
		fill_path(e, i, &s->paths[i]);
	for (size_t i = 0; i < e->peer_count; i++)
		fill_peer(e, now, &e->peers[i], &s->peers[s->peer_count++]);
	fill_warnings(e, s);
}

void engine_status_group(
	const struct engine *e, size_t group, int64_t wall_offset_ms, struct status *s)
{
	const struct conf_group *conf = &e->conf->groups[group];
	size_t end = (size_t)conf->address_first + conf->address_count;

	assert(group < s->group_count);
	fill_group(e, group, wall_offset_ms, s);
	for (size_t a = conf->address_first; a < end; a++)
		fill_address(e, a, &s->addresses[a]);
	warn_of_group(e, group, s);
	warn_of_policies(e, group, s);
}

void engine_status(
	const struct engine *e, ha_time now, int64_t wall_offset_ms, struct status *ret_status)
{
	engine_status_begin(e, now, ret_status);
	for (size_t g = 0; g < e->conf->group_count; g++)
		engine_status_group(e, g, wall_offset_ms, ret_status);
}
