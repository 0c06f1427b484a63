/* SPDX-License-Identifier: ISC */
#include "cli/exporter/prometheus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exporter/exposition.h"
#include "cli/members.h"
#include "wire/report.h"

#define NAME_MAX_SIZE 96

/* --- the node */

static void format_paths(struct exposition *o, const json_t *paths)
{
	json_t *path;
	size_t i;

	exposition_head(o, "ha_path_up", "gauge",
		"1 if nothing is wrong with the heartbeat interface of this node.");
	json_array_foreach(paths, i, path) exposition_sample(
		o, "ha_path_up", "interface", text_of(path, "interface"), flag_of(path, "up"));
}

static void format_node(struct exposition *o, const json_t *status)
{
	const json_t *node = json_object_get(status, "node");

	exposition_head(o, "ha_node_info", "gauge", "This node: its labels say what it is.");
	exposition_add(o, "ha_node_info");
	exposition_label(o, "{", "node", text_of(node, "name"));
	exposition_label(o, ",", "id", text_of(node, "id"));
	exposition_label(o, ",", "address", text_of(node, "address"));
	exposition_label(o, ",", "fence", text_of(node, "fence"));
	exposition_label(o, ",", "scheduling", text_of(node, "scheduling"));
	exposition_label(o, ",", "version", text_of(node, "version"));
	exposition_add(o, "} 1\n");
	exposition_single(o, "ha_node_interval_seconds", "gauge", "Time between two heartbeats.",
		number_of(node, "interval_ms") / 1e3);
	exposition_single(o, "ha_node_tolerance_seconds", "gauge",
		"How long a silence lasts before a node counts as gone.",
		number_of(node, "tolerance_ms") / 1e3);
	exposition_single(o, "ha_node_authenticated", "gauge",
		"1 if heartbeats are authenticated by a key.", flag_of(node, "authenticated"));
	format_paths(o, json_object_get(node, "paths"));
	exposition_single(o, "ha_node_warnings", "gauge", "Warnings that ha status shows.",
		(double)json_array_size(json_object_get(status, "warnings")));
	exposition_single(o, "ha_view_differences", "gauge",
		"Where the views of the nodes do not fit together, as ha status --all says.",
		(double)json_array_size(
			json_object_get(json_object_get(status, "views"), "differences")));
}

/* --- groups */

static double group_eligible(const json_t *g)
{
	return flag_of(g, "eligible");
}

static double group_impaired(const json_t *g)
{
	return flag_of(g, "impaired");
}

static double group_worth(const json_t *g)
{
	return number_of(g, "worth");
}

static double group_epoch(const json_t *g)
{
	return number_of(g, "epoch");
}

static double group_transitions(const json_t *g)
{
	return number_of(g, "transitions");
}

static double group_held(const json_t *g)
{
	return *text_of(g, "holder") != '\0';
}

static double group_since(const json_t *g)
{
	int64_t wall_ms = 0;

	(void)wall_parse(text_of(g, "since"), &wall_ms);
	return (double)wall_ms / 1e3;
}

static void format_states(struct exposition *o, const json_t *groups)
{
	static const char *const STATES[] = {"ACTIVE", "STANDBY", "SHUTDOWN"};
	json_t *g;
	size_t i;

	exposition_head(o, "ha_group_state", "gauge",
		"1 for the state of this node for the group, 0 for the others.");
	json_array_foreach(groups, i, g)
	{
		for (size_t s = 0; s < sizeof(STATES) / sizeof(STATES[0]); s++) {
			exposition_add(o, "ha_group_state");
			exposition_label(o, "{", "group", text_of(g, "name"));
			exposition_label(o, ",", "state", STATES[s]);
			exposition_add(o, "} %d\n", strcmp(text_of(g, "state"), STATES[s]) == 0);
		}
	}
	exposition_head(
		o, "ha_group_holder_info", "gauge", "Who holds the group: the label says it.");
	json_array_foreach(groups, i, g)
	{
		if (*text_of(g, "holder") == '\0')
			continue;
		exposition_add(o, "ha_group_holder_info");
		exposition_label(o, "{", "group", text_of(g, "name"));
		exposition_label(o, ",", "holder", text_of(g, "holder"));
		exposition_add(o, "} 1\n");
	}
}

