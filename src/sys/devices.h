/* SPDX-License-Identifier: ISC */
/*
 * devices: what the kernel says of a few named network devices, from rtnetlink's link and address
 * multicast groups: whether each exists, is up, has carrier, and its own addresses. Unprivileged.
 * Nothing is polled; ENOBUFS is answered by a full resynchronisation.
 */
#ifndef HA_SYS_DEVICES_H
#define HA_SYS_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/limits.h"

struct device_state {
	bool present;
	bool up;      /* IFF_UP */
	bool carrier; /* IFF_LOWER_UP, and an operational state that passes frames */
	uint8_t mac[MAC_SIZE];
	uint32_t interface_index;
	struct ip v4; /* first IPv4 address that is not in the list of shared ones; IP_NONE: none */
	struct ip v6; /* likewise: a global one that is not tentative, else the link-local one */
};

struct devices;

typedef bool (*devices_shared)(const void *context, const struct ip *ip);

/**
 * devices_open - begin to watch
 * @names:     @count device names (borrowed for the call)
 * @is_shared: whether an address is one that is never a device's own
 * @context:   for @is_shared; borrowed until devices_close()
 *
 * Return: 0 and *@ret_devices (owned, devices_close()), or -errno. The first devices_update()
 * reports every device once.
 */
int devices_open(const char (*names)[DEVICE_SIZE], size_t count, devices_shared is_shared,
	const void *context, struct devices **ret_devices);
void devices_close(struct devices *d);

/* Readable when devices_update() should be called. */
int devices_descriptor(const struct devices *d);

/**
 * devices_update - read what the kernel has told, without blocking
 * @changed: called once for each device whose state differs from the last one reported
 *
 * Return: 0 or -errno.
 */
int devices_update(struct devices *d,
	void (*changed)(void *context, size_t index, const struct device_state *state),
	void *context);

#endif
