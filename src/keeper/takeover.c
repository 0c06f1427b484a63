/* SPDX-License-Identifier: ISC */
#include "keeper/takeover.h"

#include <string.h>

#include "keeper/leftovers.h"
#include "keeper/settle.h"
#include "sys/log.h"

static void note_raised(const char *device, void *context)
{
	struct keeper *k = context;
	const struct conf *conf = k->configuration.conf;

	for (size_t d = 0; d < conf->device_count; d++) {
		if (strcmp(conf->devices[d].name, device) == 0)
			k->addresses.raised[d] = true;
	}
}

/* Clients are served all the time, by what stays, and by what is new before the old goes. */
static void take_over(struct keeper *k)
{
	const struct conf *conf = k->configuration.conf;
	const struct lease_page lease = {.until_ns = k->succession.note.lease.ns};

	fence_obey(&k->fence, &lease);
	runtime_dir_raised(&k->dir, note_raised, k);
	for (size_t g = 0; g < conf->group_count; g++) {
		if (succession_has(&k->succession, &conf->groups[g]))
			addresses_take_over(&k->addresses, g);
	}
	addresses_complete(&k->addresses, k->succession.note.mortal);
	settle(&k->addresses);
	fence_obey(&k->fence, NULL); /* until there is an engine */
}

/* In the form, and on the device, that is ours. */
static bool stays(const struct netlink_address *address, bool local, void *context)
{
	const struct addresses *a = context;
	int shared = conf_address_by_ip(a->conf, &address->ip);

	return shared >= 0 && a->placed[shared] && a->as_route[shared] == local &&
	       interfaces_is_our_form(address) &&
	       a->interfaces->list[a->conf->addresses[shared].device].index == address->index;
}

static bool stays_routed(uint32_t index, const struct ip *prefix, uint8_t length, void *context)
{
	const struct addresses *a = context;

	for (size_t n = 0; n < a->subnet_count; n++) {
		const struct subnet *s = &a->subnets[n];

		if (s->placed > 0 && s->length == length && ip_equal(&s->prefix, prefix) &&
			a->interfaces->list[s->device].index == index)
			return true;
	}
	return false;
}

static void log_gone(const char *what, void *context)
{
	(void)context;
	log_notice("not configured any more: took down %s", what);
}

/* Under the configuration before, and whatever else is not held here. */
static int take_down_the_rest(struct keeper *k)
{
	const struct leftovers_choice choice = {.told = log_gone,
		.stays = stays,
		.stays_routed = stays_routed,
		.context = &k->addresses};
	struct netlink request;
	int r = netlink_open(&request);

	if (r < 0)
		return r;
	r = leftovers_remove_previous(&request, &k->dir, &choice);
	if (r >= 0)
		r = leftovers_remove(&request, k->configuration.conf, &choice);
	netlink_close(&request);
	return r < 0 ? r : 0;
}

int takeover_begin(struct keeper *k)
{
	take_over(k);
	return take_down_the_rest(k);
}
