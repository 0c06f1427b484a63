/* SPDX-License-Identifier: ISC */
/*
 * targets: which neighbours are asked to acknowledge that a shared address moved: the default
 * gateways of its device, the configured peers on its link, and whomever the kernel's neighbour
 * table knows there, in that order. From the kernel's tables alone; the engine refers to them by
 * number. Where there are many addresses only a sample of them asks, and fewer neighbours: a
 * question leaves an entry for the address in the neighbour's table, and that of a Linux router has
 * room for 1,024 by default.
 */
#ifndef HA_KEEPER_TARGETS_H
#define HA_KEEPER_TARGETS_H

#include <stddef.h>
#include <stdint.h>

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
	/* As last told to the engine: room for @each of every address, and how many there are. */
	size_t each;
	size_t stride; /* from one address that asks to the next */
	struct ip *told;
	uint8_t *told_count;
};

#define TARGETS_ASKING 64  /* addresses of a node that ask ... */
#define TARGETS_IN_ALL 256 /* ... and what they ask together, at most */

/* 0 or -ENOMEM. */
int targets_open(struct targets *t, const struct conf *conf, const struct interfaces *interfaces);

/* Finds the targets of one address anew and remembers them. How many there are. */
size_t targets_find(struct targets *t, size_t index, ha_time now);
/* The default gateways of a device, of both families. */
void targets_gateways(struct targets *t, size_t device, ha_time now, struct target_list *ret_list);
/* One of those last found, or NULL. */
const struct ip *targets_get(const struct targets *t, size_t index, size_t number);

#endif
