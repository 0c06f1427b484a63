/* SPDX-License-Identifier: ISC */
/*
 * interfaces: what the kernel has on the configured devices, kept up to date from its own notices:
 * the links, which shared addresses are there in our form, and every other address (those of the
 * host itself decide about routes and about deprecation).
 *
 * The kernel queues a notice before the request that caused it returns. So after
 * interfaces_update() the table includes everything that we did ourselves, and a shared address
 * that we put there and that is not present was taken away by somebody else. A new IPv6 address
 * answers a little later than the request for it returns: the kernel gives it its local route in a
 * work queue, and tells then.
 */
#ifndef HA_KEEPER_INTERFACES_H
#define HA_KEEPER_INTERFACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "conf/conf.h"
#include "sys/netlink.h"

/* Other addresses on configured devices that are remembered. One that is not costs at worst a
 * second, less preferred route. */
#define HOST_ADDRESSES_MAX 512

struct interface {
	uint32_t index; /* 0: there is no such device now */
	bool up;        /* administratively */
	bool ethernet;  /* speaks ARP and neighbour discovery with 48-bit addresses */
	uint8_t mac[MAC_SIZE];
	uint32_t downs; /* how often it went down or away: the kernel then drops its routes */
};

struct host_address {
	uint8_t device; /* index into conf.devices */
	struct netlink_address address;
};

struct interfaces {
	const struct conf *conf; /* borrowed */
	struct netlink monitor, request;
	struct interface list[DEVICES_MAX];
	bool *present; /* the shared address is on its device, in our form */
	bool *told;    /* ... and the kernel has told so: it answers */
	bool *plain;   /* ... and it is an address */
	bool *local;   /* ... and it is a local route */
	size_t host_count;
	struct host_address host[HOST_ADDRESSES_MAX];
	bool stale;        /* something changed without a notice: read everything again */
	bool gone;         /* a shared address is no more there; for the reader to clear */
	bool changed;      /* a link or a host address changed; likewise */
	bool host_changed; /* a host address came or went; likewise */
	bool lost; /* a device went, perhaps to another name with our addresses on it; likewise */
};

/* Opens the sockets and reads the tables. 0 or -errno. */
int interfaces_open(struct interfaces *i, const struct conf *conf);
/* Takes in what the kernel told since. 0 or -errno. */
int interfaces_update(struct interfaces *i);

/* We have just put @shared there, or have taken its local route away. */
void interfaces_came(struct interfaces *i, size_t shared, bool as_route);
void interfaces_route_went(struct interfaces *i, size_t shared);

/* The form in which we configure a shared address: the whole length. */
bool interfaces_is_our_form(const struct netlink_address *address);
/* The index of the shared address @ip on @device, or -1. */
int interfaces_shared(const struct interfaces *i, size_t device, const struct ip *ip);
/* True if the host has an address of its own on @device. */
bool interfaces_is_host_address(const struct interfaces *i, size_t device, const struct ip *ip);
/* True if an address of the host on @device gives it a route to all of @ip/@length. */
bool interfaces_covers(
	const struct interfaces *i, size_t device, const struct ip *ip, unsigned length);
/* True if the kernel's setting @key of @device ("all": of all) is there and not 0; @family is
 * "ipv4" or "ipv6". */
bool interfaces_sysctl(const char *family, const char *device, const char *key);

#endif
