/* SPDX-License-Identifier: ISC */
#include "sys/devices.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "sys/netlink.h"

struct watched {
	char name[DEVICE_SIZE];
	bool stale;    /* something happened since it was last read */
	bool reported; /* state was handed out at least once */
	struct device_state state;
};

struct devices {
	struct netlink monitor, request;
	devices_shared is_shared;
	const void *context; /* of is_shared */
	size_t count;
	struct watched list[DEVICES_MAX];
};

#define TYPE       offsetof(struct nlmsghdr, nlmsg_type)
#define ATTRIBUTES (NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ifaddrmsg)))

/* Shared addresses that come say nothing about the device, and may be thousands, each told of by
 * itself: to wake up for them would take time from the kernel's threads that bring them up. Without
 * this filter, or on a kernel that does not mark them, they are passed over one by one. */
static void ignore_shared(int monitor)
{
	/* Half words are loaded as network order. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWADDR), 0, 8),
		BPF_STMT(BPF_LD | BPF_IMM, ATTRIBUTES),
		BPF_STMT(BPF_LDX | BPF_IMM, NETLINK_ADDRESS_PROTOCOL),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_NLATTR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, 0),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, NLA_HDRLEN),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NETLINK_OUR_PROTOCOL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	(void)setsockopt(monitor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int devices_open(const char (*names)[DEVICE_SIZE], size_t count, devices_shared is_shared,
	const void *context, struct devices **ret_devices)
{
	static const unsigned groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};
	struct devices *d = calloc(1, sizeof(*d));
	int r;

	assert(count <= DEVICES_MAX);
	if (!d)
		return -ENOMEM;
	d->request.descriptor = -1;
	d->monitor.descriptor = -1;
	d->count = count;
	for (size_t i = 0; i < count; i++) {
		memcpy(d->list[i].name, names[i], DEVICE_SIZE);
		d->list[i].stale = true;
	}
	d->is_shared = is_shared;
	d->context = context;
	/* The monitor first: what changes while the tables are read is told afterwards. */
	r = netlink_open_monitor(&d->monitor, groups, sizeof(groups) / sizeof(groups[0]));
	if (r == 0)
		r = netlink_open(&d->request);
	if (r == 0)
		ignore_shared(d->monitor.descriptor);
	if (r < 0) {
		devices_close(d);
		return r;
	}
	*ret_devices = d;
	return 0;
}

void devices_close(struct devices *d)
{
	if (!d)
		return;
	netlink_close(&d->monitor);
	netlink_close(&d->request);
	free(d);
}

int devices_descriptor(const struct devices *d)
{
	return d->monitor.descriptor;
}

/* By index for one that is known, by name for one that appears or is renamed. */
static void link_changed(struct devices *d, const struct netlink_link *link)
{
	for (size_t i = 0; i < d->count; i++) {
		struct watched *w = &d->list[i];

		if (w->state.interface_index == link->index || strcmp(w->name, link->name) == 0)
			w->stale = true;
	}
}

/* Shared addresses come and go with every move and say nothing about the device. */
static void address_changed(struct devices *d, const struct netlink_address *address)
{
	if (d->is_shared(d->context, &address->ip))
		return;
	for (size_t i = 0; i < d->count; i++) {
		if (d->list[i].state.interface_index == address->index)
			d->list[i].stale = true;
	}
}

static void take_change(const struct nlmsghdr *m, void *context)
{
	struct netlink_address address;
	struct netlink_link link;

	if ((m->nlmsg_type == RTM_NEWLINK || m->nlmsg_type == RTM_DELLINK) &&
		netlink_parse_link(m, &link))
		link_changed(context, &link);
	else if ((m->nlmsg_type == RTM_NEWADDR || m->nlmsg_type == RTM_DELADDR) &&
		 netlink_parse_address(m, &address))
		address_changed(context, &address);
}

struct own_addresses {
	const struct devices *devices;
	struct ip v4, v6, v6_link_local;
};

/* The first of each kind counts. An IPv6 address that may not be used yet or any more, or that is
 * changed every day (RFC 8981), is not one to know a server by. */
static bool take_own_address(const struct netlink_address *address, void *context)
{
	const uint32_t unsuitable =
		IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_TEMPORARY;
	struct own_addresses *own = context;
	struct ip *place;

	if (own->devices->is_shared(own->devices->context, &address->ip))
		return true;
	if (address->ip.family == IP_V4)
		place = &own->v4;
	else if (address->flags & unsuitable)
		return true;
	else
		place = address->scope == RT_SCOPE_UNIVERSE ? &own->v6 : &own->v6_link_local;
	if (place->family == IP_NONE)
		*place = address->ip;
	return true;
}

static int read_addresses(const struct devices *d, struct device_state *state)
{
	struct own_addresses own = {.devices = d};
	int r = netlink_dump_addresses(state->interface_index, take_own_address, &own);

	state->v4 = own.v4;
	state->v6 = own.v6.family != IP_NONE ? own.v6 : own.v6_link_local;
	return r;
}

static int read_state(struct devices *d, const char *name, struct device_state *ret_state)
{
	struct device_state state = {0};
	struct netlink_link link;
	int r = netlink_get_link(&d->request, name, &link);

	if (r == 0) {
		state.present = true;
		state.up = link.flags & IFF_UP;
		/* RFC 2863: a device without this knowledge says "unknown" */
		state.carrier = (link.flags & IFF_LOWER_UP) &&
				(link.operational_state == IF_OPER_UP ||
					link.operational_state == IF_OPER_UNKNOWN);
		memcpy(state.mac, link.mac, MAC_SIZE);
		state.interface_index = link.index;
		r = read_addresses(d, &state);
	}
	/* ENODEV: it is not there, or went between the two questions. */
	if (r == -ENODEV)
		state = (struct device_state){0};
	else if (r < 0)
		return r;
	*ret_state = state;
	return 0;
}

static bool state_equal(const struct device_state *a, const struct device_state *b)
{
	return a->present == b->present && a->up == b->up && a->carrier == b->carrier &&
	       a->interface_index == b->interface_index && memcmp(a->mac, b->mac, MAC_SIZE) == 0 &&
	       ip_equal(&a->v4, &b->v4) && ip_equal(&a->v6, &b->v6);
}

int devices_update(struct devices *d,
	void (*changed)(void *context, size_t index, const struct device_state *state),
	void *context)
{
	int r = netlink_receive(&d->monitor, take_change, d);

	if (r < 0 && r != -ENOBUFS)
		return r;
	for (size_t i = 0; i < d->count; i++) {
		struct watched *w = &d->list[i];
		struct device_state state;

		if (!w->stale && r == 0)
			continue;
		int error = read_state(d, w->name, &state);

		if (error < 0)
			return error;
		w->stale = false;
		if (w->reported && state_equal(&state, &w->state))
			continue;
		w->reported = true;
		w->state = state;
		changed(context, i, &w->state);
	}
	return 0;
}
