/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "sim/world.h"

#define LINE_NET    10 /* the first byte of the addresses on the second path */
#define LINE_NET_V6 8  /* ... and the byte of IPv6 addresses that tells them from others */

size_t node_index(const struct world *w, const struct node *n)
{
	return (size_t)(n - w->nodes);
}

struct node *node_find(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->node_count; i++)
		if (strcmp(w->nodes[i].name, name) == 0)
			return &w->nodes[i];
	return NULL;
}

struct ip node_own_address(const struct node *n, const struct engine_device *d)
{
	return n->conf.node.multicast.family == IP_V6 ? d->v6 : d->v4;
}

bool node_set_address(const struct node *n, struct engine_device *d, const char *address)
{
	struct ip *own = n->conf.node.multicast.family == IP_V6 ? &d->v6 : &d->v4;

	memset(own, 0, sizeof(*own));
	return strcmp(address, "none") == 0 || ip_parse(address, own);
}

struct ip node_address(const struct node *n)
{
	return node_own_address(n, &n->devices[n->conf.node.path[0]]);
}

const uint8_t *node_mac(const struct node *n)
{
	return n->devices[n->conf.node.path[0]].mac;
}

bool node_is_awake(const struct world *w, const struct node *n)
{
	return n->running && time_reached(w->now, n->stalled_until);
}

bool node_serves(const struct world *w, const struct node *n, size_t group)
{
	const struct held *held = &n->held[group];
	const struct conf_address *first;
	const struct engine_device *d;

	if (group >= n->conf.group_count)
		return false;
	first = &n->conf.addresses[n->conf.groups[group].address_first];
	d = &n->devices[first->device];
	if (fence_silences(w, n, group))
		return false;
	return held->up && !held->missing && d->present && d->up && d->carrier &&
	       time_reached(w->now, n->host_stalled_until);
}

bool node_serves_address(const struct world *w, const struct node *n, const struct ip *address)
{
	int a = conf_address_by_ip(&n->conf, address);

	return a >= 0 && node_serves(w, n, n->conf.addresses[a].group);
}

/* A second path leads by another network. One of heartbeats over IPv6 has IPv4 addresses as well,
 * in another order, which must not count. */
static void set_up_addresses(struct node *n, const char *address)
{
	struct engine_device *first = &n->devices[n->conf.node.path[0]], *line;
	bool v6 = n->conf.node.multicast.family == IP_V6;

	(void)node_set_address(n, first, address);
	if (v6)
		first->v4 = (struct ip){.family = IP_V4,
			.bytes = {192, 168, 1, (uint8_t)(UINT8_MAX - first->v6.bytes[15])}};
	if (n->conf.node.path_count == 1)
		return;
	line = &n->devices[n->conf.node.path[1]];
	line->v4 = first->v4;
	line->v4.bytes[0] = LINE_NET;
	line->v6 = first->v6;
	if (v6)
		line->v6.bytes[LINE_NET_V6] = LINE_NET;
}

static void set_up_devices(struct world *w, struct node *n, const char *address)
{
	for (size_t i = 0; i < n->conf.device_count; i++) {
		struct engine_device *d = &n->devices[i];

		*d = (struct engine_device){.index = (uint8_t)i,
			.present = true,
			.up = true,
			.carrier = true,
			.mac = {2, 0, 0, 0, (uint8_t)(node_index(w, n) + 1), (uint8_t)i},
			.interface_index = (uint32_t)(i + 2)};
	}
	set_up_addresses(n, address);
	if (node_address(n).family == IP_NONE)
		world_tell(w, "%s is not an address", address);
}

bool node_add(struct world *w, const char *name, const char *text, const char *address,
	const char *secret)
{
	static struct conf_diagnostics wrong;
	struct node *n = &w->nodes[w->node_count];

	assert(w->node_count < WORLD_NODES_MAX);
	memset(n, 0, sizeof(*n));
	if (!conf_parse(text, strlen(text), name, &n->conf, &wrong)) {
		world_tell(w, "line %u: %s", wrong.list[0].line, wrong.list[0].message);
		return false;
	}
	text_copy(n->name, sizeof(n->name), name);
	if (strcmp(secret, "none") != 0)
		heartbeat_key_init(&n->key, (const uint8_t *)secret, strlen(secret));
	n->memory = calloc(1, engine_size(&n->conf));
	assert(n->memory);
	n->clock = (struct clock){.world = w->now, .own = w->now};
	n->deadline = TIME_NEVER;
	for (size_t g = 0; g < n->conf.group_count; g++)
		n->health[g] = (struct engine_health){
			.group = (uint16_t)g, .worth = n->conf.groups[g].worth};
	w->node_count++;
	world_learn(w, &n->conf);
	set_up_devices(w, n, address);
	return true;
}
