/* SPDX-License-Identifier: ISC */
#include "keeper/strays.h"

#include <string.h>

#include "keeper/leftovers.h"
#include "keeper/local.h"
#include "sys/log.h"

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
	int shared = conf_address_by_ip(conf, &address->ip);

	if (shared >= 0 && s->addresses->leaving[conf->addresses[shared].group] &&
		addresses_interface(s->addresses, (size_t)shared)->index != address->index)
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

static void remove_strays_of(struct addresses *a, dump_function dump, delete_function take_away)
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
			(void)take_away(&a->netlink, &strays.list[i]);
		if (strays.count < STRAYS_MAX)
			break;
	}
}

void strays_remove(struct addresses *a)
{
	remove_strays_of(a, dump_all_addresses, leftovers_delete_foreign);
	remove_strays_of(a, local_dump, leftovers_delete_local);
	a->interfaces->lost = addresses_any_held(a) || a->placed_count > 0;
}

void strays_remove_doubles(struct addresses *a)
{
	for (size_t i = 0; i < a->conf->address_count; i++) {
		const struct conf_address *address = &a->conf->addresses[i];
		const struct netlink_address theirs = {
			.index = addresses_interface(a, i)->index,
			.ip = address->ip,
			.prefix_length = (uint8_t)ip_bits(&address->ip),
		};

		if (a->leaving[address->group] && a->as_route[i] && a->interfaces->plain[i])
			(void)leftovers_delete_foreign(&a->netlink, &theirs);
	}
}
