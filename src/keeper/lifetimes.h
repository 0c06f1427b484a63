/* SPDX-License-Identifier: ISC */
/* lifetimes: addresses that the kernel takes away by itself when nobody renews them: the fence
 * where there is no other, and what ends those that are left to the next keeper (R8). */
#ifndef HA_KEEPER_LIFETIMES_H
#define HA_KEEPER_LIFETIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "keeper/addresses.h"

/* Renews the lifetimes of all that are there. */
void lifetimes_renew(struct addresses *a);
/* The same, but the kernel shall end them after @lifetime_s. Local routes have no lifetime. */
void lifetimes_renew_for(struct addresses *a, uint32_t lifetime_s);
/* Local routes become addresses with a lifetime. At most so many, since each takes the kernel
 * longer than the one before (local.h). False, with nothing changed, if there are more. */
#define MORTAL_ROUTES_MAX 2048
bool lifetimes_end_routes_after(struct addresses *a, uint32_t lifetime_s);

#endif
