/* SPDX-License-Identifier: ISC */
#include "keeper/order.h"

#include "keeper/interfaces.h"
#include "keeper/requests.h"

struct order {
	const struct conf *conf;
	bool seen, shared_first, wrong;
};

static bool take_address(const struct netlink_address *address, void *context)
{
	struct order *o = context;
	bool shared;

	if (address->ip.family != IP_V4)
		return true;
	shared = conf_address_by_ip(o->conf, &address->ip) >= 0;
	if (!o->seen)
		o->shared_first = shared;
	o->seen = true;
	o->wrong = o->shared_first && !shared && address->scope == RT_SCOPE_UNIVERSE;
	return o->shared_first && !o->wrong;
}

bool order_is_wrong(const struct conf *conf, uint32_t index)
{
	struct order order = {.conf = conf};

	(void)netlink_dump_addresses(index, take_address, &order);
	return order.wrong;
}

/* The kernel keeps the local route as long as any form of the address is there. A second form, of a
 * length that makes no route of its own (RFC 3021), bridges the moment without ours: not a packet
 * is lost. */
#define BRIDGE_LENGTH 31

int order_move_behind(struct netlink *n, uint32_t index, const struct ip *ip)
{
	int errors[NETLINK_BATCH_MAX] = {0};
	struct netlink_batch b;
	int r;

	netlink_batch_clear(&b);
	request_address(&b, index, ip, BRIDGE_LENGTH, REQUEST_FOREVER, false);
	request_no_address(&b, index, ip, (uint8_t)ip_bits(ip));
	request_address(&b, index, ip, (uint8_t)ip_bits(ip), REQUEST_FOREVER, false);
	request_no_address(&b, index, ip, BRIDGE_LENGTH);
	r = netlink_batch_send(n, &b, errors);
	return r < 0 ? r : errors[2];
}
