/* SPDX-License-Identifier: ISC */
/*
 * fence_tc: the fence as programs in the kernel (fence.bpf.c) at every device but the loopback one,
 * since a host may answer on any of its devices for the address of another. They drop what is to or
 * from a shared address that is configured here, after the lease, which they read themselves.
 */
#ifndef HA_KEEPER_FENCE_TC_H
#define HA_KEEPER_FENCE_TC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "conf/conf.h"
#include "keeper/fence_load.h"
#include "sys/netlink.h"

#define FENCE_DEVICES_MAX 4096 /* with more at the start it is not in force */

/* At its end it waits for so long at most until nothing is passed on any more (7.5). */
#define FENCE_PASSES_MAX_NS (NS_PER_S / 2)

struct fence_tc {
	uint32_t handle; /* of our filters */
	struct fence_object object;
	size_t group_count;
	uint64_t *held; /* the kernel reads it; a word for each group */
	struct netlink monitor, request;
	bool broken; /* at some device it could not be put up again */
	size_t device_count;
	uint32_t devices[FENCE_DEVICES_MAX]; /* interface indices that have it */
};

/* What is in force already when it takes the place of an earlier one (R8). */
struct fence_prior {
	ha_time lease;
	const bool *held; /* by group */
};

/* Takes away what an earlier keeper left behind. */
void fence_tc_clean(uint32_t handle);

/* Puts it up at every device. @prior: in the place of an earlier one; or NULL. False, with the
 * reason in *@reterr (static), if that is impossible. */
bool fence_tc_open(struct fence_tc *f, const struct conf *conf, uint32_t handle,
	const struct fence_prior *prior, const char **reterr);

/* @state: FENCE_AWAY, FENCE_HELD or FENCE_AHEAD (fence_shape.h). That every device has the fence by
 * then the caller sees to, once for many groups. */
void fence_tc_set(struct fence_tc *f, size_t group, uint64_t state);

/* Something changed (monitor): new devices get it, and those that somebody took it from. */
void fence_tc_watch(struct fence_tc *f);

/* Nothing is held. What was handed over just now is passed on for a moment more. */
void fence_tc_close(struct fence_tc *f);
/* Lets go of it: it stays. */
void fence_tc_leave(struct fence_tc *f);

#endif
