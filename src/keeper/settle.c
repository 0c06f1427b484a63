/* SPDX-License-Identifier: ISC */
#include "keeper/settle.h"

#include <errno.h>
#include <string.h>

#include "keeper/order.h"
#include "keeper/requests.h"
#include "sys/log.h"

#define ROUNDS_MAX 4

static void add_route(struct addresses *a, struct subnet *s, uint32_t index)
{
	struct netlink_batch b;
	char text[IP_TEXT_SIZE];
	int r;

	netlink_batch_clear(&b);
	request_route(&b, index, &s->prefix, s->length);
	r = netlink_request(&a->netlink, &b);
	s->routed = r == 0 || r == -EEXIST;
	s->downs = a->interfaces->list[s->device].downs;
	if (!s->routed && !s->complained)
		log_warning(
			"no route to %s/%u by %s: %s; an address of this host's own in it would "
			"bring one",
			ip_format(&s->prefix, text), s->length, a->conf->devices[s->device].name,
			strerror(-r));
	s->complained = !s->routed;
}

/* Fine if the kernel was faster: it drops the routes of a device that has no address left. */
static void remove_route(struct addresses *a, struct subnet *s, uint32_t index)
{
	struct netlink_batch b;

	s->routed = false;
	if (index == 0)
		return;
	netlink_batch_clear(&b);
	request_no_route(&b, index, &s->prefix, s->length);
	(void)netlink_request(&a->netlink, &b);
}

static void settle_subnets(struct addresses *a)
{
	for (size_t n = 0; n < a->subnet_count; n++) {
		struct subnet *s = &a->subnets[n];
		const struct interface *interface = &a->interfaces->list[s->device];
		bool wanted = s->placed > 0 && interface->up &&
			      !interfaces_covers(a->interfaces, s->device, &s->prefix, s->length);

		if (s->downs != interface->downs)
			s->routed = false;
		if (wanted && !s->routed)
			add_route(a, s, interface->index);
		else if (!wanted && s->routed)
			remove_route(a, s, interface->index);
	}
}

static void settle_deprecation(struct addresses *a)
{
	for (size_t i = 0; i < a->conf->address_count; i++) {
		struct netlink_batch b;

		if (!a->placed[i] || !addresses_is_held(a, i) || !a->interfaces->present[i] ||
			a->deprecated[i] == addresses_should_be_deprecated(a, i))
			continue;
		netlink_batch_clear(&b);
		addresses_put(a, &b, i);
		(void)netlink_request(&a->netlink, &b);
	}
}

static bool is_ours_now(const struct addresses *a, size_t index, size_t device)
{
	return a->conf->addresses[index].device == device &&
	       (a->placed[index] || a->ahead[index]) && a->interfaces->present[index] &&
	       !a->as_route[index];
}

static void move_behind(struct addresses *a, size_t device)
{
	uint32_t index = a->interfaces->list[device].index;

	for (size_t i = 0; i < a->conf->address_count; i++) {
		const struct ip *ip = &a->conf->addresses[i].ip;

		if (ip->family == IP_V4 && is_ours_now(a, i, device))
			(void)order_move_behind(&a->netlink, index, ip);
	}
}

static bool holds_v4(const struct addresses *a, size_t device)
{
	for (size_t i = 0; i < a->conf->address_count; i++) {
		if (a->conf->addresses[i].ip.family == IP_V4 && is_ours_now(a, i, device))
			return true;
	}
	return false;
}

static void settle_order(struct addresses *a)
{
	for (size_t d = 0; d < a->conf->device_count; d++) {
		if (holds_v4(a, d) && order_is_wrong(a->conf, a->interfaces->list[d].index))
			move_behind(a, d);
	}
}

static void settle_devices(struct addresses *a)
{
	for (size_t d = 0; d < a->conf->device_count; d++) {
		uint32_t index = a->interfaces->list[d].index;
		int r;

		if (!a->raised[d] || a->users[d] > 0)
			continue;
		r = index != 0 ? request_link(&a->netlink, index, false) : 0;
		a->raised[d] = false;
		if (r < 0) {
			log_error("%s cannot be set down again: %s; run `ip link set %s down`",
				a->conf->devices[d].name, strerror(-r), a->conf->devices[d].name);
			continue;
		}
		runtime_dir_forget_raised(a->dir, a->conf->devices[d].name);
		log_info("set %s down again", a->conf->devices[d].name);
	}
}

void settle(struct addresses *a)
{
	struct interfaces *i = a->interfaces;

	/* Lowering a device is itself a change; it comes to rest after one more round. */
	for (int round = 0; round < ROUNDS_MAX; round++) {
		bool subnets = i->changed || a->subnets_changed, host = i->host_changed;

		a->ahead_due |= i->changed;
		i->changed = i->host_changed = a->subnets_changed = false;
		if (host)
			settle_order(a);
		if (subnets)
			settle_subnets(a);
		if (host)
			settle_deprecation(a);
		settle_devices(a);
		addresses_see_own_work(a);
		if (!i->changed)
			break;
	}
}
