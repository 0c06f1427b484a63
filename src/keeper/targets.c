/* SPDX-License-Identifier: ISC */
#include "keeper/targets.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/netlink.h"

/* Many groups that move together ask once. */
#define CACHE_LIFE_NS NS_PER_S
/* Default routes come first in the kernel's tables; a table of the whole Internet is not read. */
#define ENTRIES_MAX 4096

/* States of an entry that has, or had lately, a hardware address. */
#define KNOWN_STATES (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

struct search {
	const struct targets *targets;
	size_t device;
	uint32_t index;
	int family; /* AF_INET or AF_INET6 */
	unsigned seen;
	struct target_list *list;
};

int targets_open(struct targets *t, const struct conf *conf, const struct interfaces *interfaces)
{
	size_t count = conf->address_count, asking = count;

	memset(t, 0, sizeof(*t));
	t->conf = conf;
	t->interfaces = interfaces;
	t->stride = (count + TARGETS_ASKING - 1) / TARGETS_ASKING;
	if (asking > TARGETS_ASKING)
		asking = TARGETS_ASKING;
	t->each = TARGETS_IN_ALL / asking;
	if (t->each > TARGETS_MAX)
		t->each = TARGETS_MAX;
	t->told = calloc(conf->address_count, t->each * sizeof(*t->told));
	t->told_count = calloc(conf->address_count, sizeof(*t->told_count));
	return t->told && t->told_count ? 0 : -ENOMEM;
}

static void add_target(struct target_list *list, const struct ip *ip)
{
	for (size_t i = 0; i < list->count; i++) {
		if (ip_equal(&list->ip[i], ip))
			return;
	}
	if (list->count < TARGETS_MAX)
		list->ip[list->count++] = *ip;
}

/* Somebody else's unicast address that does not move about. */
static bool is_suitable(const struct targets *t, size_t device, const struct ip *ip)
{
	return ip->family != IP_NONE && !ip_is_multicast(ip) && !ip_is_unspecified(ip) &&
	       !ip_is_loopback(ip) && !interfaces_is_host_address(t->interfaces, device, ip) &&
	       conf_address_by_ip(t->conf, ip) < 0;
}

static void add_suitable(struct search *s, const struct ip *ip)
{
	if (is_suitable(s->targets, s->device, ip))
		add_target(s->list, ip);
}

/* The next hops of a default route by several ways; each has attributes of its own behind it. */
static void take_next_hops(struct search *s, const struct nlattr *all)
{
	const uint8_t *at = mnl_attr_get_payload(all);
	size_t left = mnl_attr_get_payload_len(all);

	while (left >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *hop = (const void *)at;
		size_t size = hop->rtnh_len;

		if (size < sizeof(*hop) || size > left)
			return;
		for (size_t o = RTNH_ALIGN(sizeof(*hop)); o + sizeof(struct nlattr) <= size;) {
			const struct nlattr *a = (const void *)(at + o);
			struct ip ip = {0};

			if (!mnl_attr_ok(a, (int)(size - o)))
				break;
			if (mnl_attr_get_type(a) == RTA_GATEWAY &&
				(uint32_t)hop->rtnh_ifindex == s->index &&
				netlink_attribute_ip(a, s->family, &ip))
				add_suitable(s, &ip);
			o += MNL_ALIGN(a->nla_len);
		}
		at += RTNH_ALIGN(size);
		left -= RTNH_ALIGN(size) < left ? RTNH_ALIGN(size) : left;
	}
}

static bool take_route(const struct nlmsghdr *m, void *context)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(m);
	struct search *s = context;
	const struct nlattr *a = NULL;
	struct ip gateway = {0};
	uint32_t index = 0;

	if (m->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(m) < sizeof(*info) ||
		info->rtm_dst_len != 0 || info->rtm_type != RTN_UNICAST ||
		info->rtm_table != RT_TABLE_MAIN)
		return ++s->seen < ENTRIES_MAX;
	while ((a = netlink_attribute(m, sizeof(*info), a))) {
		switch (mnl_attr_get_type(a)) {
		case RTA_GATEWAY: (void)netlink_attribute_ip(a, s->family, &gateway); break;
		case RTA_OIF:
			if (mnl_attr_get_payload_len(a) == sizeof(index))
				index = mnl_attr_get_u32(a);
			break;
		case RTA_MULTIPATH: take_next_hops(s, a); break;
		}
	}
	if (index == s->index)
		add_suitable(s, &gateway);
	return ++s->seen < ENTRIES_MAX;
}

