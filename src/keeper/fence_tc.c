/* SPDX-License-Identifier: ISC */
#include "keeper/fence_tc.h"

#include <errno.h>
#include <linux/if.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "keeper/fence_shape.h"
#include "keeper/filters.h"
#include "sys/clock.h"
#include "sys/descriptors.h"
#include "sys/log.h"
#include "wire/lease.h"

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

void fence_tc_clean(uint32_t handle)
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

static bool is_known(const struct fence_tc *f, uint32_t index)
{
	for (size_t i = 0; i < f->device_count; i++) {
		if (f->devices[i] == index)
			return true;
	}
	return false;
}

static void forget(struct fence_tc *f, uint32_t index)
{
	for (size_t i = 0; i < f->device_count; i++) {
		if (f->devices[i] == index)
			f->devices[i] = f->devices[--f->device_count];
	}
}

static int attach(struct fence_tc *f, uint32_t index)
{
	int r = filters_add(&f->request, index, f->handle, f->object.ingress, f->object.egress);

	if (r == 0 && !is_known(f, index) && f->device_count < FENCE_DEVICES_MAX)
		f->devices[f->device_count++] = index;
	return r == -ENODEV ? 0 : r;
}

static int attach_everywhere(struct fence_tc *f)
{
	struct device_list devices;
	int r = read_devices(&devices);

	f->device_count = 0; /* a number may be another device's by now */
	for (size_t i = 0; r == 0 && i < devices.count; i++)
		r = attach(f, devices.list[i]);
	return r;
}

static int open_sockets(struct fence_tc *f)
{
	static const unsigned groups[] = {RTNLGRP_LINK, RTNLGRP_TC};
	int r = netlink_open_monitor(&f->monitor, groups, sizeof(groups) / sizeof(groups[0]));

	return r == 0 ? netlink_open(&f->request) : r;
}

/* Before the first packet asks for it. */
static int set_prior(struct fence_tc *f, const struct fence_prior *prior)
{
	size_t size = lease_size(f->group_count);
	struct lease_page *page =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, f->object.lease, 0);

	if (page == MAP_FAILED)
		return -errno;
	lease_store(page, prior->lease);
	(void)munmap(page, size);
	for (size_t g = 0; g < f->group_count; g++)
		f->held[g] = prior->held[g] ? FENCE_HELD : FENCE_AWAY;
	return 0;
}

/* After fence_load(). 0 or -errno. */
static int put_up(struct fence_tc *f, const struct fence_prior *prior)
{
	void *held = mmap(NULL, f->group_count * sizeof(*f->held), PROT_READ | PROT_WRITE,
		MAP_SHARED, f->object.held, 0);
	int r;

	if (held == MAP_FAILED)
		return -errno;
	f->held = held;
	r = prior ? set_prior(f, prior) : 0;
	if (r == 0)
		r = open_sockets(f);
	return r == 0 ? attach_everywhere(f) : r;
}

static void let_go(struct fence_tc *f)
{
	if (f->held)
		(void)munmap(f->held, f->group_count * sizeof(*f->held));
	netlink_close(&f->monitor);
	netlink_close(&f->request);
	descriptors_close(
		(const int[]){f->object.ingress, f->object.egress, f->object.lease, f->object.held},
		4);
}

bool fence_tc_open(struct fence_tc *f, const struct conf *conf, uint32_t handle,
	const struct fence_prior *prior, const char **reterr)
{
	int r;

	*f = (struct fence_tc){.handle = handle,
		.group_count = conf->group_count,
		.monitor = {.descriptor = -1},
		.request = {.descriptor = -1}};
	if (!fence_load(conf, &f->object, reterr))
		return false;
	r = put_up(f, prior);
	if (r < 0) {
		*reterr = strerror(-r);
		fence_tc_clean(f->handle);
		let_go(f);
	}
	return r == 0;
}

void fence_tc_set(struct fence_tc *f, size_t group, uint64_t state)
{
	assert(group < f->group_count);
	__atomic_store_n(&f->held[group], state, __ATOMIC_RELEASE);
}

static void attach_again(struct fence_tc *f, uint32_t index)
{
	int r = attach(f, index);

	if (r < 0)
		log_error("the fence cannot be put up at device number %u: %s; it is tried again "
			  "when devices or filters change",
			index, strerror(-r));
	f->broken |= r < 0;
}

static void take_notice(const struct nlmsghdr *message, void *context)
{
	struct fence_tc *f = context;
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

void fence_tc_watch(struct fence_tc *f)
{
	int r = netlink_receive(&f->monitor, take_notice, f);

	if (r == -ENOBUFS || f->broken) {
		r = attach_everywhere(f);
		f->broken = r < 0;
	}
	if (r < 0)
		log_error("the fence cannot be watched over: %s", strerror(-r));
}

/* For how long it still passes on what comes late for a group that was handed over. */
static int64_t passes_ns(const struct fence_tc *f)
{
	size_t size = lease_size(f->group_count);
	struct lease_page *page = mmap(NULL, size, PROT_READ, MAP_SHARED, f->object.lease, 0);
	ha_time now = clock_now(), last = now;

	if (page == MAP_FAILED)
		return 0;
	for (size_t g = 0; g < f->group_count; g++)
		last = time_max(last, lease_passes_until(page, g));
	(void)munmap(page, size);
	return time_between(now, last);
}

void fence_tc_close(struct fence_tc *f)
{
	int64_t left_ns = passes_ns(f);

	/* The engine names the time: it is not believed without limit. */
	if (left_ns > 0 && left_ns <= FENCE_PASSES_MAX_NS)
		(void)poll(NULL, 0, (int)(left_ns / NS_PER_MS) + 1);
	fence_tc_clean(f->handle);
	let_go(f);
}

void fence_tc_leave(struct fence_tc *f)
{
	let_go(f);
}
