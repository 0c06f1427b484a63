/* SPDX-License-Identifier: ISC */
#include "keeper/requests.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <string.h>
#include <sys/socket.h>

static uint8_t kernel_family(const struct ip *ip)
{
	return ip->family == IP_V4 ? AF_INET : AF_INET6;
}

static void put_ip(struct nlmsghdr *m, uint16_t type, const struct ip *ip)
{
	mnl_attr_put(m, type, ip_bits(ip) / 8, ip->bytes);
}

static struct nlmsghdr *address_message(struct netlink_batch *b, uint16_t type, uint16_t flags,
	uint32_t index, const struct ip *ip, uint8_t prefix_length)
{
	struct nlmsghdr *m = netlink_batch_next(b, type, flags);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

	info->ifa_family = kernel_family(ip);
	info->ifa_prefixlen = prefix_length;
	info->ifa_scope = RT_SCOPE_UNIVERSE;
	info->ifa_index = index;
	put_ip(m, IFA_LOCAL, ip);
	put_ip(m, IFA_ADDRESS, ip);
	return m;
}

void request_address(struct netlink_batch *b, uint32_t index, const struct ip *ip, uint8_t length,
	uint32_t lifetime_s, bool deprecated)
{
	const struct ifa_cacheinfo lifetimes = {
		.ifa_prefered = deprecated ? 0 : lifetime_s,
		.ifa_valid = lifetime_s,
	};
	struct nlmsghdr *m =
		address_message(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, ip, length);

	mnl_attr_put_u32(m, IFA_FLAGS, IFA_F_NOPREFIXROUTE | IFA_F_NODAD);
	mnl_attr_put_u8(m, NETLINK_ADDRESS_PROTOCOL, NETLINK_OUR_PROTOCOL);
	mnl_attr_put(m, IFA_CACHEINFO, sizeof(lifetimes), &lifetimes);
}

void request_no_address(
	struct netlink_batch *b, uint32_t index, const struct ip *ip, uint8_t prefix_length)
{
	(void)address_message(b, RTM_DELADDR, 0, index, ip, prefix_length);
}

struct route {
	uint8_t table, type, scope;
};

static const struct route LOCAL = {RT_TABLE_LOCAL, RTN_LOCAL, RT_SCOPE_HOST};

static struct route connected(const struct ip *prefix)
{
	return (struct route){RT_TABLE_MAIN, RTN_UNICAST,
		prefix->family == IP_V4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE};
}

static void route_message(struct netlink_batch *b, uint16_t type, struct route route,
	uint32_t index, const struct ip *prefix, uint8_t length)
{
	uint16_t flags = type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct nlmsghdr *m = netlink_batch_next(b, type, flags);
	struct rtmsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

	info->rtm_family = kernel_family(prefix);
	info->rtm_dst_len = length;
	info->rtm_table = route.table;
	info->rtm_protocol = ROUTE_PROTOCOL;
	info->rtm_scope = route.scope;
	info->rtm_type = route.type;
	put_ip(m, RTA_DST, prefix);
	mnl_attr_put_u32(m, RTA_OIF, index);
	mnl_attr_put_u32(m, RTA_PRIORITY, ROUTE_METRIC);
}

void request_route(struct netlink_batch *b, uint32_t index, const struct ip *prefix, uint8_t length)
{
	route_message(b, RTM_NEWROUTE, connected(prefix), index, prefix, length);
}

void request_no_route(
	struct netlink_batch *b, uint32_t index, const struct ip *prefix, uint8_t length)
{
	route_message(b, RTM_DELROUTE, connected(prefix), index, prefix, length);
}

void request_local(struct netlink_batch *b, uint32_t index, const struct ip *ip)
{
	route_message(b, RTM_NEWROUTE, LOCAL, index, ip, (uint8_t)ip_bits(ip));
}

void request_no_local(struct netlink_batch *b, uint32_t index, const struct ip *ip)
{
	route_message(b, RTM_DELROUTE, LOCAL, index, ip, (uint8_t)ip_bits(ip));
}

bool request_is_gone(int error)
{
	return error == 0 || error == -EADDRNOTAVAIL || error == -ENODEV || error == -ESRCH;
}

int request_link(struct netlink *n, uint32_t index, bool up)
{
	struct netlink_batch b;
	struct ifinfomsg *info;
	struct nlmsghdr *m;

	netlink_batch_clear(&b);
	m = netlink_batch_next(&b, RTM_NEWLINK, 0);
	info = mnl_nlmsg_put_extra_header(m, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)index;
	info->ifi_change = IFF_UP;
	info->ifi_flags = up ? IFF_UP : 0;
	return netlink_request(n, &b);
}

struct ip request_prefix(const struct ip *ip, unsigned length)
{
	struct ip prefix = {.family = ip->family};
	unsigned whole = length / 8, rest = length % 8;

	memcpy(prefix.bytes, ip->bytes, whole);
	if (rest > 0)
		prefix.bytes[whole] = (uint8_t)(ip->bytes[whole] & (0xff00u >> rest));
	return prefix;
}
