/* SPDX-License-Identifier: ISC */
/*
 * names: users and groups of the host. A process of its own looks them up, as the libraries that do
 * that (NSS) stay in memory for good, and may be larger than all of the keeper.
 */
#ifndef HA_SYS_NAMES_H
#define HA_SYS_NAMES_H

#include <stdbool.h>
#include <sys/types.h>

/* False if there is no such user. */
bool names_user(const char *name, uid_t *ret_user, gid_t *ret_group);
/* False if there is no such group. */
bool names_group(const char *name, gid_t *ret_group);

#endif
