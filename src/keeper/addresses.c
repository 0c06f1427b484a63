/* SPDX-License-Identifier: ISC */
#include "keeper/addresses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "keeper/leftovers.h"
#include "keeper/local.h"
#include "keeper/requests.h"
#include "keeper/settle.h"
#include "sys/log.h"

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

static bool is_subnet_of(const struct subnet *s, const struct conf_address *address)
{
	return s->device == address->device && s->length == address->prefix_length &&
	       ip_same_prefix(&s->prefix, &address->ip, s->length);
}

/* As a rule that of the address before. */
static int16_t find_subnet(struct addresses *a, const struct conf_address *address)
{
	size_t s = a->subnet_count;

	if (address->prefix_length == ip_bits(&address->ip))
		return SUBNET_NONE;
	while (s > 0 && !is_subnet_of(&a->subnets[s - 1], address))
		s--;
	if (s > 0)
		return (int16_t)(s - 1);
	a->subnets[a->subnet_count] = (struct subnet){
		.device = address->device,
		.length = address->prefix_length,
		.prefix = request_prefix(&address->ip, address->prefix_length),
	};
	return (int16_t)a->subnet_count++;
}

int addresses_open(struct addresses *a, const struct conf *conf, const struct runtime_dir *dir,
	struct interfaces *interfaces, struct fence *fence)
{
	size_t count = conf->address_count;

	*a = (struct addresses){
		.conf = conf,
		.dir = dir,
		.interfaces = interfaces,
		.fence = fence,
		.held = calloc(conf->group_count, sizeof(*a->held)),
		.leaving = calloc(conf->group_count, sizeof(*a->leaving)),
		.placed = calloc(count, sizeof(*a->placed)),
		.as_route = calloc(count, sizeof(*a->as_route)),
		.fresh = calloc(count, sizeof(*a->fresh)),
		.deprecated = calloc(count, sizeof(*a->deprecated)),
		.subnets = calloc(count, sizeof(*a->subnets)),
		.subnet_of = calloc(count, sizeof(*a->subnet_of)),
	};
	if (!a->held || !a->leaving || !a->placed || !a->as_route || !a->fresh || !a->deprecated ||
		!a->subnets || !a->subnet_of)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		a->subnet_of[i] = find_subnet(a, &conf->addresses[i]);
	return netlink_open(&a->netlink);
}

bool addresses_is_held(const struct addresses *a, size_t index)
{
	return a->held[a->conf->addresses[index].group];
}

bool addresses_any_held(const struct addresses *a)
{
	return a->held_count > 0;
}

bool addresses_is_missing(const struct addresses *a, size_t index)
{
	return a->placed[index] && !a->interfaces->present[index];
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

static void set_held(struct addresses *a, size_t group, bool held)
{
	const struct conf_group *g = &a->conf->groups[group];

	if (a->held[group] == held)
		return;
	a->held[group] = held;
	a->held_count += held ? 1 : (size_t)-1;
	for (size_t i = g->address_first; i < (size_t)g->address_first + g->address_count; i++) {
		size_t device = a->conf->addresses[i].device;

		if (held && a->users[device] == 0)
			a->routes[device] = local_is_wanted(a->conf, device);
		a->users[device] += held ? 1 : (uint32_t)-1;
	}
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
			settle(a);
			return r;
		}
	}
	fence_hold(a->fence, group);
	set_held(a, group, true);
	return 0;
}

/* The same address in another form, put there by somebody else: it would stay when ours goes. */
static void remove_other_forms(struct addresses *a, const bool *wanted)
{
	const struct interfaces *i = a->interfaces;
	bool removed = false;

	for (size_t h = 0; h < i->host_count; h++) {
		int shared = interfaces_shared(i, i->host[h].device, &i->host[h].address.ip);

		if (shared < 0 || !wanted[a->conf->addresses[shared].group])
			continue;
		(void)leftovers_delete_foreign(&a->netlink, &i->host[h].address);
		removed = true;
	}
	if (removed)
		see_own_work(a);
}

bool addresses_should_be_deprecated(const struct addresses *a, size_t index)
{
	const struct conf_address *address = &a->conf->addresses[index];

	return address->ip.family == IP_V6 &&
	       interfaces_covers(a->interfaces, address->device, &address->ip, 128);
}

