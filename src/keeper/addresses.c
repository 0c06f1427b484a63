/* SPDX-License-Identifier: ISC */
#include "keeper/addresses.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "keeper/leftovers.h"
#include "keeper/order.h"
#include "keeper/requests.h"
#include "sys/log.h"

#define SETTLE_ROUNDS_MAX 4

static const struct interface *interface_of(const struct addresses *a, size_t index)
{
	return &a->interfaces->list[a->conf->addresses[index].device];
}

/* Takes in the notices of what we did ourselves, before anybody can confuse them with others'. */
static void see_own_work(struct addresses *a)
{
	int r = interfaces_update(a->interfaces);

	if (r < 0)
		log_error("the kernel's notices cannot be read: %s", strerror(-r));
}

static int16_t find_subnet(struct addresses *a, const struct conf_address *address)
{
	struct ip prefix = request_prefix(&address->ip, address->prefix_length);
	size_t s;

	if (address->prefix_length == ip_bits(&address->ip))
		return SUBNET_NONE;
	for (s = 0; s < a->subnet_count; s++) {
		if (a->subnets[s].device == address->device &&
			a->subnets[s].length == address->prefix_length &&
			ip_equal(&a->subnets[s].prefix, &prefix))
			return (int16_t)s;
	}
	a->subnets[a->subnet_count++] = (struct subnet){
		.device = address->device,
		.length = address->prefix_length,
		.prefix = prefix,
	};
	return (int16_t)s;
}

int addresses_open(struct addresses *a, const struct conf *conf, const struct runtime_dir *dir,
	struct interfaces *interfaces, struct fence *fence)
{
	memset(a, 0, sizeof(*a));
	a->conf = conf;
	a->dir = dir;
	a->interfaces = interfaces;
	a->fence = fence;
	for (size_t i = 0; i < conf->address_count; i++)
		a->subnet_of[i] = find_subnet(a, &conf->addresses[i]);
	return netlink_open(&a->netlink);
}

bool addresses_is_held(const struct addresses *a, size_t index)
{
	return a->held[a->conf->addresses[index].group];
}

bool addresses_any_held(const struct addresses *a)
{
	for (size_t g = 0; g < a->conf->group_count; g++) {
		if (a->held[g])
			return true;
	}
	return false;
}

/* The note on disk comes first: a device that is up without one would stay up after a crash. */
static int raise_device(struct addresses *a, size_t device)
{
	const char *name = a->conf->devices[device].name;
	int r = runtime_dir_note_raised(a->dir, name);

	if (r == 0)
		r = request_link(&a->netlink, a->interfaces->list[device].index, true);
	if (r < 0) {
		runtime_dir_forget_raised(a->dir, name);
		return r;
	}
	a->raised[device] = true;
	log_info("brought %s up", name);
	see_own_work(a);
	return 0;
}

int addresses_hold(struct addresses *a, size_t group, size_t *ret_failed)
{
	const struct conf_group *g = &a->conf->groups[group];

	for (size_t i = g->address_first; i < (size_t)g->address_first + g->address_count; i++) {
		const struct interface *interface = interface_of(a, i);
		int r = 0;

		if (interface->index == 0)
			r = -ENODEV;
		else if (!interface->up)
			r = raise_device(a, a->conf->addresses[i].device);
		if (r < 0) {
			*ret_failed = i;
			addresses_settle(a);
			return r;
		}
	}
	fence_hold(a->fence, group);
	a->held[group] = true;
	return 0;
}

/* The same address in another form, put there by somebody else: it would stay when ours goes. */
static void remove_other_forms(struct addresses *a, size_t first, size_t count)
{
	const struct interfaces *i = a->interfaces;
	bool removed = false;

	for (size_t h = 0; h < i->host_count; h++) {
		int shared = interfaces_shared(i, i->host[h].device, &i->host[h].address.ip);

		if (shared < (int)first || shared >= (int)(first + count))
			continue;
		(void)leftovers_delete_foreign(&a->netlink, &i->host[h].address);
		removed = true;
	}
	if (removed)
		see_own_work(a);
}

/* RFC 6724 section 5, rule 3: deprecated, so that the host's own address is preferred. */
static bool should_be_deprecated(const struct addresses *a, size_t index)
{
	const struct conf_address *address = &a->conf->addresses[index];

	return address->ip.family == IP_V6 &&
	       interfaces_covers(a->interfaces, address->device, &address->ip, 128);
}