static void format_addresses(struct exposition *o, const json_t *groups, const char *name,
	const char *help, const char *key)
{
	json_t *g, *a;
	size_t i, j;

	exposition_head(o, name, "gauge", help);
	json_array_foreach(groups, i, g)
	{
		json_array_foreach(json_object_get(g, "addresses"), j, a)
		{
			exposition_add(o, "%s", name);
			exposition_label(o, "{", "group", text_of(g, "name"));
			exposition_label(o, ",", "address", text_of(a, "address"));
			exposition_label(o, ",", "device", text_of(a, "device"));
			exposition_add(o, "} %.15g\n", number_of(a, key));
		}
	}
}

static void format_checks(struct exposition *o, const json_t *groups)
{
	json_t *g, *c;
	size_t i, j;

	exposition_head(o, "ha_check_passing", "gauge", "1 if the health check passes.");
	json_array_foreach(groups, i, g)
	{
		json_array_foreach(json_object_get(g, "checks"), j, c)
		{
			exposition_add(o, "ha_check_passing");
			exposition_label(o, "{", "group", text_of(g, "name"));
			exposition_label(o, ",", "check", text_of(c, "name"));
			exposition_label(o, ",", "kind", text_of(c, "kind"));
			exposition_add(o, "} %d\n", strcmp(text_of(c, "state"), "passing") == 0);
		}
	}
}

static void format_groups(struct exposition *o, const json_t *groups)
{
	format_states(o, groups);
	exposition_each(o, groups, "ha_group_held", "gauge",
		"1 if some node holds the group, as this one knows.", "group", group_held);
	exposition_each(o, groups, "ha_group_eligible", "gauge",
		"1 if this node may hold the group.", "group", group_eligible);
	exposition_each(o, groups, "ha_group_impaired", "gauge",
		"1 if a check says that this node should hold the group only if no other can.",
		"group", group_impaired);
	exposition_each(o, groups, "ha_group_worth", "gauge",
		"How worthy this node is to hold the group.", "group", group_worth);
	exposition_each(o, groups, "ha_group_epoch", "gauge",
		"The highest epoch known; grows with every claim.", "group", group_epoch);
	exposition_each(o, groups, "ha_group_state_changed_timestamp_seconds", "gauge",
		"When this node's state for the group last changed.", "group", group_since);
	exposition_each(o, groups, "ha_group_transitions_total", "counter",
		"Changes of this node's state for the group.", "group", group_transitions);
	format_addresses(o, groups, "ha_address_neighbours",
		"Neighbours that were asked to acknowledge the address.", "targets");
	format_addresses(o, groups, "ha_address_neighbours_acknowledged",
		"Neighbours that acknowledged the address since this node took it.",
		"acknowledged");
	format_checks(o, groups);
}

/* --- peers */

static double peer_live(const json_t *p)
{
	return flag_of(p, "live");
}

static double peer_hears_me(const json_t *p)
{
	return flag_of(p, "hears_me");
}

static double peer_received(const json_t *p)
{
	return number_of(p, "received");
}

/* @of: a peer, or one of its paths. One that never was has no age. */
static bool was_heard(const json_t *of)
{
	return json_is_number(json_object_get(of, "last_heard_ms"));
}

static void format_ages(struct exposition *o, const json_t *peers)
{
	json_t *peer;
	size_t i;

	exposition_head(
		o, "ha_peer_last_heard_seconds", "gauge", "Time since the peer was last heard.");
	json_array_foreach(peers, i, peer)
	{
		if (was_heard(peer))
			exposition_sample(o, "ha_peer_last_heard_seconds", "peer",
				text_of(peer, "name"), number_of(peer, "last_heard_ms") / 1e3);
	}
}