static bool is_route(const struct addresses *a, size_t index)
{
	const struct conf_address *address = &a->conf->addresses[index];

	return address->ip.family == IP_V4 && a->routes[address->device];
}

static void put_for(struct addresses *a, struct netlink_batch *b, size_t index, uint32_t lifetime_s)
{
	const struct conf_address *address = &a->conf->addresses[index];
	uint32_t interface = interface_of(a, index)->index;

	if (!a->placed[index])
		a->as_route[index] = is_route(a, index);
	a->deprecated[index] = addresses_should_be_deprecated(a, index);
	if (a->as_route[index])
		request_local(b, interface, &address->ip);
	else
		request_address(b, interface, &address->ip, (uint8_t)ip_bits(&address->ip),
			lifetime_s, a->deprecated[index]);
}

void addresses_put(struct addresses *a, struct netlink_batch *b, size_t index)
{
	put_for(a, b, index, fence_lifetime(a->fence));
}

static void take_away(struct addresses *a, struct netlink_batch *b, size_t index)
{
	const struct ip *ip = &a->conf->addresses[index].ip;
	uint32_t interface = interface_of(a, index)->index;

	if (a->as_route[index])
		request_no_local(b, interface, ip);
	else
		request_no_address(b, interface, ip, (uint8_t)ip_bits(ip));
}

void addresses_renew(struct addresses *a)
{
	addresses_renew_for(a, fence_lifetime(a->fence));
}

/* What somebody took away meanwhile stays away: the engine is asked about that. */
void addresses_renew_for(struct addresses *a, uint32_t lifetime_s)
{
	int errors[NETLINK_BATCH_MAX];
	struct netlink_batch b;

	see_own_work(a);
	netlink_batch_clear(&b);
	for (size_t i = 0; i < a->conf->address_count; i++) {
		if (!a->placed[i] || !a->interfaces->present[i])
			continue;
		put_for(a, &b, i, lifetime_s);
		if (b.count < NETLINK_BATCH_MAX)
			continue;
		(void)netlink_batch_send(&a->netlink, &b, errors);
		netlink_batch_clear(&b);
	}
	if (b.count > 0)
		(void)netlink_batch_send(&a->netlink, &b, errors);
}

static size_t list_routes(const struct addresses *a, uint16_t list[MORTAL_ROUTES_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < a->conf->address_count; i++) {
		if (!a->placed[i] || !a->interfaces->present[i] || !a->as_route[i])
			continue;
		if (count < MORTAL_ROUTES_MAX)
			list[count] = (uint16_t)i;
		count++;
	}
	return count;
}

/* What was in the way keeps its route: the kernel has said no. */
static void end_some_after(
	struct addresses *a, const uint16_t *list, size_t count, uint32_t lifetime_s)
{
	int errors[NETLINK_BATCH_MAX], ignored[NETLINK_BATCH_MAX];
	struct netlink_batch come, go;
	int r;

	netlink_batch_clear(&come);
	netlink_batch_clear(&go);
	for (size_t i = 0; i < count; i++)
		request_address(&come, interface_of(a, list[i])->index,
			&a->conf->addresses[list[i]].ip, 32, lifetime_s, false);
	r = netlink_batch_send(&a->netlink, &come, errors);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (errors[i] != 0)
			continue;
		take_away(a, &go, list[i]);
		a->as_route[list[i]] = a->interfaces->local[list[i]] = false;
	}
	if (go.count > 0)
		(void)netlink_batch_send(&a->netlink, &go, ignored);
}

bool addresses_end_routes_after(struct addresses *a, uint32_t lifetime_s)
{
	uint16_t list[MORTAL_ROUTES_MAX];
	size_t count = list_routes(a, list), size;

	if (count > MORTAL_ROUTES_MAX)
		return false;
	for (size_t done = 0; done < count; done += size) {
		size = count - done < NETLINK_BATCH_MAX ? count - done : NETLINK_BATCH_MAX;
		end_some_after(a, list + done, size, lifetime_s);
	}
	return true;
}

static void set_placed(struct addresses *a, size_t index, bool placed)
{
	int16_t subnet = a->subnet_of[index];

	if (a->placed[index] == placed)
		return;
	a->placed[index] = placed;
	a->placed_count += placed ? 1 : (size_t)-1;
	if (subnet == SUBNET_NONE)
		return;
	a->subnets[subnet].placed =
		(uint16_t)(a->subnets[subnet].placed + (placed ? 1 : UINT16_MAX));
	a->subnets_changed |= a->subnets[subnet].placed == placed; /* the first, or none */
}

