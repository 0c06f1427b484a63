/* SPDX-License-Identifier: ISC */
/*
 * targets: which neighbours are asked to acknowledge that a shared address moved: the default
 * gateways of its device, the configured peers on its link, and whomever the kernel's neighbour
 * table knows there, in that order. From the kernel's tables alone; the engine refers to them by
 * number.
 */
#ifndef HA_KEEPER_TARGETS_H
#define HA_KEEPER_TARGETS_H

#include <stddef.h>

#include "base/limits.h"
#include "base/time.h"
#include "conf/conf.h"
#include "keeper/interfaces.h"

struct target_list {
	uint8_t count;
	struct ip ip[TARGETS_MAX];
};

/* What the kernel's tables said of one device and family. */
struct target_cache {
	bool filled;
	ha_time at;
	struct target_list gateways, neighbours;
};

struct targets {
	const struct conf *conf;             /* borrowed */
	const struct interfaces *interfaces; /* borrowed */
	struct target_cache cache[DEVICES_MAX][2];
	struct target_list lists[ADDRESSES_MAX]; /* as last told to the engine */
};

void targets_init(struct targets *t, const struct conf *conf, const struct interfaces *interfaces);

/* Finds the targets of one address anew and remembers them as its list. */
const struct target_list *targets_find(struct targets *t, size_t index, ha_time now);

#endif