/* By which heartbeat interfaces each peer is heard; nothing by those that never brought it. */
static void format_peer_paths(struct exposition *o, const json_t *peers)
{
	json_t *peer, *path;
	size_t i, j;

	exposition_head(o, "ha_peer_path_last_heard_seconds", "gauge",
		"Time since the peer was last heard by the heartbeat interface.");
	json_array_foreach(peers, i, peer)
	{
		json_array_foreach(json_object_get(peer, "paths"), j, path)
		{
			if (!was_heard(path))
				continue;
			exposition_add(o, "ha_peer_path_last_heard_seconds");
			exposition_label(o, "{", "peer", text_of(peer, "name"));
			exposition_label(o, ",", "interface", text_of(path, "interface"));
			exposition_add(o, "} %.15g\n", number_of(path, "last_heard_ms") / 1e3);
		}
	}
}

static void format_peers(struct exposition *o, const json_t *peers)
{
	exposition_each(
		o, peers, "ha_peer_live", "gauge", "1 if the peer is heard.", "peer", peer_live);
	exposition_each(o, peers, "ha_peer_hears_me", "gauge", "1 if the peer hears this node.",
		"peer", peer_hears_me);
	format_ages(o, peers);
	exposition_each(o, peers, "ha_peer_heartbeats_received_total", "counter",
		"Heartbeats accepted from the peer.", "peer", peer_received);
	format_peer_paths(o, peers);
}

/* --- what is counted and timed */

static const struct {
	const char *key, *help;
} COUNTERS[] = {
	{"heartbeats_sent", "Heartbeats sent to all."},
	{"heartbeats_sent_unicast", "Copies of heartbeats for peers that hear nothing else."},
	{"send_failures", "Heartbeats that could not be sent."},
	{"heartbeats_received", "Heartbeats accepted."},
	{"stalls", "Times that this node did not run when it should have."},
	{"peers_lost", "Peers that fell silent."},
	{"claims", "Groups that this node began to take."},
	{"releases", "Groups that this node began to release."},
	{"announcements", "Repeated announcements of addresses."},
	{"requests", "Neighbours that were asked again to acknowledge an address."},
	{"acknowledgements", "Neighbours that acknowledged an address."},
	{"probes", "Questions whether somebody else has an address."},
	{"conflicts", "Claims of hosts outside the cluster that were answered."},
	{"restored", "Addresses that somebody else removed and that were put back."},
	{"checks_failed", "Times that a health check began to fail."},
	{"checks_passed", "Times that a health check began to pass."},
	{"hooks_started", "Hooks started."},
	{"hooks_failed", "Hooks that failed."},
	{"hooks_killed", "Hooks that were killed because they took too long."},
	{"hooks_skipped", "Changes without hooks, because those did not keep up."},
	{"reports_lost", "Events that were told nowhere, because there were too many at once."},
	{"history_lost", "Changes of state that are missing in the history."},
};

static const char *counter_help(const char *key)
{
	for (size_t i = 0; i < sizeof(COUNTERS) / sizeof(COUNTERS[0]); i++) {
		if (strcmp(COUNTERS[i].key, key) == 0)
			return COUNTERS[i].help;
	}
	return "Counted by the daemon.";
}

static const struct {
	const char *key, *help;
} TIMINGS[] = {
	{"heartbeat_lateness", "How late this node's own heartbeats were."},
	{"takeover_silence", "From the last word of a silent holder to the decision to take over."},
	{"takeover_announced", "From the decision to the first announcement."},
	{"takeover_up", "From the decision to all addresses of the group being up and announced."},
	{"takeover_told", "From the decision to the heartbeat that says ACTIVE."},
	{"takeover_acknowledged", "From the decision to the first neighbour that acknowledged it."},
	{"release", "From the decision to release to the addresses being down."},
};

