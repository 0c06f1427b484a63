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
/* Whether an address, or a local route, is to stay; or the connected route of a subnet. */
typedef bool (*leftovers_stays)(const struct netlink_address *address, bool local, void *context);
typedef bool (*leftovers_stays_routed)(
	uint32_t index, const struct ip *prefix, uint8_t length, void *context);

struct leftovers_choice {
	leftovers_told told;
	leftovers_stays stays; /* NULL: nothing stays */
	leftovers_stays_routed stays_routed;
	void *context;
};

/**
 * leftovers_remove - take every address of @conf off every device, and our routes, but what stays
 *
 * Return: how many there were, or -errno.
 */
int leftovers_remove(
	struct netlink *request, const struct conf *conf, const struct leftovers_choice *choice);

/* The same for the configuration that ran before, which may have had other ones. */
int leftovers_remove_previous(struct netlink *request, const struct runtime_dir *dir,
	const struct leftovers_choice *choice);

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
