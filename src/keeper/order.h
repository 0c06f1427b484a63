/* SPDX-License-Identifier: ISC */
/*
 * order: the host's own IPv4 address stays in front of the shared ones. The kernel lists a device's
 * addresses in the order in which they came, and takes the first one as the source of multicast and
 * of whatever leaves by a route without a preferred source. A shared address always comes last,
 * until the host gets another address of its own; then the shared ones are moved behind it.
 */
#ifndef HA_KEEPER_ORDER_H
#define HA_KEEPER_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "sys/netlink.h"

/* True if a shared address is the first one of the device with @index, in front of one of the
 * host's. */
bool order_is_wrong(const struct conf *conf, uint32_t index);

/* Moves @ip, which the device has in our form, to the end of its list. 0 or -errno. */
int order_move_behind(struct netlink *n, uint32_t index, const struct ip *ip);

#endif
