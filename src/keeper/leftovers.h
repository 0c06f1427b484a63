/* SPDX-License-Identifier: ISC */
/*
 * leftovers: shared addresses that nobody of this run configured: those of an earlier run whose
 * keeper was killed as well, or of a person. They are taken down before anything else happens.
 */
#ifndef HA_KEEPER_LEFTOVERS_H
#define HA_KEEPER_LEFTOVERS_H

#include <stddef.h>

#include "conf/conf.h"
#include "keeper/runtime_dir.h"
#include "sys/netlink.h"

/* Told of each thing that was taken down; @what is "192.168.1.100 from eth0". */
typedef void (*leftovers_told)(const char *what, void *context);
/* Whether an address is to stay. */
typedef bool (*leftovers_stays)(const struct netlink_address *address, void *context);

struct leftovers_choice {
	leftovers_told told;
	leftovers_stays stays;
	void *context;
};

/**
 * leftovers_remove - take every address of @conf off every device but what stays, and our routes
 *
 * Return: how many there were, or -errno.
 */
int leftovers_remove(
	struct netlink *request, const struct conf *conf, const struct leftovers_choice *choice);

/* Sets the devices down that an earlier run brought up. How many, or -errno. */
int leftovers_lower(
	struct netlink *request, const struct runtime_dir *dir, leftovers_told told, void *context);

/**
 * leftovers_delete_foreign - delete one address that may not have our form
 *
 * An IPv4 address of a wider prefix can be the primary one of its subnet, and with
 * promote_secondaries=0 the kernel takes the host's own, secondary addresses away with it: the
 * setting is on while this address goes.
 *
 * Return: 0, also if it is not there, or -errno.
 */
int leftovers_delete_foreign(struct netlink *request, const struct netlink_address *address);
/* The same for a local route of ours. */
int leftovers_delete_local(struct netlink *request, const struct netlink_address *local);

#endif