static const char *timing_help(const char *key)
{
	for (size_t i = 0; i < sizeof(TIMINGS) / sizeof(TIMINGS[0]); i++) {
		if (strcmp(TIMINGS[i].key, key) == 0)
			return TIMINGS[i].help;
	}
	return "Timed by the daemon.";
}

/* @peer: whom it is about; NULL: nobody. */
static void format_histogram(struct exposition *o, const char *name, const json_t *histogram,
	const json_t *bounds_us, const char *peer)
{
	double counted = 0;
	json_t *bucket;
	size_t i;

	json_array_foreach(json_object_get(histogram, "buckets"), i, bucket)
	{
		counted += json_number_value(bucket);
		exposition_add(o, "%s_bucket{", name);
		if (peer)
			exposition_label(o, "", "peer", peer);
		if (i < json_array_size(bounds_us))
			exposition_add(o, "%sle=\"%g\"} %.15g\n", peer ? "," : "",
				json_number_value(json_array_get(bounds_us, i)) / 1e6, counted);
		else
			exposition_add(o, "%sle=\"+Inf\"} %.15g\n", peer ? "," : "", counted);
	}
	for (int part = 0; part < 2; part++) {
		exposition_add(o, "%s_%s", name, part == 0 ? "sum" : "count");
		if (peer) {
			exposition_label(o, "{", "peer", peer);
			exposition_add(o, "}");
		}
		exposition_add(
			o, " %.15g\n", part == 0 ? number_of(histogram, "sum_us") / 1e6 : counted);
	}
}

static void format_timings(struct exposition *o, const json_t *metrics)
{
	const json_t *bounds = json_object_get(metrics, "bounds_us");
	char name[NAME_MAX_SIZE];
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(json_object_get(metrics, "timings"), key, value)
	{
		(void)snprintf(name, sizeof(name), "ha_%s_seconds", key);
		exposition_head(o, name, "histogram", timing_help(key));
		format_histogram(o, name, value, bounds, NULL);
	}
	exposition_head(o, "ha_peer_heartbeat_jitter_seconds", "histogram",
		"How far from their interval a peer's heartbeats came.");
	json_array_foreach(json_object_get(metrics, "peers"), i, value)
		format_histogram(o, "ha_peer_heartbeat_jitter_seconds",
			json_object_get(value, "jitter"), bounds, text_of(value, "name"));
}

static void format_counters(struct exposition *o, const json_t *status)
{
	const json_t *metrics = json_object_get(status, "metrics");
	char name[NAME_MAX_SIZE];
	const char *key;
	json_t *value;

	json_object_foreach(json_object_get(metrics, "counters"), key, value)
	{
		(void)snprintf(name, sizeof(name), "ha_%s_total", key);
		exposition_single(o, name, "counter", counter_help(key), json_number_value(value));
	}
	exposition_head(
		o, "ha_datagrams_refused_total", "counter", "Datagrams refused, by reason.");
	json_object_foreach(json_object_get(json_object_get(status, "counters"), "dropped"), key,
		value) exposition_sample(o, "ha_datagrams_refused_total", "reason", key,
		json_number_value(value));
	exposition_head(o, "ha_transitions_total", "counter", "Changes of state, by cause.");
	json_object_foreach(json_object_get(metrics, "transitions"), key, value) exposition_sample(
		o, "ha_transitions_total", "cause", key, json_number_value(value));
}

char *prometheus_format(const json_t *status, size_t *ret_size)
{
	char *text = NULL;
	struct exposition o = {.file = open_memstream(&text, ret_size)};

	if (!o.file)
		return NULL;
	exposition_single(&o, "ha_up", "gauge", "1 if the daemon answers.", status != NULL);
	if (status) {
		format_node(&o, status);
		format_groups(&o, json_object_get(status, "groups"));
		format_peers(&o, json_object_get(status, "peers"));
		format_counters(&o, status);
		format_timings(&o, json_object_get(status, "metrics"));
	}
	if (fclose(o.file) == 0)
		return text;
	free(text);
	return NULL;
}
