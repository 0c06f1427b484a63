/* SPDX-License-Identifier: ISC */
/*
 * settle: what depends on the held addresses and on the host's own ones: the connected routes of
 * subnets, deprecation, the order of IPv4 addresses, devices that were brought up.
 */
#ifndef HA_KEEPER_SETTLE_H
#define HA_KEEPER_SETTLE_H

#include "keeper/addresses.h"

/* After groups or interfaces changed. Looks only at what a change can have touched. */
void settle(struct addresses *a);

#endif
