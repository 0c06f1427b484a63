/* SPDX-License-Identifier: ISC */
#include "keeper/ahead.h"

#include <string.h>

#include "sys/log.h"

#define PART_SIZE 100 /* what is held must not wait long for it */

void ahead_open(struct ahead *a, struct addresses *addresses)
{
	const struct conf *conf = addresses->conf;

	*a = (struct ahead){.addresses = addresses};
	for (size_t g = 0; g < conf->group_count; g++)
		a->any |= conf->groups[g].warm;
	if (!a->any || fence_can_silence(addresses->fence))
		return;
	a->any = false;
	log_warning("standby = warm needs programs in the kernel as the fence, and %s is in "
		    "force: the addresses come when their group is held",
		channel_fence_name(addresses->fence->kind));
}

/* Of a group that is not held: it is as it should be there. */
static bool is_right(const struct addresses *a, size_t index)
{
	bool wanted = addresses_can_stay(a, index);

	if (!wanted)
		return !a->ahead[index] && !a->interfaces->present[index];
	return a->ahead[index] && a->interfaces->present[index] &&
	       a->deprecated[index] == addresses_should_be_deprecated(a, index);
}

struct part {
	size_t add_count, remove_count;
	uint16_t add[PART_SIZE], remove[PART_SIZE];
};

static void collect(struct ahead *a, struct part *p)
{
	const struct conf *conf = a->addresses->conf;

	*p = (struct part){0};
	for (; a->next < conf->address_count && p->add_count < PART_SIZE &&
		p->remove_count < PART_SIZE;
		a->next++) {
		size_t group = conf->addresses[a->next].group;

		if (!conf->groups[group].warm || a->addresses->held[group] ||
			is_right(a->addresses, a->next))
			continue;
		if (addresses_can_stay(a->addresses, a->next))
			p->add[p->add_count++] = (uint16_t)a->next;
		else
			p->remove[p->remove_count++] = (uint16_t)a->next;
	}
}

static void end_pass(struct ahead *a)
{
	if (a->failed > 0)
		log_warning("%zu addresses cannot be configured ahead: %s; they come when their "
			    "group is held",
			a->failed, strerror(-a->error));
	if (a->added > 0)
		log_info("%zu addresses are configured ahead, silent behind the fence", a->added);
	a->next = a->added = a->failed = 0;
	addresses_tidy_up(a->addresses);
}

/* Also when the fence has turned out not to silence anything any more, or to do so again. */
static bool is_due(struct ahead *a)
{
	bool silenced = fence_can_silence(a->addresses->fence);

	a->addresses->ahead_due |= silenced != a->silenced;
	a->silenced = silenced;
	return a->next != 0 || a->addresses->ahead_due;
}

bool ahead_some(struct ahead *a)
{
	int errors[NETLINK_BATCH_MAX];
	struct part p;

	if (!a->any || !is_due(a))
		return false;
	a->addresses->ahead_due &= a->next != 0;
	fence_watch(a->addresses->fence); /* a device that has just come has none yet */
	collect(a, &p);
	addresses_remove(a->addresses, p.remove, p.remove_count);
	addresses_add_ahead(a->addresses, p.add, p.add_count, errors);
	for (size_t i = 0; i < p.add_count; i++) {
		a->added += errors[i] == 0;
		a->failed += errors[i] != 0;
		a->error = errors[i] != 0 ? errors[i] : a->error;
	}
	if (a->next < a->addresses->conf->address_count)
		return true;
	end_pass(a);
	return a->addresses->ahead_due;
}

void ahead_end(struct addresses *a)
{
	if (a->conf) /* else it never came to be */
		addresses_remove_unheld(a);
}
