/* SPDX-License-Identifier: ISC */
#include "keeper/local.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "keeper/interfaces.h"
#include "keeper/requests.h"
#include "sys/log.h"

#define DUMP_ATTEMPTS 3

static size_t count_v4(const struct conf *conf, size_t device)
{
	size_t count = 0;

	for (size_t i = 0; i < conf->address_count; i++)
		count += conf->addresses[i].device == device &&
			 conf->addresses[i].ip.family == IP_V4;
	return count;
}

static bool ignores(const char *device)
{
	return interfaces_sysctl("ipv4", device, "arp_ignore");
}

bool local_is_wanted(const struct conf *conf, size_t device)
{
	enum conf_ipv4_as as = conf->node.ipv4_as;
	const char *name = conf->devices[device].name;
	size_t count = count_v4(conf, device);

	if (as == CONF_IPV4_AS_ADDRESS || count == 0 ||
		(as == CONF_IPV4_AS_AUTO && count <= CONF_IPV4_AS_ADDRESSES))
		return false;
	if (!ignores("all") && !ignores(name))
		return true;
	if (as == CONF_IPV4_AS_ROUTE)
		log_warning("%s does not answer for local routes (ipv4-as = route): set its "
			    "arp_ignore, and that of all, to 0",
			name);
	else
		log_notice("%zu addresses go to %s one by one: as local routes they would be "
			   "faster, but its arp_ignore, or that of all, is not 0",
			count, name);
	return as == CONF_IPV4_AS_ROUTE;
}

/* Offsets into a message: its header, then that of the route. */
#define TYPE     offsetof(struct nlmsghdr, nlmsg_type)
#define TABLE    (sizeof(struct nlmsghdr) + offsetof(struct rtmsg, rtm_table))
#define PROTOCOL (sizeof(struct nlmsghdr) + offsetof(struct rtmsg, rtm_protocol))

int local_filter(int monitor)
{
	/* Half words are loaded as network order. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 6, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 4),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TABLE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RT_TABLE_LOCAL, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ROUTE_PROTOCOL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	if (setsockopt(monitor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	return 0;
}

bool local_parse(const struct nlmsghdr *message, struct netlink_address *ret_local)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct netlink_address local = {.prefix_length = 32, .scope = RT_SCOPE_UNIVERSE};
	const struct nlattr *a = NULL;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info) || info->rtm_family != AF_INET ||
		info->rtm_table != RT_TABLE_LOCAL || info->rtm_type != RTN_LOCAL ||
		info->rtm_protocol != ROUTE_PROTOCOL || info->rtm_dst_len != 32)
		return false;
	while ((a = netlink_attribute(message, sizeof(*info), a))) {
		if (mnl_attr_get_type(a) == RTA_DST)
			(void)netlink_attribute_ip(a, AF_INET, &local.ip);
		else if (mnl_attr_get_type(a) == RTA_OIF &&
			 mnl_attr_get_payload_len(a) == sizeof(uint32_t))
			local.index = mnl_attr_get_u32(a);
	}
	if (local.ip.family == IP_NONE || local.index == 0)
		return false;
	*ret_local = local;
	return true;
}

struct local_search {
	bool (*callback)(const struct netlink_address *local, void *context);
	void *context;
};

static bool take_route(const struct nlmsghdr *m, void *context)
{
	const struct local_search *s = context;
	struct netlink_address local;

	if (m->nlmsg_type != RTM_NEWROUTE || !local_parse(m, &local))
		return true;
	return s->callback(&local, s->context);
}

int local_dump(bool (*callback)(const struct netlink_address *local, void *context), void *context)
{
	/* A newer kernel filters by all that is given. */
	const struct rtmsg request = {.rtm_family = AF_INET,
		.rtm_table = RT_TABLE_LOCAL,
		.rtm_protocol = ROUTE_PROTOCOL,
		.rtm_type = RTN_LOCAL};
	struct local_search search = {callback, context};
	int r = -EINTR;

	for (int attempt = 0; r == -EINTR && attempt < DUMP_ATTEMPTS; attempt++)
		r = netlink_dump(
			RTM_GETROUTE, &request, sizeof(request), 0, 0, take_route, &search);
	return r;
}
