/* SPDX-License-Identifier: ISC */
/*
 * addresses: the list of what this node holds, and its way into the kernel. A group is held or not;
 * its addresses come and go in batches, which the caller chooses (work.h) and which may be of
 * several groups. settle() brings what depends on them into the state that follows from it.
 *
 * After every call interfaces->present tells what is really there.
 */
#ifndef HA_KEEPER_ADDRESSES_H
#define HA_KEEPER_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "conf/conf.h"
#include "keeper/fence.h"
#include "keeper/interfaces.h"
#include "keeper/runtime_dir.h"
#include "sys/netlink.h"

/* The connected route of a subnet in which the host has no address of its own, shared by all placed
 * addresses of that subnet. */
struct subnet {
	uint8_t device;
	uint8_t length;
	struct ip prefix;
	uint16_t placed; /* so many of our addresses need it */
	bool routed;     /* our route is in place ... */
	uint32_t downs;  /* ... unless the device went down since */
	bool complained; /* that it could not be added */
};

#define SUBNET_NONE -1

struct addresses {
	const struct conf *conf;       /* borrowed */
	const struct runtime_dir *dir; /* borrowed */
	struct interfaces *interfaces; /* borrowed */
	struct fence *fence;           /* borrowed */
	struct netlink netlink;
	size_t held_count; /* groups */
	bool *held;        /* by group */
	bool *leaving;     /* by group, while it is taken down */
	size_t placed_count;
	bool *placed;             /* by address: we put it there, and its group is held */
	bool *ahead;              /* by address: we left or put it there ahead (ahead.h) */
	bool ahead_due;           /* something has changed that ahead.h must look at */
	bool over;                /* nothing stays any more */
	bool *as_route;           /* by address: it is a local route, not an address */
	bool *fresh;              /* by address: it came with a takeover, and nobody knows yet */
	bool *deprecated;         /* by address, as last configured */
	bool raised[DEVICES_MAX]; /* we brought it up */
	bool routes[DEVICES_MAX]; /* its IPv4 addresses go there as local routes ... */
	bool routes_known[DEVICES_MAX]; /* ... as was found out */
	uint32_t users[DEVICES_MAX];    /* addresses of held groups */
	bool subnets_changed;           /* one came into use, or out of it, since settle() */
	size_t subnet_count;
	struct subnet *subnets;
	int16_t *subnet_of; /* by address, or SUBNET_NONE */
};

/* 0 or -errno. */
int addresses_open(struct addresses *a, const struct conf *conf, const struct runtime_dir *dir,
	struct interfaces *interfaces, struct fence *fence);

/**
 * addresses_hold - begin to hold a group: bring its devices up, have the fence know of it
 * @ret_failed: the address whose device failed
 *
 * Return: 0 or -errno; then the group is not held.
 */
int addresses_hold(struct addresses *a, size_t group, size_t *ret_failed);

/**
 * addresses_add - configure some addresses of held groups
 * @list:   their indices, at most NETLINK_BATCH_MAX
 * @errors: NETLINK_BATCH_MAX numbers; the first @count are set to 0 or -errno
 */
void addresses_add(struct addresses *a, const uint16_t *list, size_t count, int *errors);

/* The same for groups that are not held, behind the fence, which must be in place (fence_watch()).
 */
void addresses_add_ahead(struct addresses *a, const uint16_t *list, size_t count, int *errors);

/* A group of which an earlier keeper left addresses configured is held from now on: what is there
 * stays as it is, in the form that it has. */
void addresses_take_over(struct addresses *a, size_t group);
/* Once all such groups are: the addresses that they have not come; they are `fresh`. @renew: what
 * is there has a lifetime, which ends. */
void addresses_complete(struct addresses *a, bool renew);
/* Whether it is there and whoever is to know has been told. */
bool addresses_is_settled(const struct addresses *a, size_t index);
/* ... all addresses of a held group. */
bool addresses_are_settled(const struct addresses *a, size_t group);

/* The group is not held any more; its addresses are still there. Those that stay are silent. */
void addresses_let_go(struct addresses *a, size_t group);
/* Takes some addresses down, at most NETLINK_BATCH_MAX; fine if they are not there. What cannot be
 * taken down is logged. Of a group whose addresses stay they are `ahead` from now on instead. */
void addresses_remove(struct addresses *a, const uint16_t *list, size_t count);
/* The addresses of these groups are gone: what somebody else has put there in their place goes, and
 * the fence forgets them. */
void addresses_gone(struct addresses *a, const uint16_t *groups, size_t count);

/* What went with a device that has another name now, of warm groups; and what the fence need not
 * know any more of them. */
void addresses_tidy_up(struct addresses *a);

/* All of that for all groups at once, as fast as it goes; settle() does the rest. */
void addresses_remove_all(struct addresses *a);
/* All that is of groups that are not held: ahead, or still on its way down. Nothing stays from now
 * on. */
void addresses_remove_unheld(struct addresses *a);

/* Puts one address of a held group back. 0 or -errno. */
int addresses_restore(struct addresses *a, size_t index);

/* True if the group of this address is held. */
bool addresses_is_held(const struct addresses *a, size_t index);
bool addresses_any_held(const struct addresses *a);
/* True if somebody else has taken it away. */
bool addresses_is_missing(const struct addresses *a, size_t index);

/* Whether the addresses of @group stay configured while it is not held (standby = warm). */
bool addresses_stay(const struct addresses *a, size_t group);
/* ... and this one can: its device is up, and not because we brought it up. */
bool addresses_can_stay(const struct addresses *a, size_t index);

/* The device of an address, as it is now. */
const struct interface *addresses_interface(const struct addresses *a, size_t index);
/* Takes in what the kernel has told since: of others' doing, and of what we did ourselves before
 * anybody can confuse it with that. */
void addresses_see_own_work(struct addresses *a);

/* The message that configures it, as it should be now; for so many seconds. */
void addresses_put(struct addresses *a, struct netlink_batch *b, size_t index);
void addresses_put_for(
	struct addresses *a, struct netlink_batch *b, size_t index, uint32_t lifetime_s);
/* The message that takes it away. */
void addresses_take_away(struct addresses *a, struct netlink_batch *b, size_t index);
/* RFC 6724 section 5, rule 3: deprecated, so that the host's own address is preferred; and what is
 * not held must never be the source of anything. */
bool addresses_should_be_deprecated(const struct addresses *a, size_t index);

#endif
