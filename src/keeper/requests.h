/* SPDX-License-Identifier: ISC */
/* requests: the rtnetlink messages of the keeper, put into batches. */
#ifndef HA_KEEPER_REQUESTS_H
#define HA_KEEPER_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "sys/netlink.h"

/* rtm_protocol of our routes, so that nobody's but our own are ever deleted. */
#define ROUTE_PROTOCOL NETLINK_OUR_PROTOCOL
/* Any route that the kernel (0 or 256) or a person (0 or 1024) has for the same prefix wins. */
#define ROUTE_METRIC 4096

#define REQUEST_FOREVER UINT32_MAX

/**
 * request_address - put @ip on the device with @index, or change it
 * @length:     our form is the whole length: such an address is nobody's primary and nobody's
 *              secondary; and without a prefix route it changes no route of the host
 * @lifetime_s: the kernel takes it away when so long nobody has asked for it again, or up to a
 *              second later; REQUEST_FOREVER: never
 * @deprecated: IPv6 only; never the source of an outgoing connection while there is another
 *
 * No duplicate address detection: the node asked already, and a second of waiting is an outage.
 */
void request_address(struct netlink_batch *b, uint32_t index, const struct ip *ip, uint8_t length,
	uint32_t lifetime_s, bool deprecated);
void request_no_address(
	struct netlink_batch *b, uint32_t index, const struct ip *ip, uint8_t prefix_length);

/* The connected route of @prefix/@length by the device with @index: add it, or take it away. */
void request_route(
	struct netlink_batch *b, uint32_t index, const struct ip *prefix, uint8_t length);
void request_no_route(
	struct netlink_batch *b, uint32_t index, const struct ip *prefix, uint8_t length);

/* @ip, an IPv4 address, as a local route by the device with @index: the host receives what is for
 * it and answers for it, without an entry in the device's list of addresses (local.h). */
void request_local(struct netlink_batch *b, uint32_t index, const struct ip *ip);
void request_no_local(struct netlink_batch *b, uint32_t index, const struct ip *ip);

/* Whether the answer to request_no_address() or request_no_local() says that it is not there now.
 */
bool request_is_gone(int error);

/* Sets the device administratively up or down. 0 or -errno. */
int request_link(struct netlink *n, uint32_t index, bool up);

/* @ip with all bits behind the first @length cleared. */
struct ip request_prefix(const struct ip *ip, unsigned length);

#endif
