/* SPDX-License-Identifier: ISC */
/*
 * fence: what keeps this host from answering for a shared address once the lease has passed,
 * whatever has become of engine and keeper (rule R7). Programs in the kernel (fence.bpf.c) at every
 * device but the loopback one, since a host may answer on any of its devices for the address of
 * another. They drop what is to or from a shared address that is configured here, after the lease.
 *
 * They stay when the keeper is killed: that is what they are for. The next start takes them away,
 * and so does `ha release`. Each runtime folder has its own.
 */
#ifndef HA_KEEPER_FENCE_H
#define HA_KEEPER_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "keeper/fence_load.h"
#include "sys/netlink.h"

#define FENCE_DEVICES_MAX 4096 /* with more at the start it is not in force */

struct fence {
	bool in_force;
	uint32_t handle; /* of our filters */
	struct fence_object object;
	size_t group_count;
	uint64_t *held; /* the kernel reads it; a word for each group */
	struct netlink monitor, request;
	size_t device_count;
	uint32_t devices[FENCE_DEVICES_MAX]; /* interface indices that have it */
};

/* Takes away what an earlier keeper of the same runtime folder left behind. */
void fence_clean(const char *runtime_dir);

/* Puts the fence up at every device. It is not in force after one line if that is impossible. */
void fence_open(struct fence *f, const struct conf *conf, const char *runtime_dir);

/* The memory of the lease, to be mapped; borrowed. -1: not in force. */
int fence_lease(const struct fence *f);

/* The addresses of @group will be, or are no more, configured. Before the first and after the last
 * one. Every device that is there by then has the fence. */
void fence_hold(struct fence *f, size_t group);
void fence_release(struct fence *f, size_t group);

/* Something changed (monitor): new devices get it, and those that somebody took it from. */
void fence_watch(struct fence *f);

/* Takes it away; nothing is held. */
void fence_close(struct fence *f);

#endif
