/* SPDX-License-Identifier: ISC */
#include "keeper/filters.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <netinet/in.h>

#define QDISC_KIND  "clsact"
#define FILTER_KIND "bpf"
#define NAME        "ha-fence"

static const uint32_t PARENTS[] = {
	TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)};

static struct nlmsghdr *add_header(
	struct netlink_batch *b, uint16_t type, uint16_t flags, const struct tcmsg *header)
{
	struct nlmsghdr *m = netlink_batch_next(b, type, flags);

	*(struct tcmsg *)mnl_nlmsg_put_extra_header(m, sizeof(*header)) = *header;
	return m;
}

static int change_qdisc(struct netlink *n, uint32_t index, uint16_t type, uint16_t flags)
{
	const struct tcmsg header = {.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)index,
		.tcm_parent = TC_H_CLSACT,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0)};
	struct netlink_batch b;
	struct nlmsghdr *m;

	netlink_batch_clear(&b);
	m = add_header(&b, type, flags, &header);
	mnl_attr_put_strz(m, TCA_KIND, QDISC_KIND);
	return netlink_request(n, &b);
}

static struct nlmsghdr *begin_filter(struct netlink_batch *b, uint16_t type, uint16_t flags,
	uint32_t index, uint32_t parent, uint32_t handle)
{
	const struct tcmsg header = {.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)index,
		.tcm_parent = parent,
		.tcm_handle = handle,
		.tcm_info = TC_H_MAKE((uint32_t)FILTERS_PREFERENCE << 16, htons(ETH_P_ALL))};
	struct nlmsghdr *m = add_header(b, type, flags, &header);

	mnl_attr_put_strz(m, TCA_KIND, FILTER_KIND);
	return m;
}

static int add_filter(
	struct netlink *n, uint32_t index, uint32_t parent, uint32_t handle, int program)
{
	struct netlink_batch b;
	struct nlmsghdr *m;
	struct nlattr *options;

	netlink_batch_clear(&b);
	m = begin_filter(&b, RTM_NEWTFILTER, NLM_F_CREATE, index, parent, handle);
	options = mnl_attr_nest_start(m, TCA_OPTIONS);
	mnl_attr_put_u32(m, TCA_BPF_FD, (uint32_t)program);
	mnl_attr_put_strz(m, TCA_BPF_NAME, NAME);
	mnl_attr_put_u32(m, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(m, options);
	return netlink_request(n, &b);
}

int filters_add(struct netlink *n, uint32_t index, uint32_t handle, int ingress, int egress)
{
	int r = change_qdisc(n, index, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);

	if (r == -EEXIST)
		r = 0;
	if (r == 0)
		r = add_filter(n, index, PARENTS[0], handle, ingress);
	if (r == 0)
		r = add_filter(n, index, PARENTS[1], handle, egress);
	return r;
}

static bool note_filter(const struct nlmsghdr *message, void *context)
{
	(void)message;
	*(bool *)context = true;
	return false;
}

static bool has_filters(uint32_t index)
{
	bool found = false;

	for (size_t i = 0; i < 2; i++) {
		const struct tcmsg header = {.tcm_family = AF_UNSPEC,
			.tcm_ifindex = (int)index,
			.tcm_parent = PARENTS[i]};

		if (netlink_dump(
			    RTM_GETTFILTER, &header, sizeof(header), 0, 0, note_filter, &found) < 0)
			return true; /* not known: it stays */
	}
	return found;
}

void filters_remove(struct netlink *n, uint32_t index, uint32_t handle)
{
	bool removed = false;

	for (size_t i = 0; i < 2; i++) {
		struct netlink_batch b;

		netlink_batch_clear(&b);
		(void)begin_filter(&b, RTM_DELTFILTER, 0, index, PARENTS[i], handle);
		removed |= netlink_request(n, &b) == 0;
	}
	if (removed && !has_filters(index))
		(void)change_qdisc(n, index, RTM_DELQDISC, 0);
}

bool filters_are_lost(const struct nlmsghdr *message, uint32_t *ret_index)
{
	const struct tcmsg *header = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type != RTM_DELTFILTER && message->nlmsg_type != RTM_DELQDISC)
		return false;
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header) ||
		TC_H_MAJ(header->tcm_parent) != TC_H_MAJ(TC_H_CLSACT))
		return false;
	*ret_index = (uint32_t)header->tcm_ifindex;
	return true;
}
