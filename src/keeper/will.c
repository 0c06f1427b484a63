/* SPDX-License-Identifier: ISC */
#include "keeper/will.h"

#include <string.h>

#include "base/assert.h"
#include "sys/udp.h"

static bool needs_family(const struct conf_node *node, enum ip_family family)
{
	bool needed = node->multicast.family == family;

	for (size_t i = 0; i < node->peer_count; i++)
		needed |= node->peer[i].family == family;
	return needed;
}

int will_open(struct will *w, const struct conf *conf, const struct interfaces *interfaces)
{
	memset(w, 0, sizeof(*w));
	w->conf = conf;
	w->interfaces = interfaces;
	w->v4 = needs_family(&conf->node, IP_V4) ? udp_open_sender(IP_V4) : -1;
	w->v6 = needs_family(&conf->node, IP_V6) ? udp_open_sender(IP_V6) : -1;
	if (w->v4 < -1)
		return w->v4;
	return w->v6 < -1 ? w->v6 : 0;
}

void will_set(struct will *w, const uint8_t *bytes, size_t size)
{
	assert(size <= sizeof(w->bytes));
	memcpy(w->bytes, bytes, size);
	w->size = size;
}

void will_forget(struct will *w)
{
	w->size = 0;
}

static void send_to(const struct will *w, const struct ip *to, uint32_t index)
{
	const struct udp_destination destination = {
		.to = *to, .port = w->conf->node.port, .interface_index = index};

	if (to->family != IP_NONE)
		(void)udp_send(
			to->family == IP_V4 ? w->v4 : w->v6, &destination, w->bytes, w->size);
}

static void send_by_path(const struct will *w, uint32_t index)
{
	const struct conf_node *node = &w->conf->node;

	send_to(w, &node->multicast, index);
	for (size_t i = 0; i < node->peer_count; i++) {
		if (node->peer[i].family == IP_V6 && ip_is_link_local(&node->peer[i]))
			send_to(w, &node->peer[i], index);
	}
}

void will_send(const struct will *w)
{
	const struct conf_node *node = &w->conf->node;

	if (w->size == 0)
		return;
	for (size_t p = 0; p < node->path_count; p++) {
		uint32_t index = w->interfaces->list[node->path[p]].index;

		if (index != 0)
			send_by_path(w, index);
	}
	/* Routing finds the way to all others. */
	for (size_t i = 0; i < node->peer_count; i++) {
		if (node->peer[i].family == IP_V4 || !ip_is_link_local(&node->peer[i]))
			send_to(w, &node->peer[i], 0);
	}
}
