/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "driver/driver.h"
#include "sys/udp.h"

/* Datagrams read in one go, so that a flood cannot keep the loop from sending. */
#define RECEIVE_BATCH 64

static int socket_for(const struct transport *t, const struct ip *to)
{
	return to->family == IP_V4 ? t->fd_v4 : t->fd_v6;
}

static void receive(struct transport *t, int fd, enum engine_event_kind kind)
{
	uint8_t buffer[HEARTBEAT_SIZE_MAX];
	struct udp_datagram datagram;

	for (int i = 0; i < RECEIVE_BATCH && !t->driver->over; i++) {
		if (udp_receive(fd, buffer, sizeof(buffer), &datagram) != 0)
			return; /* drained; other errors belong to an earlier sending (ICMP) */
		struct engine_event event = {.kind = kind,
			.datagram = {.bytes = buffer,
				.size = datagram.size,
				.hop_limit = datagram.hop_limit,
				.interface_index = datagram.interface_index,
				.source = datagram.source}};
		driver_event(t->driver, &event);
	}
}

void transport_drain(struct transport *t)
{
	if (t->fd_v4 >= 0)
		receive(t, t->fd_v4, ENGINE_DATAGRAM);
	if (t->fd_v6 >= 0)
		receive(t, t->fd_v6, ENGINE_DATAGRAM);
	if (t->fd_original >= 0)
		receive(t, t->fd_original, ENGINE_ORIGINAL);
}

static bool uses_family(const struct conf *conf, enum ip_family family)
{
	if (conf->node.multicast.family == family)
		return true;
	for (size_t i = 0; i < conf->node.peer_count; i++)
		if (conf->node.peer[i].family == family)
			return true;
	return false;
}

/* Opens a socket of @family if the configuration needs one. */
static bool open_socket(
	struct transport *t, enum ip_family family, enum driver_source source, int *ret_fd)
{
	bool original = source == SOURCE_ORIGINAL;
	uint16_t port = original ? CONF_ORIGINAL_PORT : t->conf->node.port;
	int fd;

	if (original ? !t->conf->node.original : !uses_family(t->conf, family))
		return true;
	fd = udp_open(family, port);
	if (fd < 0) {
		driver_fail(t->driver, "UDP port %u cannot be opened: %s", port, strerror(-fd));
		return false;
	}
	*ret_fd = fd;
	return driver_watch(t->driver, fd, source);
}

bool transport_open(struct transport *t, struct driver *d, const struct conf *conf)
{
	t->driver = d;
	t->conf = conf;
	(void)ip_parse(CONF_ORIGINAL_MULTICAST, &t->original);
	return open_socket(t, IP_V4, SOURCE_UDP_V4, &t->fd_v4) &&
	       open_socket(t, IP_V6, SOURCE_UDP_V6, &t->fd_v6) &&
	       open_socket(t, IP_V4, SOURCE_ORIGINAL, &t->fd_original);
}

void transport_close(struct transport *t)
{
	if (t->fd_v4 >= 0)
		(void)close(t->fd_v4);
	if (t->fd_v6 >= 0)
		(void)close(t->fd_v6);
	if (t->fd_original >= 0)
		(void)close(t->fd_original);
	t->fd_v4 = t->fd_v6 = t->fd_original = -1;
}

static void change_membership(
	struct transport *t, int fd, const struct ip *group, uint32_t before, uint32_t after)
{
	int r;

	if (fd < 0 || group->family == IP_NONE || before == after)
		return;
	if (before != 0)
		(void)udp_leave(fd, group, before); /* the device may be gone */
	if (after == 0)
		return;
	r = udp_join(fd, group, after);
	if (r != 0)
		driver_tell(t->driver, REPORT_ERROR,
			"the multicast group cannot be joined on interface %u: %s", after,
			strerror(-r));
}

void transport_device(struct transport *t, const struct engine_device *device)
{
	const struct ip *group = &t->conf->node.multicast;
	uint32_t index = device->present ? device->interface_index : 0;

	for (size_t i = 0; i < t->conf->node.path_count; i++) {
		if (t->conf->node.path[i] != device->index)
			continue;
		change_membership(
			t, socket_for(t, group), group, t->paths[i].interface_index, index);
		change_membership(
			t, t->fd_original, &t->original, t->paths[i].interface_index, index);
		t->paths[i].interface_index = index;
		t->paths[i].v4 = device->v4;
		t->paths[i].v6 = device->v6;
	}
}

