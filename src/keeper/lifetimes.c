/* SPDX-License-Identifier: ISC */
#include "keeper/lifetimes.h"

#include "keeper/requests.h"

void lifetimes_renew(struct addresses *a)
{
	lifetimes_renew_for(a, fence_lifetime(a->fence));
}

/* What somebody took away meanwhile stays away: the engine is asked about that. */
void lifetimes_renew_for(struct addresses *a, uint32_t lifetime_s)
{
	int errors[NETLINK_BATCH_MAX];
	struct netlink_batch b;

	addresses_see_own_work(a);
	netlink_batch_clear(&b);
	for (size_t i = 0; i < a->conf->address_count; i++) {
		if (!a->placed[i] || !a->interfaces->present[i])
			continue;
		addresses_put_for(a, &b, i, lifetime_s);
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
		request_address(&come, addresses_interface(a, list[i])->index,
			&a->conf->addresses[list[i]].ip, 32, lifetime_s, false);
	r = netlink_batch_send(&a->netlink, &come, errors);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (errors[i] != 0)
			continue;
		addresses_take_away(a, &go, list[i]);
		a->as_route[list[i]] = false;
		interfaces_route_went(a->interfaces, list[i]);
	}
	if (go.count > 0)
		(void)netlink_batch_send(&a->netlink, &go, ignored);
}

bool lifetimes_end_routes_after(struct addresses *a, uint32_t lifetime_s)
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
