/* SPDX-License-Identifier: ISC */
#include "keeper/interfaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "keeper/local.h"

#define RESYNC_ATTEMPTS  3
#define SYSCTL_PATH_SIZE 96

static int device_by_index(const struct interfaces *i, uint32_t index)
{
	for (int d = 0; d < i->conf->device_count; d++) {
		if (index != 0 && i->list[d].index == index)
			return d;
	}
	return -1;
}

static int device_by_name(const struct interfaces *i, const char *name)
{
	for (int d = 0; d < i->conf->device_count; d++) {
		if (strcmp(i->conf->devices[d].name, name) == 0)
			return d;
	}
	return -1;
}

int interfaces_shared(const struct interfaces *i, size_t device, const struct ip *ip)
{
	int shared = conf_address_by_ip(i->conf, ip);

	return shared >= 0 && i->conf->addresses[shared].device == device ? shared : -1;
}

bool interfaces_is_our_form(const struct netlink_address *address)
{
	return address->prefix_length == ip_bits(&address->ip);
}

static bool same_entry(const struct host_address *h, size_t device, const struct netlink_address *a)
{
	return h->device == device && h->address.prefix_length == a->prefix_length &&
	       ip_equal(&h->address.ip, &a->ip);
}

static bool has_v4(const struct interfaces *i, size_t device)
{
	for (size_t h = 0; h < i->host_count; h++) {
		if (i->host[h].device == device && i->host[h].address.ip.family == IP_V4)
			return true;
	}
	return false;
}

/* With a device's last IPv4 address the kernel drops its local routes, without a notice: they must
 * be read again. */
static void remove_host(struct interfaces *i, size_t device, const struct netlink_address *address)
{
	for (size_t h = 0; h < i->host_count; h++) {
		if (!same_entry(&i->host[h], device, address))
			continue;
		i->host[h] = i->host[--i->host_count];
		i->changed = true;
		i->host_changed = true;
		i->stale |= address->ip.family == IP_V4 && !has_v4(i, device);
		return;
	}
}

static void add_host(struct interfaces *i, size_t device, const struct netlink_address *address)
{
	remove_host(i, device, address);
	if (i->host_count == HOST_ADDRESSES_MAX)
		return;
	i->host[i->host_count++] =
		(struct host_address){.device = (uint8_t)device, .address = *address};
	i->changed = true;
	i->host_changed = true;
}

static void set_form(struct interfaces *i, size_t shared, bool plain, bool local)
{
	i->plain[shared] = plain;
	i->local[shared] = local;
	i->present[shared] = plain || local;
}

void interfaces_came(struct interfaces *i, size_t shared, bool as_route)
{
	set_form(i, shared, i->plain[shared] || !as_route, i->local[shared] || as_route);
}

void interfaces_route_went(struct interfaces *i, size_t shared)
{
	set_form(i, shared, i->plain[shared], false);
}

static void take_address(struct interfaces *i, const struct netlink_address *address, bool added)
{
	int device = device_by_index(i, address->index);
	int shared;

	if (device < 0)
		return;
	shared = interfaces_shared(i, (size_t)device, &address->ip);
	if (shared >= 0 && interfaces_is_our_form(address)) {
		set_form(i, (size_t)shared, added, i->local[shared]);
		i->told[shared] = i->present[shared];
		i->gone |= !i->present[shared];
	} else if (added) {
		add_host(i, (size_t)device, address);
	} else {
		remove_host(i, (size_t)device, address);
	}
}

/* Whatever was on @device is there no more. */
static void forget_device(struct interfaces *i, size_t device)
{
	uint32_t downs = i->list[device].downs + 1;

	i->list[device] = (struct interface){.downs = downs};
	for (size_t a = 0; a < i->conf->address_count; a++) {
		if (i->conf->addresses[a].device != device)
			continue;
		set_form(i, a, false, false);
		i->told[a] = false;
	}
	for (size_t h = 0; h < i->host_count;) {
		if (i->host[h].device == device)
			i->host[h] = i->host[--i->host_count];
		else
			h++;
	}
	i->gone = true;
	i->changed = true;
	i->lost = true;
}

static void set_device(struct interfaces *i, size_t device, const struct netlink_link *link)
{
	struct interface *entry = &i->list[device];
	bool up = link->flags & IFF_UP;

	if (entry->up && !up)
		entry->downs++;
	entry->index = link->index;
	entry->up = up;
	entry->ethernet = link->type == ARPHRD_ETHER;
	memcpy(entry->mac, link->mac, MAC_SIZE);
	i->changed = true;
}

static void take_link(struct interfaces *i, const struct netlink_link *link, bool exists)
{
	int known = device_by_index(i, link->index);
	int named = exists ? device_by_name(i, link->name) : -1;

	if (known >= 0 && known != named)
		forget_device(i, (size_t)known); /* it went, or has another name now */
	if (named < 0)
		return;
	if (known != named) {
		/* It may have brought addresses along, of which no notice is to come. */
		if (i->list[named].index != 0)
			forget_device(i, (size_t)named);
		i->stale = true;
	}
	set_device(i, (size_t)named, link);
}

