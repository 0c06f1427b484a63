/* SPDX-License-Identifier: ISC */
/*
 * interface DEVICE: it is up and has carrier. route PREFIX: the main table has a usable route to
 * exactly that. Changes are told by rtnetlink; routes are also looked at each interval.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include "base/text.h"
#include "checker/checker.h"
#include "sys/devices.h"
#include "sys/fatal.h"
#include "sys/netlink.h"

struct links {
	struct devices *devices;
	struct device_state states[DEVICES_MAX];
	char names[DEVICES_MAX][DEVICE_SIZE];
	size_t count;
	uv_poll_t devices_poll;
	struct netlink routes;
	uv_poll_t routes_poll;
};

static struct links *links_of(struct checker *c)
{
	if (!c->links)
		c->links = calloc(1, sizeof(struct links));
	if (!c->links)
		fatal("out of memory");
	return c->links;
}

/* --- devices */

static int find_device(const struct links *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->names[i], name) == 0)
			return (int)i;
	return -1;
}

static void look_at_device(struct probe *p)
{
	struct links *l = links_of(p->checker);
	int index = find_device(l, p->conf->target);
	const struct device_state *s;

	if (index < 0) {
		probe_answer(p, "too many devices are watched", true);
		return;
	}
	s = &l->states[index];
	probe_answer(p,
		!s->present   ? "it does not exist"
		: !s->up      ? "it is down"
		: !s->carrier ? "it has no carrier"
			      : NULL,
		true);
}

static void remember(void *context, size_t index, const struct device_state *state)
{
	struct links *l = context;

	l->states[index] = *state;
}

static void on_devices(uv_poll_t *poll, int status, int events)
{
	struct checker *c = poll->data;
	struct links *l = c->links;

	(void)status;
	(void)events;
	if (devices_update(l->devices, remember, l) != 0)
		fatal("the kernel's network tables cannot be read");
	for (size_t i = 0; i < c->probe_count; i++)
		if (c->probes[i].kind == &PROBE_INTERFACE)
			look_at_device(&c->probes[i]);
}

/* Which addresses a device has is of no interest here. */
static bool no_address(const void *context, const struct ip *ip)
{
	(void)context;
	(void)ip;
	return true;
}

/* All of the configuration at once: the first probe opens the watch for all of them. */
static void watch_devices(struct checker *c)
{
	struct links *l = links_of(c);

	for (size_t i = 0; i < c->conf.check_count; i++) {
		const struct conf_check *check = &c->conf.checks[i];

		if (check->kind == CONF_CHECK_INTERFACE && l->count < DEVICES_MAX &&
			find_device(l, check->target) < 0)
			text_copy(l->names[l->count++], DEVICE_SIZE, check->target);
	}
	if (devices_open(l->names, l->count, no_address, NULL, &l->devices) != 0 ||
		devices_update(l->devices, remember, l) != 0 ||
		uv_poll_init(c->loop, &l->devices_poll, devices_descriptor(l->devices)) != 0 ||
		uv_poll_start(&l->devices_poll, UV_READABLE, on_devices) != 0)
		fatal("the kernel's network tables cannot be read");
	l->devices_poll.data = c;
}

static bool open_interface(struct probe *p)
{
	if (!links_of(p->checker)->devices)
		watch_devices(p->checker);
	return true;
}

const struct probe_kind PROBE_INTERFACE = {.open = open_interface, .begin = look_at_device};

/* --- routes */

struct search {
	const struct conf_check *conf;
	bool found;
};

/* Whether @message is a route that packets can take now. */
static bool is_usable(const struct rtmsg *route)
{
	return route->rtm_table == RT_TABLE_MAIN && route->rtm_type == RTN_UNICAST &&
	       !(route->rtm_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN | RTM_F_CLONED));
}

static bool see_route(const struct nlmsghdr *message, void *context)
{
	struct search *s = context;
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	const struct nlattr *a = NULL;
	struct ip destination = {0};

	if (message->nlmsg_type != RTM_NEWROUTE || !is_usable(route) ||
		route->rtm_dst_len != s->conf->prefix_length)
		return true;
	while ((a = netlink_attribute(message, sizeof(*route), a)) != NULL)
		if (mnl_attr_get_type(a) == RTA_DST)
			(void)netlink_attribute_ip(a, route->rtm_family, &destination);
	s->found = s->conf->prefix_length == 0 || ip_equal(&destination, &s->conf->ip);
	return !s->found;
}

static int find_route(struct search *s, int family)
{
	const struct rtmsg header = {
		.rtm_family = (unsigned char)family, .rtm_table = RT_TABLE_MAIN};

	return netlink_dump(RTM_GETROUTE, &header, sizeof(header), 0, 0, see_route, s);
}

static void look_at_route(struct probe *p)
{
	struct search s = {.conf = p->conf};
	int family = p->conf->ip.family == IP_V6 ? AF_INET6 : AF_INET;
	int r = find_route(&s, family);

	if (r == 0 && !s.found && p->conf->ip.family == IP_NONE)
		r = find_route(&s, AF_INET6);
	if (r == -EINTR)
		r = find_route(&s, family); /* the table changed meanwhile */
	probe_answer(p, r < 0 ? strerror(-r) : s.found ? NULL : "there is no such route", true);
}

static void ignore(const struct nlmsghdr *message, void *context)
{
	(void)message;
	(void)context;
}

static void on_routes(uv_poll_t *poll, int status, int events)
{
	struct checker *c = poll->data;
	struct links *l = c->links;

	(void)status;
	(void)events;
	(void)netlink_receive(&l->routes, ignore, NULL);
	for (size_t i = 0; i < c->probe_count; i++)
		if (c->probes[i].kind == &PROBE_ROUTE)
			look_at_route(&c->probes[i]);
}

static bool open_route(struct probe *p)
{
	static const unsigned groups[] = {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_LINK};
	struct links *l = links_of(p->checker);

	if (l->routes_poll.data)
		return true;
	l->routes_poll.data = p->checker;
	if (netlink_open_monitor(&l->routes, groups, sizeof(groups) / sizeof(groups[0])) != 0 ||
		uv_poll_init(p->checker->loop, &l->routes_poll, l->routes.descriptor) != 0 ||
		uv_poll_start(&l->routes_poll, UV_READABLE, on_routes) != 0)
		fatal("the kernel's routes cannot be watched");
	return true;
}

const struct probe_kind PROBE_ROUTE = {.open = open_route, .begin = look_at_route};