void addresses_take_over(struct addresses *a, size_t group)
{
	const struct conf_group *g = &a->conf->groups[group];

	fence_hold(a->fence, group);
	set_held(a, group, true);
	for (size_t i = g->address_first; i < (size_t)g->address_first + g->address_count; i++) {
		a->as_route[i] = a->interfaces->local[i];
		a->deprecated[i] = addresses_should_be_deprecated(a, i);
		set_placed(a, i, a->interfaces->present[i]);
	}
}

/* One that cannot be configured is tried again, and told of, when the engine asks for its group. */
void addresses_complete(struct addresses *a, bool renew)
{
	int errors[NETLINK_BATCH_MAX];
	uint16_t list[NETLINK_BATCH_MAX];
	size_t count = 0;

	for (size_t i = 0; i < a->conf->address_count; i++) {
		if (addresses_is_held(a, i) && interface_of(a, i)->index != 0 &&
			(renew || !a->placed[i])) {
			a->fresh[i] = !a->placed[i];
			list[count++] = (uint16_t)i;
		}
		if (count == NETLINK_BATCH_MAX || (count > 0 && i + 1 == a->conf->address_count)) {
			addresses_add(a, list, count, errors);
			count = 0;
		}
	}
}

bool addresses_is_settled(const struct addresses *a, size_t index)
{
	return a->placed[index] && !a->fresh[index];
}

bool addresses_are_settled(const struct addresses *a, size_t group)
{
	const struct conf_group *g = &a->conf->groups[group];

	for (size_t i = g->address_first; i < (size_t)g->address_first + g->address_count; i++) {
		if (!addresses_is_settled(a, i))
			return false;
	}
	return true;
}

void addresses_add(struct addresses *a, const uint16_t *list, size_t count, int *errors)
{
	struct netlink_batch b;
	int r;

	assert(count <= NETLINK_BATCH_MAX);
	see_own_work(a);
	remove_other_forms(a, a->held);
	netlink_batch_clear(&b);
	for (size_t i = 0; i < count; i++)
		addresses_put(a, &b, list[i]);
	r = netlink_batch_send(&a->netlink, &b, errors);
	for (size_t i = 0; i < count; i++) {
		errors[i] = r < 0 ? r : errors[i] == -EEXIST ? 0 : errors[i];
		if (errors[i] != 0)
			continue;
		/* The notice of a new IPv6 address comes later, from a work queue. That of
		 * its removal never waits. */
		a->interfaces->present[list[i]] = true;
		a->interfaces->local[list[i]] = a->as_route[list[i]];
		set_placed(a, list[i], true);
	}
	see_own_work(a);
	settle(a);
}

int addresses_restore(struct addresses *a, size_t index)
{
	int16_t subnet = a->subnet_of[index];
	uint16_t list[1] = {(uint16_t)index};
	int errors[NETLINK_BATCH_MAX];

	/* When a device's last address goes, the kernel takes its routes away without a notice. */
	if (subnet != SUBNET_NONE) {
		a->subnets[subnet].routed = false;
		a->subnets_changed = true;
	}
	addresses_add(a, list, 1, errors);
	return errors[0];
}

static bool is_gone(int error)
{
	return error == 0 || error == -EADDRNOTAVAIL || error == -ENODEV || error == -ESRCH;
}

static void complain_of_removal(const struct addresses *a, size_t index, int error)
{
	char text[IP_TEXT_SIZE];

	log_error("%s cannot be taken off %s: %s", ip_format(&a->conf->addresses[index].ip, text),
		a->conf->devices[a->conf->addresses[index].device].name, strerror(-error));
}

void addresses_remove(struct addresses *a, const uint16_t *list, size_t count)
{
	int errors[NETLINK_BATCH_MAX] = {0};
	uint16_t there[NETLINK_BATCH_MAX];
	struct netlink_batch b;
	int r;

	netlink_batch_clear(&b);
	for (size_t i = 0; i < count; i++) {
		set_placed(a, list[i], false);
		a->fresh[list[i]] = false;
		if (interface_of(a, list[i])->index == 0)
			continue;
		there[b.count] = list[i];
		take_away(a, &b, list[i]);
	}
	r = netlink_batch_send(&a->netlink, &b, errors);
	for (size_t i = 0; i < b.count; i++) {
		int error = r < 0 ? r : errors[i];

		/* Of a local route that we have put there ourselves we know how it ended. */
		if (a->as_route[there[i]] && is_gone(error))
			a->interfaces->present[there[i]] = a->interfaces->local[there[i]] = false;

		if (!is_gone(error))
			complain_of_removal(a, there[i], error);
	}
	see_own_work(a);
}

