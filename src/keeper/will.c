/* SPDX-License-Identifier: ISC */
#include "keeper/will.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

#define HOP_LIMIT 255 /* RFC 5082: proves to the receiver that no router passed it on */

/* It only sends: whatever arrives at its port is dropped. */
static int open_socket(int family)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = {.len = 1, .filter = &drop};
	int s = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int hops = HOP_LIMIT, one = 1;
	int r;

	if (s < 0)
		return -errno;
	r = setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	r |= setsockopt(s, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one));
	if (family == AF_INET) {
		r |= setsockopt(s, IPPROTO_IP, IP_TTL, &hops, sizeof(hops));
		r |= setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof(hops));
	} else {
		r |= setsockopt(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));
		r |= setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
	}
	if (r != 0) {
		int error = errno;

		(void)close(s);
		return -error;
	}
	return s;
}

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
	w->v4 = needs_family(&conf->node, IP_V4) ? open_socket(AF_INET) : -1;
	w->v6 = needs_family(&conf->node, IP_V6) ? open_socket(AF_INET6) : -1;
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

static void send_v4(const struct will *w, const struct ip *to, uint32_t index)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(w->conf->node.port),
	};
	const struct ip_mreqn by = {.imr_ifindex = (int)index};

	memcpy(&address.sin_addr, to->bytes, sizeof(address.sin_addr));
	if (ip_is_multicast(to))
		(void)setsockopt(w->v4, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof(by));
	(void)sendto(w->v4, w->bytes, w->size, MSG_NOSIGNAL, (const struct sockaddr *)&address,
		sizeof(address));
}

static void send_v6(const struct will *w, const struct ip *to, uint32_t index)
{
	struct sockaddr_in6 address = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(w->conf->node.port),
	};
	int by = (int)index;

	memcpy(&address.sin6_addr, to->bytes, sizeof(address.sin6_addr));
	if (ip_is_multicast(to))
		(void)setsockopt(w->v6, IPPROTO_IPV6, IPV6_MULTICAST_IF, &by, sizeof(by));
	if (ip_is_multicast(to) || ip_is_link_local(to))
		address.sin6_scope_id = index;
	(void)sendto(w->v6, w->bytes, w->size, MSG_NOSIGNAL, (const struct sockaddr *)&address,
		sizeof(address));
}

static void send_to(const struct will *w, const struct ip *to, uint32_t index)
{
	if (to->family == IP_V4)
		send_v4(w, to, index);
	else if (to->family == IP_V6)
		send_v6(w, to, index);
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
