/* SPDX-License-Identifier: ISC */
#include "conf/check.h"

#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/text.h"
#include "conf/checks.h"
#include "conf/diagnostics.h"
#include "conf/values.h"

static int64_t longer(int64_t a_ns, int64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

void check_init(struct draft *d)
{
	struct conf_node *node = &d->conf.node;
	bool is_address = ip_parse(CONF_MULTICAST, &node->multicast);

	assert(is_address);
	(void)text_copy(node->cluster, sizeof(node->cluster), CONF_CLUSTER);
	node->port = CONF_PORT;
	node->hook_timeout_ns = CONF_HOOK_TIMEOUT_NS;
	node->realtime = true;
	node->removals_limit = CONF_REMOVALS_LIMIT;
	node->removals_window_ns = CONF_REMOVALS_WINDOW_NS;
}

void check_group(struct draft *d)
{
	const struct conf_group *group;

	if (d->section != SECTION_GROUP || d->key_line[KEY_ADDRESS])
		return;
	assert(d->conf.group_count > 0);
	group = &d->conf.groups[d->conf.group_count - 1];
	draft_complain_at(d, d->group_line[d->conf.group_count - 1],
		"group \"%s\" has no address, add \"address = 192.168.1.100/24\"",
		quote(group->name).text);
}

static void check_sections(struct draft *d)
{
	if (!d->node_line)
		draft_complain_at(d, 0, "there is no [node], add it with \"interface = eth0\"");
	else if (!d->key_line[KEY_INTERFACE])
		draft_complain_at(d, d->node_line,
			"[node] has no interface for the heartbeats,"
			" add \"interface = eth0\"");
	if (d->conf.group_count == 0)
		draft_complain_at(d, 0,
			"there is no group, add \"[group %s]\" with \"address ="
			" 192.168.1.100/24\"",
			CONF_GROUP);
}

static void check_names(struct draft *d, const char *hostname)
{
	struct conf_node *node = &d->conf.node;

	node->cluster_tag = id_from_name(node->cluster);
	if (d->key_line[KEY_NAME])
		return;
	if (hostname && value_is_name(hostname))
		(void)text_copy(node->name, sizeof(node->name), hostname);
	else
		draft_complain_at(d, d->node_line,
			"the host's name \"%s\" cannot name the node, add \"name = alpha\" to"
			" [node]",
			quote(hostname ? hostname : "").text);
}

static void check_tolerance(struct draft *d)
{
	struct conf_node *node = &d->conf.node;

	if (!d->key_line[KEY_TOLERANCE])
		node->tolerance_ns = node->interval_ns * 7 / 2;
	if (node->tolerance_ns < 2 * node->interval_ns)
		draft_complain_at(d, d->key_line[KEY_TOLERANCE],
			"tolerance %s is less than 2 intervals of %s, write at least %s",
			duration_format(node->tolerance_ns).text,
			duration_format(node->interval_ns).text,
			duration_format(2 * node->interval_ns).text);
}

static void check_max_tolerance(struct draft *d)
{
	struct conf_node *node = &d->conf.node;

	if (!d->key_line[KEY_MAX_TOLERANCE])
		node->max_tolerance_ns = CONF_TOLERANCE_MAX_NS;
	if (node->max_tolerance_ns >= node->tolerance_ns)
		return;
	/* The lease of a node whose tolerance is longer than the others' patience protects nobody.
	 */
	if (!d->key_line[KEY_MAX_TOLERANCE])
		draft_complain_at(d,
			d->key_line[d->key_line[KEY_TOLERANCE] ? KEY_TOLERANCE : KEY_INTERVAL],
			"a tolerance of %s is more than the %s that nodes give each other, write"
			" \"max-tolerance = %s\", on every node",
			duration_format(node->tolerance_ns).text,
			duration_format(node->max_tolerance_ns).text,
			duration_format(node->tolerance_ns).text);
	else
		draft_complain_at(d, d->key_line[KEY_MAX_TOLERANCE],
			"max-tolerance %s is less than the node's own tolerance of %s, write at"
			" least that",
			duration_format(node->max_tolerance_ns).text,
			duration_format(node->tolerance_ns).text);
}

static void check_margin(struct draft *d)
{
	struct conf_node *node = &d->conf.node;
	int64_t room_ns = node->tolerance_ns - node->interval_ns;

	if (!d->key_line[KEY_MARGIN])
		node->margin_ns = longer(CONF_MARGIN_MIN_NS, node->tolerance_ns / 32);
	/* A lease must outlast the interval in which it is renewed. */
	if (node->margin_ns >= room_ns)
		draft_complain_at(d, d->key_line[KEY_MARGIN],
			"margin %s is not less than tolerance - interval, write less than %s",
			duration_format(node->margin_ns).text, duration_format(room_ns).text);
}

/* True if the value of @key stands in the text, but was refused there. */
static bool is_refused(const struct draft *d, enum key_index key, int64_t value)
{
	return d->key_line[key] && value == 0;
}

static void check_times(struct draft *d)
{
	struct conf_node *node = &d->conf.node;
	size_t complaints = d->diagnostics->count + d->diagnostics->omitted;

	if (!d->key_line[KEY_INTERVAL])
		node->interval_ns = CONF_INTERVAL_NS;
	/* Nothing follows from a value that is known to be wrong. */
	if (is_refused(d, KEY_INTERVAL, node->interval_ns) ||
		is_refused(d, KEY_TOLERANCE, node->tolerance_ns))
		return;
	check_tolerance(d);
	if (!is_refused(d, KEY_MAX_TOLERANCE, node->max_tolerance_ns))
		check_max_tolerance(d);
	if (d->diagnostics->count + d->diagnostics->omitted == complaints &&
		!is_refused(d, KEY_MARGIN, node->margin_ns))
		check_margin(d);
}

/* The index of the device called @name, which is added if it is new; -1 if there is no room. */
static int number_device(struct conf *c, const char *name)
{
	for (unsigned i = 0; i < c->device_count; i++) {
		if (strcmp(c->devices[i].name, name) == 0)
			return (int)i;
	}
	if (c->device_count == DEVICES_MAX)
		return -1;
	(void)text_copy(c->devices[c->device_count].name, DEVICE_SIZE, name);
	return c->device_count++;
}

/* Devices are numbered in the order in which conf_print() names them, so that its text gives the
 * same numbers. */
static void number_devices(struct draft *d)
{
	struct conf *c = &d->conf;

	static_assert(PATHS_MAX <= DEVICES_MAX, "every path has a device");
	for (unsigned i = 0; i < d->path_count; i++) {
		int device = number_device(c, d->path_device[i]);

		assert(device >= 0);
		c->devices[device].path = true;
		c->node.path[c->node.path_count++] = (uint8_t)device;
	}
	for (unsigned i = 0; i < c->address_count; i++) {
		const char *name = d->address_device[i];
		int device = name[0] ? number_device(c, name) : 0;

		if (device < 0) {
			draft_complain_at(d, d->address_line[i],
				"device \"%s\" is one too many, at most %d are possible", name,
				DEVICES_MAX);
			return;
		}
		c->addresses[i].device = (uint8_t)device;
	}
}

static void check_peers(struct draft *d)
{
	struct conf_node *node = &d->conf.node;

	if (node->multicast.family == IP_NONE && !d->key_line[KEY_PEER])
		draft_complain_at(d, d->key_line[KEY_MULTICAST],
			"without multicast nobody hears the heartbeats, add \"peer ="
			" 192.168.1.21\" for every other node");
	for (unsigned i = 0; i < d->conf.address_count; i++) {
		const struct ip *ip = &d->conf.addresses[i].ip;

		for (unsigned j = 0; j < node->peer_count; j++) {
			if (ip_equal(ip, &node->peer[j]))
				draft_complain_at(d, d->address_line[i],
					"%s is also the peer of line %u, a shared address must be"
					" no server's own",
					value_ip_text(ip).text, d->peer_line[j]);
		}
	}
}

/* The original takes whatever it hears on its port for a claim, and knows one address only. */
static void check_original(struct draft *d)
{
	const struct conf_node *node = &d->conf.node;
	unsigned line = d->key_line[KEY_PROTOCOL];
	struct ip multicast;

	if (!node->original)
		return;
	(void)ip_parse(CONF_ORIGINAL_MULTICAST, &multicast);
	if (node->port == CONF_ORIGINAL_PORT && ip_equal(&node->multicast, &multicast))
		draft_complain_at(d, line,
			"protocol = original: nodes of the original program would take heartbeats "
			"on "
			"port %d for their own, write \"port = %d\" on every node of this one",
			CONF_ORIGINAL_PORT, CONF_ORIGINAL_PORT + 1);
	if (d->conf.group_count != 1)
		draft_complain_at(d, line,
			"protocol = original: the original program has one group, so must this one "
			"have while both share it");
}

static void check_keys(struct draft *d)
{
	if (d->conf.node.accept_key_file[0] != '\0' && d->conf.node.key_file[0] == '\0')
		draft_complain_at(d, d->key_line[KEY_ACCEPT_KEY_FILE],
			"accept-key-file needs a key-file, with which this node signs, add one");
}

/* The other kinds of fence only last as long as a lease does. */
static void check_standby(struct draft *d)
{
	enum conf_fence fence = d->conf.node.fence;

	if (fence == CONF_FENCE_AUTO || fence == CONF_FENCE_BPF)
		return;
	for (size_t g = 0; g < d->conf.group_count; g++) {
		if (!d->conf.groups[g].warm)
			continue;
		draft_complain_at(d, d->key_line[KEY_FENCE],
			"fence = %s keeps no standby from answering, as \"standby = warm\" of "
			"group \"%s\" needs, write fence = auto or bpf, or standby = cold",
			conf_fence_name(fence), quote(d->conf.groups[g].name).text);
		return;
	}
}

void check_all(struct draft *d, const char *hostname)
{
	check_sections(d);
	check_names(d, hostname);
	check_times(d);
	check_peers(d);
	check_original(d);
	check_keys(d);
	check_standby(d);
	number_devices(d);
	conf_checks_finish(d);
}
