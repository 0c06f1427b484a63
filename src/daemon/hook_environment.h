/* SPDX-License-Identifier: ISC */
/* hook_environment: what a hook finds in its environment. */
#ifndef HA_DAEMON_HOOK_ENVIRONMENT_H
#define HA_DAEMON_HOOK_ENVIRONMENT_H

#include <stddef.h>

#include "conf/conf.h"
#include "engine/engine.h"

#define HOOK_VARIABLES_MAX 16
/* The kernel takes no longer variable than 128 KiB. Addresses beyond are left out. */
#define HOOK_ADDRESSES_SIZE   (32 * 1024)
#define HOOK_ENVIRONMENT_SIZE (HOOK_ADDRESSES_SIZE + 12 * 1024)

/* Large: not for the stack. */
struct hook_environment {
	char bytes[HOOK_ENVIRONMENT_SIZE];
	size_t used;
	char *list[HOOK_VARIABLES_MAX + 1]; /* of "NAME=value" in `bytes`; ends with NULL */
	size_t count;
};

/* That of a hook for the change @hook. */
void hook_environment_fill(
	struct hook_environment *e, const struct conf *conf, const struct engine_hook *hook);

#endif
