/* SPDX-License-Identifier: ISC */
/*
 * addresses: the list of what this node holds, and its way into the kernel. A group is held or not;
 * addresses_settle() brings what depends on it (connected routes, deprecation, devices that were
 * brought up) into the state that follows from it.
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

/* The connected route of a subnet in which the host has no address of its own, shared by all held
 * addresses of that subnet. */
struct subnet {
	uint8_t device;
	uint8_t length;
	struct ip prefix;
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
	bool held[GROUPS_MAX];
	bool deprecated[ADDRESSES_MAX]; /* as last configured */
	bool raised[DEVICES_MAX];       /* we brought it up */
	size_t subnet_count;
	struct subnet subnets[ADDRESSES_MAX];
	int16_t subnet_of[ADDRESSES_MAX]; /* or SUBNET_NONE */
};

/* 0 or -errno. */
int addresses_open(struct addresses *a, const struct conf *conf, const struct runtime_dir *dir,
	struct interfaces *interfaces, struct fence *fence);

/**
 * addresses_hold - begin to hold a group: bring its devices up
 * @ret_failed: the address whose device failed
 *
 * Return: 0 or -errno; then nothing changed for good.
 */
int addresses_hold(struct addresses *a, size_t group, size_t *ret_failed);

/**
 * addresses_add - configure a part of a group that is held
 * @first, @count: indices of addresses, at most NETLINK_BATCH_MAX
 * @ret_failed:    the first address that failed
 *
 * Return: 0 or -errno; then the caller releases the group.
 */
int addresses_add(struct addresses *a, size_t first, size_t count, size_t *ret_failed);

/* Takes the group's addresses down; fine if it is not held. What cannot be taken down is logged. */
void addresses_release(struct addresses *a, size_t group);
/* The addresses of all groups at once, as fast as it goes; addresses_settle() does the rest. */
void addresses_remove_all(struct addresses *a);

/* Puts one address of a held group back. 0 or -errno. */
int addresses_restore(struct addresses *a, size_t index);

/* True if the group of this address is held. */
bool addresses_is_held(const struct addresses *a, size_t index);
bool addresses_any_held(const struct addresses *a);

/* Routes, deprecation and raised devices, after groups or interfaces changed. */
void addresses_settle(struct addresses *a);

#endif