/* Multicast leaves by each path, from that path's own address: the kernel could choose a shared
 * one. */
static int send_multicast(struct transport *t, const uint8_t *bytes, size_t size)
{
	const struct conf_node *node = &t->conf->node;
	bool v4 = node->multicast.family == IP_V4;
	int result = -ENETDOWN;

	for (size_t i = 0; i < node->path_count; i++) {
		struct udp_destination to = {.to = node->multicast,
			.port = node->port,
			.interface_index = t->paths[i].interface_index,
			.source = v4 ? t->paths[i].v4 : t->paths[i].v6};
		int r;

		if (to.interface_index == 0)
			continue;
		r = udp_send(socket_for(t, &to.to), &to, bytes, size);
		result = result == 0 ? 0 : r;
	}
	return result;
}

static unsigned common_bits(const struct ip *a, const struct ip *b)
{
	unsigned bits = 0;

	for (size_t i = 0; i < 4; i++, bits += 8)
		if (a->bytes[i] != b->bytes[i])
			return bits +
			       (unsigned)__builtin_clz((unsigned)(a->bytes[i] ^ b->bytes[i])) - 24;
	return bits;
}

/* The address of the path that leads there: the one most like it. From another one it would be
 * dropped where the way back is compared (rp_filter). */
static struct ip source_for(const struct transport *t, const struct ip *to)
{
	struct ip best = {0};

	for (size_t i = 0; i < t->conf->node.path_count; i++) {
		const struct ip *own = &t->paths[i].v4;

		if (own->family == IP_V4 &&
			(best.family == IP_NONE || common_bits(own, to) > common_bits(&best, to)))
			best = *own;
	}
	return best;
}

/* The address of a link does not say of which. */
static int send_by_each(
	struct transport *t, struct udp_destination *destination, const uint8_t *bytes, size_t size)
{
	int result = -ENETDOWN;

	for (size_t i = 0; i < t->conf->node.path_count; i++) {
		destination->interface_index = t->paths[i].interface_index;
		if (destination->interface_index != 0) {
			int r = udp_send(socket_for(t, &destination->to), destination, bytes, size);

			result = result == 0 ? 0 : r;
		}
	}
	return result;
}

static int send_unicast(struct transport *t, const struct ip *to, const uint8_t *bytes, size_t size)
{
	struct udp_destination destination = {.to = *to, .port = t->conf->node.port};

	if (ip_is_link_local(to))
		return send_by_each(t, &destination, bytes, size);
	if (to->family == IP_V4)
		destination.source = source_for(t, to);
	return udp_send(socket_for(t, to), &destination, bytes, size);
}

int transport_send(struct transport *t, const uint8_t *bytes, size_t size)
{
	const struct conf_node *node = &t->conf->node;
	int result = -ENETDOWN;

	if (node->multicast.family != IP_NONE)
		result = send_multicast(t, bytes, size);
	for (size_t i = 0; i < node->peer_count; i++) {
		int r = send_unicast(t, &node->peer[i], bytes, size);

		result = result == 0 ? 0 : r;
	}
	return result == 0 ? 0 : -result;
}

/* What it says does not matter; somebody who looks at the traffic may wonder. */
void transport_send_original(struct transport *t)
{
	static const uint8_t bytes[] = "ha";

	for (size_t i = 0; i < t->conf->node.path_count; i++) {
		struct udp_destination to = {.to = t->original,
			.port = CONF_ORIGINAL_PORT,
			.interface_index = t->paths[i].interface_index,
			.source = t->paths[i].v4};

		if (to.interface_index != 0 && to.source.family == IP_V4)
			(void)udp_send(t->fd_original, &to, bytes, sizeof(bytes) - 1);
	}
}

void transport_send_to(struct transport *t, const struct ip *to, const uint8_t *bytes, size_t size)
{
	/* One that cannot be reached is one that the multicast did not reach either. */
	if (socket_for(t, to) >= 0)
		(void)send_unicast(t, to, bytes, size);
}
