/* SPDX-License-Identifier: ISC */
/*
 * local: IPv4 addresses as local routes. The kernel keeps a device's addresses in a list, through
 * which it looks for each that comes or goes: ten thousand take more than a second. The table of
 * local routes has no such list, and is what decides about receiving and about answering ARP. So
 * where there are many addresses they go there (ipv4-as in ha.conf(5)).
 *
 * The routes name the device, as those that the kernel makes for its addresses do: only then does
 * the host answer the probe of RFC 5227 and ask its neighbours from the address. Their protocol and
 * metric are ours. They differ from addresses in this: `ip address` does not show them; a device
 * whose arp_ignore is not 0 does not answer for them, because that looks at the list; and they
 * vanish with the last IPv4 address of the device.
 */
#ifndef HA_KEEPER_LOCAL_H
#define HA_KEEPER_LOCAL_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "sys/netlink.h"

/* Whether the IPv4 addresses of a device are to be local routes; logs what speaks against it. */
bool local_is_wanted(const struct conf *conf, size_t device);

/* Has a socket that listens to IPv4 routes pass over all of them but local ones of ours that go. A
 * host may have the routes of the whole Internet. 0 or -errno. */
int local_filter(int monitor);

/* A local route of ours, as if it were an address. False if the message is something else. */
bool local_parse(const struct nlmsghdr *message, struct netlink_address *ret_local);

/* Each local route of ours, also of other instances; returns what netlink_dump_addresses() does. */
int local_dump(bool (*callback)(const struct netlink_address *local, void *context), void *context);

#endif
