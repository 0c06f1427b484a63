/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "base/assert.h"
#include "base/text.h"
#include "conf/checks.h"
#include "conf/conf.h"
#include "conf/values.h"

const char *const CONF_IPV4_AS_NAMES[] = {[CONF_IPV4_AS_AUTO] = "auto",
	[CONF_IPV4_AS_ADDRESS] = "address",
	[CONF_IPV4_AS_ROUTE] = "route"};

static void print_duration(struct text *t, const char *key, int64_t ns)
{
	text_add(t, "%s = %s\n", key, duration_format(ns).text);
}

static void print_node(struct text *t, const struct conf *c)
{
	const struct conf_node *n = &c->node;

	text_add(t, "[node]\nname = %s\ncluster = %s\n", n->name, n->cluster);
	for (unsigned i = 0; i < n->path_count; i++)
		text_add(t, "interface = %s\n", c->devices[n->path[i]].name);
	print_duration(t, "interval", n->interval_ns);
	print_duration(t, "tolerance", n->tolerance_ns);
	print_duration(t, "max-tolerance", n->max_tolerance_ns);
	print_duration(t, "margin", n->margin_ns);
	if (n->key_file[0])
		text_add(t, "key-file = %s\n", n->key_file);
	if (n->accept_key_file[0])
		text_add(t, "accept-key-file = %s\n", n->accept_key_file);
	for (unsigned i = 0; i < n->peer_count; i++)
		text_add(t, "peer = %s\n", value_ip_text(&n->peer[i]).text);
	text_add(t, "multicast = %s\n",
		n->multicast.family == IP_NONE ? "none" : value_ip_text(&n->multicast).text);
	text_add(
		t, "port = %" PRIu16 "\nprotocol = %s\n", n->port, n->original ? "original" : "ha");
	if (n->user[0])
		text_add(t, "user = %s\n", n->user);
	print_duration(t, "hook-timeout", n->hook_timeout_ns);
	if (n->on_change_stream[0])
		text_add(t, "on-change-stream = %s\n", n->on_change_stream);
	text_add(t, "ipv4-as = %s\n", CONF_IPV4_AS_NAMES[n->ipv4_as]);
	text_add(t, "fence = %s\n", conf_fence_name(n->fence));
	text_add(t, "realtime = %s\n", n->realtime ? "yes" : "no");
	text_add(t, "removed-limit = %" PRIu16 "\n", n->removals_limit);
	print_duration(t, "removed-window", n->removals_window_ns);
}

static void print_hooks(struct text *t, const struct conf_group *g, enum conf_hook kind)
{
	static const char *const keys[CONF_HOOK_KINDS] = {
		[CONF_HOOK_CHANGE] = "on-change",
		[CONF_HOOK_ACTIVE] = "on-active",
		[CONF_HOOK_STANDBY] = "on-standby",
		[CONF_HOOK_BEFORE] = "before-active",
	};

	for (unsigned i = 0; i < g->hook_count[kind]; i++)
		text_add(t, "%s = %s\n", keys[kind], g->hook[kind][i]);
}

static void print_group(struct text *t, const struct conf *c, const struct conf_group *g)
{
	text_add(t, "\n[group %s]\n", g->name);
	for (unsigned i = 0; i < g->address_count; i++) {
		const struct conf_address *a = &c->addresses[g->address_first + i];

		text_add(t, "address = %s/%u dev %s\n", value_ip_text(&a->ip).text,
			a->prefix_length, c->devices[a->device].name);
	}
	text_add(t, "worth = %" PRIu16 "\npolicy = %s\n", g->worth, conf_policy_name(g->policy));
	text_add(t, "standby = %s\n", g->warm ? "warm" : "cold");
	text_add(t, "when-all-fail = %s\n", g->release_when_all_fail ? "release" : "keep");
	if (g->application)
		text_add(t, "application = %s\n", g->application);
	for (unsigned i = 0; i < g->check_count; i++)
		conf_check_print(t, c, &c->checks[g->check_first + i]);
	print_duration(t, "settle", g->settle_ns);
	print_duration(t, "hold-down", g->hold_down_ns);
	print_duration(t, "before-active-timeout", g->before_active_timeout_ns);
	for (unsigned kind = 0; kind < CONF_HOOK_KINDS; kind++)
		print_hooks(t, g, kind);
}

const char *conf_policy_name(enum conf_policy policy)
{
	static const char *const names[CONF_POLICIES] = {
		[CONF_POLICY_WORTHIEST] = "worthiest",
		[CONF_POLICY_STICKY] = "sticky",
	};

	assert(policy < CONF_POLICIES);
	return names[policy];
}

size_t conf_print(const struct conf *c, char *buffer, size_t size)
{
	struct text t = text_init(buffer, size);

	assert(size >= CONF_TEXT_MAX);
	print_node(&t, c);
	for (unsigned i = 0; i < c->group_count; i++)
		print_group(&t, c, &c->groups[i]);
	return t.length;
}
