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
#include "keeper/strays.h"
#include "sys/log.h"

const struct interface *addresses_interface(const struct addresses *a, size_t index)
{
	return &a->interfaces->list[a->conf->addresses[index].device];
}

void addresses_see_own_work(struct addresses *a)
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
		.ahead = calloc(count, sizeof(*a->ahead)),
		.ahead_due = true,
		.as_route = calloc(count, sizeof(*a->as_route)),
		.fresh = calloc(count, sizeof(*a->fresh)),
		.deprecated = calloc(count, sizeof(*a->deprecated)),
		.subnets = calloc(count, sizeof(*a->subnets)),
		.subnet_of = calloc(count, sizeof(*a->subnet_of)),
	};
	if (!a->held || !a->leaving || !a->placed || !a->ahead || !a->as_route || !a->fresh ||
		!a->deprecated || !a->subnets || !a->subnet_of)
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
	addresses_see_own_work(a);
	return 0;
}

static void find_routes(struct addresses *a, size_t device)
{
	a->routes[device] = local_is_wanted(a->conf, device);
	a->routes_known[device] = true;
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
			find_routes(a, device);
		a->users[device] += held ? 1 : (uint32_t)-1;
	}
}

int addresses_hold(struct addresses *a, size_t group, size_t *ret_failed)
{
	const struct conf_group *g = &a->conf->groups[group];

	for (size_t i = g->address_first; i < (size_t)g->address_first + g->address_count; i++) {
		const struct interface *interface = addresses_interface(a, i);
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
		addresses_see_own_work(a);
}

bool addresses_should_be_deprecated(const struct addresses *a, size_t index)
{
	const struct conf_address *address = &a->conf->addresses[index];

	return address->ip.family == IP_V6 &&
	       (!addresses_is_held(a, index) ||
		       interfaces_covers(a->interfaces, address->device, &address->ip, 128));
}

static bool should_be_route(const struct addresses *a, size_t index)
{
	const struct conf_address *address = &a->conf->addresses[index];

	return address->ip.family == IP_V4 && a->routes[address->device];
}

void addresses_put_for(
	struct addresses *a, struct netlink_batch *b, size_t index, uint32_t lifetime_s)
{
	const struct conf_address *address = &a->conf->addresses[index];
	uint32_t interface = addresses_interface(a, index)->index;

	if (!a->placed[index] && !a->ahead[index])
		a->as_route[index] = should_be_route(a, index);
	a->deprecated[index] = addresses_should_be_deprecated(a, index);
	if (a->as_route[index])
		request_local(b, interface, &address->ip);
	else
		request_address(b, interface, &address->ip, (uint8_t)ip_bits(&address->ip),
			lifetime_s, a->deprecated[index]);
}

void addresses_put(struct addresses *a, struct netlink_batch *b, size_t index)
{
	addresses_put_for(a, b, index, fence_lifetime(a->fence));
}

void addresses_take_away(struct addresses *a, struct netlink_batch *b, size_t index)
{
	const struct ip *ip = &a->conf->addresses[index].ip;
	uint32_t interface = addresses_interface(a, index)->index;

	if (a->as_route[index])
		request_no_local(b, interface, ip);
	else
		request_no_address(b, interface, ip, (uint8_t)ip_bits(ip));
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
		if (addresses_is_held(a, i) && addresses_interface(a, i)->index != 0 &&
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

/* It was configured ahead, and is as it should be now. */
static bool is_there_ahead(struct addresses *a, size_t index)
{
	a->ahead[index] &= a->interfaces->present[index];
	return a->ahead[index] && a->deprecated[index] == addresses_should_be_deprecated(a, index);
}

/* Those of @list that need a message, in @b; @ret_sent: their places in @list. */
static void put_all(struct addresses *a, const uint16_t *list, size_t count,
	struct netlink_batch *b, uint16_t *ret_sent)
{
	netlink_batch_clear(b);
	for (size_t i = 0; i < count; i++) {
		if (is_there_ahead(a, list[i]))
			continue;
		ret_sent[b->count] = (uint16_t)i;
		addresses_put(a, b, list[i]);
	}
}

/* The notice of a new IPv6 address comes later, from a work queue; that of its removal never waits.
 */
static void configure(struct addresses *a, const uint16_t *list, size_t count, int *errors)
{
	uint16_t sent[NETLINK_BATCH_MAX];
	int answers[NETLINK_BATCH_MAX];
	struct netlink_batch b;
	int r;

	assert(count <= NETLINK_BATCH_MAX);
	put_all(a, list, count, &b, sent);
	r = netlink_batch_send(&a->netlink, &b, answers);
	memset(errors, 0, count * sizeof(*errors));
	for (size_t i = 0; i < b.count; i++)
		errors[sent[i]] = r < 0 ? r : answers[i] == -EEXIST ? 0 : answers[i];
	for (size_t i = 0; i < count; i++)
		if (errors[i] == 0)
			interfaces_came(a->interfaces, list[i], a->as_route[list[i]]);
}

void addresses_add(struct addresses *a, const uint16_t *list, size_t count, int *errors)
{
	addresses_see_own_work(a);
	remove_other_forms(a, a->held);
	configure(a, list, count, errors);
	for (size_t i = 0; i < count; i++) {
		if (errors[i] != 0)
			continue;
		a->ahead[list[i]] = false;
		set_placed(a, list[i], true);
	}
	addresses_see_own_work(a);
	settle(a);
}

void addresses_add_ahead(struct addresses *a, const uint16_t *list, size_t count, int *errors)
{
	for (size_t i = 0; i < count; i++) {
		const struct conf_address *address = &a->conf->addresses[list[i]];

		if (!a->routes_known[address->device])
			find_routes(a, address->device);
		fence_silence(a->fence, address->group);
	}
	configure(a, list, count, errors);
	for (size_t i = 0; i < count; i++)
		a->ahead[list[i]] |= errors[i] == 0;
	addresses_see_own_work(a);
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
		bool stays =
			(a->placed[list[i]] || a->ahead[list[i]]) && addresses_can_stay(a, list[i]);

		set_placed(a, list[i], false);
		a->fresh[list[i]] = false;
		a->ahead[list[i]] = stays;
		a->ahead_due |= stays;
		if (stays)
			continue;
		if (addresses_interface(a, list[i])->index == 0)
			continue;
		there[b.count] = list[i];
		addresses_take_away(a, &b, list[i]);
	}
	r = netlink_batch_send(&a->netlink, &b, errors);
	for (size_t i = 0; i < b.count; i++) {
		int error = r < 0 ? r : errors[i];

		/* Of a local route that we have put there ourselves we know how it ended. */
		if (a->as_route[there[i]] && request_is_gone(error))
			interfaces_route_went(a->interfaces, there[i]);

		if (!request_is_gone(error))
			complain_of_removal(a, there[i], error);
	}
	addresses_see_own_work(a);
}

bool addresses_stay(const struct addresses *a, size_t group)
{
	return a->conf->groups[group].warm && !a->over && fence_can_silence(a->fence);
}

bool addresses_can_stay(const struct addresses *a, size_t index)
{
	const struct conf_address *address = &a->conf->addresses[index];

	return addresses_stay(a, address->group) && a->interfaces->list[address->device].up &&
	       a->interfaces->list[address->device].index != 0 && !a->raised[address->device];
}

void addresses_let_go(struct addresses *a, size_t group)
{
	set_held(a, group, false);
	if (addresses_stay(a, group))
		fence_silence(a->fence, group);
}

/* What is there besides our own addresses, of the groups that leave. */
static void remove_rest(struct addresses *a)
{
	if (a->interfaces->lost)
		strays_remove(a);
	remove_other_forms(a, a->leaving);
	strays_remove_doubles(a);
}

/* The groups that leave are gone. */
static void finish_leaving(struct addresses *a)
{
	remove_rest(a);
	for (size_t g = 0; g < a->conf->group_count; g++) {
		if (a->leaving[g] && !addresses_stay(a, g))
			fence_release(a->fence, g);
		a->leaving[g] = false;
	}
}

void addresses_gone(struct addresses *a, const uint16_t *groups, size_t count)
{
	for (size_t i = 0; i < count; i++)
		a->leaving[groups[i]] = true;
	finish_leaving(a);
	settle(a);
}

void addresses_tidy_up(struct addresses *a)
{
	bool any = false;

	for (size_t g = 0; g < a->conf->group_count; g++) {
		a->leaving[g] = a->conf->groups[g].warm && !a->held[g] &&
				(a->interfaces->lost || !addresses_stay(a, g));
		any |= a->leaving[g];
	}
	if (any) {
		finish_leaving(a);
		settle(a);
	}
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
		if (a->held[g])
			addresses_let_go(a, g);
	}
	/* Those of groups that are being taken down anyway, too. */
	for (size_t i = 0; i < a->conf->address_count; i++)
		a->leaving[a->conf->addresses[i].group] |= a->placed[i];
	remove_leaving(a);
	finish_leaving(a);
}

void addresses_remove_unheld(struct addresses *a)
{
	a->over = true;
	for (size_t g = 0; g < a->conf->group_count; g++)
		a->leaving[g] = a->conf->groups[g].warm;
	/* Those of groups that were being taken down, too. */
	for (size_t i = 0; i < a->conf->address_count; i++)
		a->leaving[a->conf->addresses[i].group] |= a->placed[i];
	for (size_t g = 0; g < a->conf->group_count; g++)
		a->leaving[g] &= !a->held[g];
	remove_leaving(a);
	finish_leaving(a);
	settle(a);
}