/* A shared address that is a local route. */
static void take_local(struct interfaces *i, const struct netlink_address *local, bool added)
{
	int device = device_by_index(i, local->index);
	int shared = device < 0 ? -1 : interfaces_shared(i, (size_t)device, &local->ip);

	if (shared < 0)
		return;
	set_form(i, (size_t)shared, i->plain[shared], added);
	i->told[shared] = i->present[shared];
	i->gone |= !i->present[shared];
}

static void take_notice(const struct nlmsghdr *m, void *context)
{
	struct interfaces *i = context;
	struct netlink_address address;
	struct netlink_link link;

	switch (m->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (netlink_parse_link(m, &link))
			take_link(i, &link, m->nlmsg_type == RTM_NEWLINK);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (netlink_parse_address(m, &address))
			take_address(i, &address, m->nlmsg_type == RTM_NEWADDR);
		break;
	case RTM_DELROUTE:
		if (local_parse(m, &address))
			take_local(i, &address, false);
		break;
	}
}

static bool take_dumped(const struct netlink_address *address, void *context)
{
	take_address(context, address, true);
	return true;
}

static bool take_dumped_local(const struct netlink_address *local, void *context)
{
	take_local(context, local, true);
	return true;
}

static int read_device(struct interfaces *i, size_t device)
{
	struct netlink_link link;
	int r = netlink_get_link(&i->request, i->conf->devices[device].name, &link);
	uint32_t index = i->list[device].index;

	if (r == -ENODEV) {
		if (index != 0)
			forget_device(i, device);
		return 0;
	}
	if (r < 0)
		return r;
	if (index != link.index && index != 0)
		forget_device(i, device);
	set_device(i, device, &link);
	return 0;
}

static int read_everything(struct interfaces *i)
{
	int r = 0;

	i->stale = false;
	i->host_count = 0;
	i->gone = true;
	i->changed = true;
	memset(i->present, 0, i->conf->address_count * sizeof(*i->present));
	memset(i->told, 0, i->conf->address_count * sizeof(*i->told));
	memset(i->plain, 0, i->conf->address_count * sizeof(*i->plain));
	memset(i->local, 0, i->conf->address_count * sizeof(*i->local));
	for (size_t d = 0; r == 0 && d < i->conf->device_count; d++)
		r = read_device(i, d);
	if (r == 0)
		r = netlink_dump_addresses(0, take_dumped, i);
	if (r == 0)
		r = local_dump(take_dumped_local, i);
	return r;
}

int interfaces_open(struct interfaces *i, const struct conf *conf)
{
	static const unsigned groups[] = {
		RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE};
	int r;

	memset(i, 0, sizeof(*i));
	i->conf = conf;
	i->request.descriptor = -1;
	i->present = calloc(conf->address_count, sizeof(*i->present));
	i->told = calloc(conf->address_count, sizeof(*i->told));
	i->plain = calloc(conf->address_count, sizeof(*i->plain));
	i->local = calloc(conf->address_count, sizeof(*i->local));
	if (!i->present || !i->told || !i->plain || !i->local)
		return -ENOMEM;
	r = netlink_open_monitor(&i->monitor, groups, sizeof(groups) / sizeof(groups[0]));
	if (r == 0)
		r = local_filter(i->monitor.descriptor);
	if (r == 0)
		r = netlink_open(&i->request);
	if (r == 0)
		r = read_everything(i);
	return r;
}

int interfaces_update(struct interfaces *i)
{
	int r = netlink_receive(&i->monitor, take_notice, i);

	/* The queue is empty now, so nothing older than what is read next can follow it. */
	for (int n = 0;
		(r == -ENOBUFS || r == -EINTR || (r == 0 && i->stale)) && n < RESYNC_ATTEMPTS; n++)
		r = read_everything(i);
	return r;
}

bool interfaces_is_host_address(const struct interfaces *i, size_t device, const struct ip *ip)
{
	for (size_t h = 0; h < i->host_count; h++) {
		if (i->host[h].device == device && ip_equal(&i->host[h].address.ip, ip))
			return true;
	}
	return false;
}

bool interfaces_covers(
	const struct interfaces *i, size_t device, const struct ip *ip, unsigned length)
{
	for (size_t h = 0; h < i->host_count; h++) {
		const struct netlink_address *own = &i->host[h].address;

		if (i->host[h].device == device && own->prefix_length <= length &&
			ip_same_prefix(&own->ip, ip, own->prefix_length) &&
			conf_address_by_ip(i->conf, &own->ip) < 0)
			return true;
	}
	return false;
}

bool interfaces_sysctl(const char *family, const char *device, const char *key)
{
	char path[SYSCTL_PATH_SIZE], value = '0';
	struct text name = text_init(path, sizeof(path));
	int file;

	text_add(&name, "/proc/sys/net/%s/conf/%s/%s", family, device, key);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	if (read(file, &value, 1) != 1)
		value = '0';
	(void)close(file);
	return value != '0';
}