static void put_address(struct addresses *a, struct netlink_batch *b, size_t index)
{
	const struct ip *ip = &a->conf->addresses[index].ip;

	a->deprecated[index] = should_be_deprecated(a, index);
	request_address(
		b, interface_of(a, index)->index, ip, (uint8_t)ip_bits(ip), a->deprecated[index]);
}

int addresses_add(struct addresses *a, size_t first, size_t count, size_t *ret_failed)
{
	int errors[NETLINK_BATCH_MAX] = {0};
	struct netlink_batch b;
	int r;

	assert(count <= NETLINK_BATCH_MAX && first + count <= a->conf->address_count);
	see_own_work(a);
	remove_other_forms(a, first, count);
	netlink_batch_clear(&b);
	for (size_t i = first; i < first + count; i++)
		put_address(a, &b, i);
	r = netlink_batch_send(&a->netlink, &b, errors);
	*ret_failed = first;
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (errors[i] == 0 || errors[i] == -EEXIST) {
			/* The notice of a new IPv6 address comes later, from a work queue. That of
			 * its removal never waits. */
			a->interfaces->present[first + i] = true;
			continue;
		}
		r = errors[i];
		*ret_failed = first + i;
	}
	see_own_work(a);
	addresses_settle(a);
	return r;
}

int addresses_restore(struct addresses *a, size_t index)
{
	int16_t subnet = a->subnet_of[index];
	size_t failed;

	/* When a device's last address goes, the kernel takes its routes away without a notice. */
	if (subnet != SUBNET_NONE)
		a->subnets[subnet].routed = false;
	return addresses_add(a, index, 1, &failed);
}

static bool is_gone(int error)
{
	return error == 0 || error == -EADDRNOTAVAIL || error == -ENODEV;
}

static void complain_of_removal(const struct addresses *a, size_t index, int error)
{
	char text[IP_TEXT_SIZE];

	log_error("%s cannot be taken off %s: %s", ip_format(&a->conf->addresses[index].ip, text),
		a->conf->devices[a->conf->addresses[index].device].name, strerror(-error));
}

/* Deletes the addresses whose indices are in @list. */
static void remove_listed(struct addresses *a, const size_t *list, size_t count)
{
	int errors[NETLINK_BATCH_MAX] = {0};
	struct netlink_batch b;
	int r;

	netlink_batch_clear(&b);
	for (size_t i = 0; i < count; i++) {
		const struct ip *ip = &a->conf->addresses[list[i]].ip;

		request_no_address(&b, interface_of(a, list[i])->index, ip, (uint8_t)ip_bits(ip));
	}
	r = netlink_batch_send(&a->netlink, &b, errors);
	for (size_t i = 0; i < count; i++) {
		int error = r < 0 ? r : errors[i];

		if (!is_gone(error))
			complain_of_removal(a, list[i], error);
	}
}

struct strays {
	const struct addresses *addresses;
	const bool *wanted;
	size_t count;
	struct netlink_address list[ADDRESSES_MAX];
};

static bool take_stray(const struct netlink_address *address, void *context)
{
	struct strays *s = context;
	const struct conf *conf = s->addresses->conf;
	int shared = interfaces_shared_anywhere(conf, &address->ip);

	if (shared >= 0 && s->wanted[conf->addresses[shared].group] &&
		interface_of(s->addresses, (size_t)shared)->index != address->index)
		s->list[s->count++] = *address;
	return s->count < ADDRESSES_MAX;
}

/* A device that was given another name took the addresses along, and they would still be answered
 * for.
 */
static void remove_strays(struct addresses *a, const bool wanted[GROUPS_MAX])
{
	struct strays strays = {.addresses = a, .wanted = wanted};
	int r = netlink_dump_addresses(0, take_stray, &strays);

	if (r < 0)
		log_error("the kernel's table of addresses cannot be read: %s", strerror(-r));
	for (size_t i = 0; i < strays.count; i++)
		(void)leftovers_delete_foreign(&a->netlink, &strays.list[i]);
	a->interfaces->lost = addresses_any_held(a);
}