#define STRAYS_MAX 256 /* in one go */

struct strays {
	const struct addresses *addresses;
	size_t count;
	struct netlink_address list[STRAYS_MAX];
};

static bool take_stray(const struct netlink_address *address, void *context)
{
	struct strays *s = context;
	const struct conf *conf = s->addresses->conf;
	int shared = interfaces_shared_anywhere(conf, &address->ip);

	if (shared >= 0 && s->addresses->leaving[conf->addresses[shared].group] &&
		interface_of(s->addresses, (size_t)shared)->index != address->index)
		s->list[s->count++] = *address;
	return s->count < STRAYS_MAX;
}

typedef int (*dump_function)(
	bool (*callback)(const struct netlink_address *address, void *context), void *context);
typedef int (*delete_function)(struct netlink *request, const struct netlink_address *address);

static int dump_all_addresses(
	bool (*callback)(const struct netlink_address *address, void *context), void *context)
{
	return netlink_dump_addresses(0, callback, context);
}

static void remove_strays_of(struct addresses *a, dump_function dump, delete_function delete)
{
	struct strays strays = {.addresses = a};

	for (int round = 0; round < 1 + a->conf->address_count / STRAYS_MAX; round++) {
		int r;

		strays.count = 0;
		r = dump(take_stray, &strays);
		if (r < 0)
			log_error(
				"the kernel's table of addresses cannot be read: %s", strerror(-r));
		for (size_t i = 0; i < strays.count; i++)
			(void)delete (&a->netlink, &strays.list[i]);
		if (strays.count < STRAYS_MAX)
			break;
	}
}

/* A device that was given another name took the addresses along, and they would still be answered
 * for.
 */
static void remove_strays(struct addresses *a)
{
	remove_strays_of(a, dump_all_addresses, leftovers_delete_foreign);
	remove_strays_of(a, local_dump, leftovers_delete_local);
	a->interfaces->lost = addresses_any_held(a);
}

void addresses_let_go(struct addresses *a, size_t group)
{
	set_held(a, group, false);
}

/* What is there besides our own addresses, of the groups that leave. */
static void remove_rest(struct addresses *a)
{
	if (a->interfaces->lost)
		remove_strays(a);
	remove_other_forms(a, a->leaving);
}

void addresses_gone(struct addresses *a, const uint16_t *groups, size_t count)
{
	for (size_t i = 0; i < count; i++)
		a->leaving[groups[i]] = true;
	remove_rest(a);
	for (size_t i = 0; i < count; i++) {
		a->leaving[groups[i]] = false;
		fence_release(a->fence, groups[i]);
	}
	settle(a);
}

/* The last one first: the kernel finds the newest IPv6 address of a device first. */
static void remove_leaving(struct addresses *a)
{
	uint16_t list[NETLINK_BATCH_MAX];
	size_t count = 0;

	for (size_t i = a->conf->address_count; i-- > 0;) {
		if (a->leaving[a->conf->addresses[i].group] &&
			(a->placed[i] || a->interfaces->present[i]))
			list[count++] = (uint16_t)i;
		if (count == NETLINK_BATCH_MAX || i == 0) {
			addresses_remove(a, list, count);
			count = 0;
		}
	}
}

void addresses_remove_all(struct addresses *a)
{
	for (size_t g = 0; g < a->conf->group_count; g++) {
		a->leaving[g] = a->held[g];
		set_held(a, g, false);
	}
	/* Those of groups that are being taken down anyway, too. */
	for (size_t i = 0; i < a->conf->address_count; i++)
		a->leaving[a->conf->addresses[i].group] |= a->placed[i];
	remove_leaving(a);
	remove_rest(a);
	for (size_t g = 0; g < a->conf->group_count; g++) {
		if (a->leaving[g])
			fence_release(a->fence, g);
		a->leaving[g] = false;
	}
}
