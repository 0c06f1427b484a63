/* SPDX-License-Identifier: ISC */
/*
 * application: a program that embeds the engine (libha) and started this keeper for it. It is not
 * trusted more than had is: it gets a lease, and a channel that carries indices into the
 * configuration. A program that is root itself may use any configuration, as it could configure any
 * address anyway. An unprivileged one that executes an ha-keeper with capabilities of its own
 * (setcap(8)) gets nothing.
 */
#ifndef HA_KEEPER_APPLICATION_H
#define HA_KEEPER_APPLICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "keeper/configuration.h"

/* Whether whoever started us has fewer privileges than we have: then nothing of its making counts.
 */
bool application_is_unprivileged(void);

/* Whether we serve whoever started us. False after one line. */
bool application_may_start(void);

/* The other end of @channel must be our parent. 0 and a pidfd of it (owned), or -errno. */
int application_check(int channel, int *ret_process);

/* The first two messages, wire/handoff.h. @key: NULL for none. 0 or -errno. */
int application_greet(
	int channel, int lease, const struct configuration *configuration, const uint8_t *key);

#endif