/* Deletes all addresses for whose group @wanted says so, in batches across groups. */
static void remove_groups(struct addresses *a, const bool wanted[GROUPS_MAX])
{
	size_t list[NETLINK_BATCH_MAX];
	size_t count = 0;

	for (size_t i = 0; i < a->conf->address_count; i++) {
		if (!wanted[a->conf->addresses[i].group] || interface_of(a, i)->index == 0)
			continue;
		list[count++] = i;
		if (count == NETLINK_BATCH_MAX) {
			remove_listed(a, list, count);
			count = 0;
		}
	}
	if (count > 0)
		remove_listed(a, list, count);
	if (a->interfaces->lost)
		remove_strays(a, wanted);
}

void addresses_release(struct addresses *a, size_t group)
{
	const struct conf_group *g = &a->conf->groups[group];
	bool wanted[GROUPS_MAX] = {false};

	wanted[group] = true;
	a->held[group] = false;
	remove_groups(a, wanted);
	remove_other_forms(a, g->address_first, g->address_count);
	fence_release(a->fence, group);
	see_own_work(a);
	addresses_settle(a);
}

void addresses_remove_all(struct addresses *a)
{
	bool wanted[GROUPS_MAX];

	memcpy(wanted, a->held, sizeof(wanted));
	memset(a->held, 0, sizeof(a->held));
	remove_groups(a, wanted);
	for (size_t g = 0; g < a->conf->group_count; g++) {
		if (!wanted[g])
			continue;
		remove_other_forms(
			a, a->conf->groups[g].address_first, a->conf->groups[g].address_count);
		fence_release(a->fence, g);
	}
	see_own_work(a);
}

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
		log_warning("no route to %s/%u by %s: %s", ip_format(&s->prefix, text), s->length,
			a->conf->devices[s->device].name, strerror(-r));
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
	bool used[ADDRESSES_MAX] = {false};

	for (size_t i = 0; i < a->conf->address_count; i++) {
		if (a->subnet_of[i] != SUBNET_NONE && addresses_is_held(a, i) &&
			a->interfaces->present[i])
			used[a->subnet_of[i]] = true;
	}
	for (size_t n = 0; n < a->subnet_count; n++) {
		struct subnet *s = &a->subnets[n];
		const struct interface *interface = &a->interfaces->list[s->device];
		bool wanted = used[n] && interface->up &&
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

		if (!addresses_is_held(a, i) || !a->interfaces->present[i] ||
			a->deprecated[i] == should_be_deprecated(a, i))
			continue;
		netlink_batch_clear(&b);
		put_address(a, &b, i);
		(void)netlink_request(&a->netlink, &b);
	}
}

static bool is_ours_now(const struct addresses *a, size_t index, size_t device)
{
	return a->conf->addresses[index].device == device && addresses_is_held(a, index) &&
	       a->interfaces->present[index];
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

static bool is_device_used(const struct addresses *a, size_t device)
{
	for (size_t i = 0; i < a->conf->address_count; i++) {
		if (a->conf->addresses[i].device == device && addresses_is_held(a, i))
			return true;
	}
	return false;
}

static void settle_devices(struct addresses *a)
{
	for (size_t d = 0; d < a->conf->device_count; d++) {
		uint32_t index = a->interfaces->list[d].index;
		int r;

		if (!a->raised[d] || is_device_used(a, d))
			continue;
		r = index != 0 ? request_link(&a->netlink, index, false) : 0;
		a->raised[d] = false;
		if (r < 0) {
			log_error("%s cannot be set down again: %s", a->conf->devices[d].name,
				strerror(-r));
			continue;
		}
		runtime_dir_forget_raised(a->dir, a->conf->devices[d].name);
		log_info("set %s down again", a->conf->devices[d].name);
	}
}

void addresses_settle(struct addresses *a)
{
	/* Lowering a device is itself a change; it comes to rest after one more round. */
	for (int round = 0; round < SETTLE_ROUNDS_MAX; round++) {
		if (a->interfaces->host_changed)
			settle_order(a);
		a->interfaces->host_changed = false;
		a->interfaces->changed = false;
		settle_subnets(a);
		settle_deprecation(a);
		settle_devices(a);
		see_own_work(a);
		if (!a->interfaces->changed)
			break;
	}
}
