/* SPDX-License-Identifier: ISC */
/*
 * netlink: the little of rtnetlink that the keeper and the device watch need, over libmnl: batches
 * of requests with an answer for each, dumps, and a socket that listens to changes. Nothing here
 * blocks: the kernel carries a request out while it is being sent, and its answer waits when that
 * returns. Only what the kernel itself sent is read; another process could put a message on our
 * port.
 */
#ifndef HA_SYS_NETLINK_H
#define HA_SYS_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "base/ip.h"
#include "base/limits.h"

struct netlink {
	int descriptor;
	uint32_t sequence;
};

/* Opens a socket for requests. 0, or -errno. */
int netlink_open(struct netlink *ret_netlink);

/**
 * netlink_open_monitor - open a socket that listens to multicast groups
 * @groups: @count of enum rtnetlink_groups (RTNLGRP_LINK, ...)
 *
 * The receive buffer is enlarged as far as the process may.
 *
 * Return: 0, or -errno.
 */
int netlink_open_monitor(struct netlink *ret_netlink, const unsigned *groups, size_t count);

/* Closes it; fine on one that failed to open or was closed. */
void netlink_close(struct netlink *n);

/* @message is borrowed for the call. */
typedef void (*netlink_callback)(const struct nlmsghdr *message, void *context);

/**
 * netlink_receive - hand every message that waits to @callback, without blocking
 *
 * Return: 0; -ENOBUFS if the kernel dropped messages because nobody read them (what did arrive was
 *         handed over; ask the kernel for everything again); another -errno if the socket failed.
 */
int netlink_receive(struct netlink *n, netlink_callback callback, void *context);

/* Marks routes and addresses as put there by ha's keeper; unassigned in /etc/iproute2/rt_protos and
 * rt_addrprotos. */
#define NETLINK_OUR_PROTOCOL     143
#define NETLINK_ADDRESS_PROTOCOL 11 /* IFA_PROTO: an attribute since Linux 5.18, ignored before */

/* Requests are written one behind the other and sent together. */
#define NETLINK_BATCH_MAX    1000
#define NETLINK_MESSAGE_SIZE 128 /* more than any request of ours needs */

struct netlink_batch {
	size_t count;
	size_t used;
	_Alignas(NLMSG_ALIGNTO) uint8_t bytes[NETLINK_BATCH_MAX * NETLINK_MESSAGE_SIZE];
};

/* An empty batch. */
void netlink_batch_clear(struct netlink_batch *b);

/* Starts the next message of the batch, which must not be full: its header, to which the caller
 * adds the family's header and attributes (at most NETLINK_MESSAGE_SIZE in all) before the next
 * call. */
struct nlmsghdr *netlink_batch_next(struct netlink_batch *b, uint16_t type, uint16_t flags);

/**
 * netlink_batch_send - have the kernel carry out the batch, in order, also past one that fails
 * @errors: NETLINK_BATCH_MAX numbers; the first b->count are set to 0 or -errno of each message
 *
 * The kernel tells of every message that fails; of those that do not only the last is
 * acknowledged, which says that all were carried out. That saves 2 to 8 us a message.
 *
 * Return: 0, or -errno if the kernel did not take or answer the batch (@errors is undefined).
 */
int netlink_batch_send(struct netlink *n, struct netlink_batch *b, int *errors);

/* Sends a batch of one. 0 or -errno. */
int netlink_request(struct netlink *n, struct netlink_batch *b);

/**
 * netlink_dump - ask for a table
 * @type:     RTM_GETADDR, ...
 * @header:   the family's header of the request, @size bytes
 * @index:    interface index for the attribute @attribute, by which newer kernels filter; 0: none.
 *            The callback must filter as well.
 * @callback: return false to see no more
 *
 * Return: 0; -EINTR if the table changed meanwhile (ask again); or -errno.
 */
int netlink_dump(uint16_t type, const void *header, size_t size, uint16_t attribute, uint32_t index,
	bool (*callback)(const struct nlmsghdr *message, void *context), void *context);

/* The attribute behind @previous (NULL: the first) of @message, whose family's header has
 * @header_size bytes; NULL at the end. */
const struct nlattr *netlink_attribute(
	const struct nlmsghdr *message, size_t header_size, const struct nlattr *previous);

/* The address in @a, of AF_INET or AF_INET6. False if it has another size. */
bool netlink_attribute_ip(const struct nlattr *a, int family, struct ip *ret_ip);

struct netlink_link {
	uint32_t index;
	char name[DEVICE_SIZE];
	uint32_t flags;            /* IFF_UP, ... */
	uint16_t type;             /* ARPHRD_ETHER, ... */
	uint8_t operational_state; /* RFC 2863: IF_OPER_UP, ... */
	uint8_t mac[MAC_SIZE];     /* zero if it has none of this size */
};

struct netlink_address {
	uint32_t index;
	struct ip ip; /* the own one, not the far end of a point-to-point link */
	uint8_t prefix_length;
	uint8_t scope;  /* RT_SCOPE_UNIVERSE, ... */
	uint32_t flags; /* IFA_F_... */
};

/* False if the message is not whole or of another family. */
bool netlink_parse_link(const struct nlmsghdr *message, struct netlink_link *ret_link);
bool netlink_parse_address(const struct nlmsghdr *message, struct netlink_address *ret_address);

/* The device called @name now: 0, -ENODEV, or -errno. */
int netlink_get_link(struct netlink *n, const char *name, struct netlink_link *ret_link);

/**
 * netlink_dump_addresses - every address of both families
 * @index: of one device; 0: of all
 *
 * Asks again, from the beginning, while the table changes under it: @callback may see an address
 * twice.
 *
 * Return: 0, or -errno.
 */
int netlink_dump_addresses(uint32_t index,
	bool (*callback)(const struct netlink_address *address, void *context), void *context);

#endif
