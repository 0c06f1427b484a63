/* SPDX-License-Identifier: ISC */
/* filters: the fence's programs at one device, as filters of tc(8) on its clsact qdisc, which
 * tc-bpf(8) explains. Nobody else's filters are touched. */
#ifndef HA_KEEPER_FILTERS_H
#define HA_KEEPER_FILTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/netlink.h"

/* Before most others, so that none of them lets pass what is fenced; 1 is what others take first.
 */
#define FILTERS_PREFERENCE 17

/* Puts both programs at the device with @index, or in the place of those that are there. 0 or
 * -errno. */
int filters_add(struct netlink *n, uint32_t index, uint32_t handle, int ingress, int egress);

/* Takes ours away, and the qdisc if it has no filter then. */
void filters_remove(struct netlink *n, uint32_t index, uint32_t handle);

/* Whether a notice of RTNLGRP_TC says that filters of the device *@ret_index were taken away,
 * perhaps ours. */
bool filters_are_lost(const struct nlmsghdr *message, uint32_t *ret_index);

#endif
