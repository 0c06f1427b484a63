/* SPDX-License-Identifier: ISC */
/*
 * udp: heartbeat sockets. Everything leaves with TTL or hop limit 255, so that the receiver can
 * tell that it was sent on the same link (RFC 5082), and with the class of network control (CS6).
 */
#ifndef HA_SYS_UDP_H
#define HA_SYS_UDP_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct udp_datagram {
	size_t size;              /* of the whole datagram, also where the buffer was shorter */
	int hop_limit;            /* -1: the kernel did not tell */
	uint32_t interface_index; /* by which it came; 0: likewise */
	struct ip source;
};

/* Where a datagram goes. */
struct udp_destination {
	struct ip to;
	uint16_t port;
	uint32_t interface_index; /* leave by this device; 0: as the routes say */
	struct ip source;         /* IP_NONE: as the kernel chooses */
};

/* A non-blocking socket of @family bound to @port. Returns the descriptor (owned) or -errno. */
int udp_open(enum ip_family family, uint16_t port);

/* One that only sends: it has no port of its own, and whatever arrives is dropped for good. */
int udp_open_sender(enum ip_family family);

/* Joins or leaves the multicast @group on a device. Returns 0 or -errno. */
int udp_join(int fd, const struct ip *group, uint32_t interface_index);
int udp_leave(int fd, const struct ip *group, uint32_t interface_index);

/* Returns 0 or -errno. Never blocks. */
int udp_send(int fd, const struct udp_destination *destination, const uint8_t *bytes, size_t size);

/* The next datagram into @buffer of @size. Returns 0, -EAGAIN if there is none, or -errno. */
int udp_receive(int fd, uint8_t *buffer, size_t size, struct udp_datagram *ret_datagram);

#endif