static bool take_neighbour(const struct nlmsghdr *m, void *context)
{
	const struct ndmsg *info = mnl_nlmsg_get_payload(m);
	struct search *s = context;
	const struct nlattr *a = NULL;
	struct ip ip = {0};

	if (m->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(m) < sizeof(*info) ||
		(uint32_t)info->ndm_ifindex != s->index || !(info->ndm_state & KNOWN_STATES))
		return ++s->seen < ENTRIES_MAX;
	while ((a = netlink_attribute(m, sizeof(*info), a))) {
		if (mnl_attr_get_type(a) == NDA_DST)
			(void)netlink_attribute_ip(a, s->family, &ip);
	}
	add_suitable(s, &ip);
	return s->list->count < TARGETS_MAX && ++s->seen < ENTRIES_MAX;
}

/* A table that cannot be read, or that changed meanwhile, yields fewer targets and no harm. */
static void fill_cache(
	struct targets *t, size_t device, int family, struct target_cache *cache, ha_time now)
{
	const struct rtmsg route = {.rtm_family = (uint8_t)family, .rtm_table = RT_TABLE_MAIN};
	const struct ndmsg neighbour = {.ndm_family = (uint8_t)family};
	struct search s = {
		.targets = t,
		.device = device,
		.index = t->interfaces->list[device].index,
		.family = family,
	};

	*cache = (struct target_cache){.filled = true, .at = now};
	s.list = &cache->gateways;
	(void)netlink_dump(RTM_GETROUTE, &route, sizeof(route), RTA_OIF, s.index, take_route, &s);
	s.list = &cache->neighbours;
	s.seen = 0;
	(void)netlink_dump(RTM_GETNEIGH, &neighbour, sizeof(neighbour), NDA_IFINDEX, s.index,
		take_neighbour, &s);
}

static const struct target_cache *look_up(struct targets *t, size_t device, bool v6, ha_time now)
{
	struct target_cache *cache = &t->cache[device][v6];

	if (!cache->filled || time_between(cache->at, now) >= CACHE_LIFE_NS)
		fill_cache(t, device, v6 ? AF_INET6 : AF_INET, cache, now);
	return cache;
}

/* On the link of the shared address: in its own subnet, or in one of the device's addresses. */
static bool is_on_link(
	const struct targets *t, const struct conf_address *address, const struct ip *peer)
{
	return ip_same_prefix(peer, &address->ip, address->prefix_length) ||
	       interfaces_covers(t->interfaces, address->device, peer, ip_bits(peer));
}

static void add_peers(
	const struct targets *t, const struct conf_address *address, struct target_list *list)
{
	for (size_t p = 0; p < t->conf->node.peer_count; p++) {
		const struct ip *peer = &t->conf->node.peer[p];

		if (peer->family == address->ip.family && is_on_link(t, address, peer) &&
			is_suitable(t, address->device, peer))
			add_target(list, peer);
	}
}

static void add_all(struct target_list *list, const struct target_list *more)
{
	for (size_t i = 0; i < more->count; i++)
		add_target(list, &more->ip[i]);
}

void targets_gateways(struct targets *t, size_t device, ha_time now, struct target_list *ret_list)
{
	*ret_list = (struct target_list){0};
	add_all(ret_list, &look_up(t, device, false, now)->gateways);
	add_all(ret_list, &look_up(t, device, true, now)->gateways);
}

size_t targets_find(struct targets *t, size_t index, ha_time now)
{
	const struct conf_address *address = &t->conf->addresses[index];
	struct target_list list = {0};
	const struct target_cache *cache;

	t->told_count[index] = 0;
	if (!t->interfaces->list[address->device].ethernet || index % t->stride != 0)
		return 0;
	cache = look_up(t, address->device, address->ip.family == IP_V6, now);
	add_all(&list, &cache->gateways);
	add_peers(t, address, &list);
	add_all(&list, &cache->neighbours);
	if (list.count > t->each)
		list.count = (uint8_t)t->each;
	memcpy(t->told + index * t->each, list.ip, list.count * sizeof(list.ip[0]));
	t->told_count[index] = list.count;
	return list.count;
}

const struct ip *targets_get(const struct targets *t, size_t index, size_t number)
{
	return number < t->told_count[index] ? &t->told[index * t->each + number] : NULL;
}
