/* SPDX-License-Identifier: ISC */
#include "keeper/fence.h"

#include <errno.h>
#include <limits.h>
#include <linux/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "base/id.h"
#include "sys/descriptors.h"
#include "keeper/filters.h"
#include "sys/log.h"

/* Several instances of one host do not take each other's filters away. */
static uint32_t handle_of(const char *runtime_dir)
{
	char *whole = realpath(runtime_dir, NULL);
	const char *path = whole ? whole : runtime_dir;
	uint32_t handle = (uint32_t)id_hash(ID_SEED, path, strlen(path));

	free(whole);
	return handle != 0 ? handle : 1;
}

struct device_list {
	bool full; /* there are more */
	size_t count;
	uint32_t list[FENCE_DEVICES_MAX];
};

static bool is_fenceable(const struct netlink_link *link)
{
	return !(link->flags & IFF_LOOPBACK);
}

static bool take_device(const struct nlmsghdr *message, void *context)
{
	struct device_list *d = context;
	struct netlink_link link;

	if (!netlink_parse_link(message, &link) || !is_fenceable(&link))
		return true;
	d->full = d->count == FENCE_DEVICES_MAX;
	if (!d->full)
		d->list[d->count++] = link.index;
	return !d->full;
}

static int read_devices(struct device_list *ret_devices)
{
	const struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
	int r;

	do {
		ret_devices->full = false;
		ret_devices->count = 0;
		r = netlink_dump(
			RTM_GETLINK, &header, sizeof(header), 0, 0, take_device, ret_devices);
	} while (r == -EINTR);
	return r == 0 && ret_devices->full ? -E2BIG : r;
}

static void remove_everywhere(uint32_t handle)
{
	struct device_list devices;
	struct netlink request;

	if (netlink_open(&request) < 0)
		return;
	devices.count = 0;
	(void)read_devices(&devices);
	for (size_t i = 0; i < devices.count; i++)
		filters_remove(&request, devices.list[i], handle);
	netlink_close(&request);
}

void fence_clean(const char *runtime_dir)
{
	remove_everywhere(handle_of(runtime_dir));
}

static bool is_known(const struct fence *f, uint32_t index)
{
	for (size_t i = 0; i < f->device_count; i++) {
		if (f->devices[i] == index)
			return true;
	}
	return false;
}

static void forget(struct fence *f, uint32_t index)
{
	for (size_t i = 0; i < f->device_count; i++) {
		if (f->devices[i] == index)
			f->devices[i] = f->devices[--f->device_count];
	}
}

static int attach(struct fence *f, uint32_t index)
{
	int r = filters_add(&f->request, index, f->handle, f->object.ingress, f->object.egress);

	if (r == 0 && !is_known(f, index) && f->device_count < FENCE_DEVICES_MAX)
		f->devices[f->device_count++] = index;
	return r == -ENODEV ? 0 : r;
}

static int attach_everywhere(struct fence *f)
{
	struct device_list devices;
	int r = read_devices(&devices);

	for (size_t i = 0; r == 0 && i < devices.count; i++)
		r = attach(f, devices.list[i]);
	return r;
}

static int open_sockets(struct fence *f)
{
	static const unsigned groups[] = {RTNLGRP_LINK, RTNLGRP_TC};
	int r = netlink_open_monitor(&f->monitor, groups, sizeof(groups) / sizeof(groups[0]));

	return r == 0 ? netlink_open(&f->request) : r;
}

/* After fence_load(). 0 or -errno. */
static int put_up(struct fence *f)
{
	void *held = mmap(NULL, f->group_count * sizeof(*f->held), PROT_READ | PROT_WRITE,
		MAP_SHARED, f->object.held, 0);
	int r;

	if (held == MAP_FAILED)
		return -errno;
	f->held = held;
	r = open_sockets(f);
	return r == 0 ? attach_everywhere(f) : r;
}

static void let_go(struct fence *f)
{
	if (f->held)
		(void)munmap(f->held, f->group_count * sizeof(*f->held));
	netlink_close(&f->monitor);
	netlink_close(&f->request);
	descriptors_close(
		(const int[]){f->object.ingress, f->object.egress, f->object.lease, f->object.held},
		4);
}

void fence_open(struct fence *f, const struct conf *conf, const char *runtime_dir)
{
	const char *reason = NULL;
	int r;

	*f = (struct fence){.handle = handle_of(runtime_dir),
		.group_count = conf->group_count,
		.monitor = {.descriptor = -1},
		.request = {.descriptor = -1}};
	f->in_force = fence_load(conf, &f->object, &reason);
	r = f->in_force ? put_up(f) : 0;
	if (r < 0) {
		reason = strerror(-r);
		remove_everywhere(f->handle);
		let_go(f);
		f->in_force = false;
	}
	if (!f->in_force)
		log_notice("no fence in the kernel: %s; the keeper's watchdog alone takes the "
			   "addresses down when the lease has passed",
			reason);
}

int fence_lease(const struct fence *f)
{
	return f->in_force ? f->object.lease : -1;
}

static void set_held(struct fence *f, size_t group, uint64_t held)
{
	assert(group < f->group_count);
	__atomic_store_n(&f->held[group], held, __ATOMIC_RELEASE);
}

void fence_hold(struct fence *f, size_t group)
{
	if (!f->in_force)
		return;
	fence_watch(f);
	set_held(f, group, 1);
}

void fence_release(struct fence *f, size_t group)
{
	if (f->in_force)
		set_held(f, group, 0);
}

static void attach_again(struct fence *f, uint32_t index)
{
	int r = attach(f, index);

	if (r < 0)
		log_error(
			"the fence cannot be put up at device number %u: %s", index, strerror(-r));
}

static void take_notice(const struct nlmsghdr *message, void *context)
{
	struct fence *f = context;
	struct netlink_link link;
	uint32_t index;

	if (filters_are_lost(message, &index)) {
		attach_again(f, index);
	} else if (message->nlmsg_type == RTM_NEWLINK && netlink_parse_link(message, &link)) {
		if (is_fenceable(&link) && !is_known(f, link.index))
			attach_again(f, link.index);
	} else if (message->nlmsg_type == RTM_DELLINK && netlink_parse_link(message, &link)) {
		forget(f, link.index);
	}
}

void fence_watch(struct fence *f)
{
	int r = netlink_receive(&f->monitor, take_notice, f);

	if (r == -ENOBUFS)
		r = attach_everywhere(f);
	if (r < 0)
		log_error("the fence cannot be watched over: %s", strerror(-r));
}

void fence_close(struct fence *f)
{
	if (!f->in_force)
		return;
	remove_everywhere(f->handle);
	let_go(f);
	f->in_force = false;
}
