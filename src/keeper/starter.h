/* SPDX-License-Identifier: ISC */
/*
 * starter: a process that does one thing: start engines. The keeper has given up the privileges
 * that this takes (another user, real-time priority) by the time an engine has died and a fresh one
 * is needed; keeping them for that alone would hand them to whoever takes the keeper over. The
 * starter keeps them, and nothing reaches it but one byte and two descriptors from the keeper. It
 * also keeps what only engines may see, above all the key.
 *
 * The engines that it starts are the keeper's children, so the keeper learns of their end at first
 * hand. It ends when the keeper does.
 */
#ifndef HA_KEEPER_STARTER_H
#define HA_KEEPER_STARTER_H

#include <stdbool.h>
#include <stdint.h>

#include "keeper/configuration.h"
#include "keeper/privileges.h"
#include "keeper/runtime_dir.h"

struct starter {
	int socket;
};

/**
 * starter_open - fork the starter; before the keeper gives its privileges up
 * @keys:    as configuration_read_keys() has them
 * @control: the listening control socket; moved
 * @state:   the state folder, or /dev/null; moved
 *
 * @record:  memory of HANDOFF_RECORD_SIZE, which each engine leaves to the next; borrowed
 *
 * Return: false after one line.
 */
bool starter_open(const struct configuration *configuration, const struct key_bytes *keys,
	const struct runtime_dir *dir, const struct account *account, int control, int state,
	int record, struct starter *ret_starter);

/**
 * starter_start - start an engine
 * @channel: its end of the channel; borrowed
 * @lease:   the memory of the lease; borrowed
 *
 * Return: a pidfd of the engine, which is a child of the caller, or -errno.
 */
int starter_start(const struct starter *s, int channel, int lease);

/**
 * starter_check - have a process without privileges read a configuration
 * @text: sealed memory; borrowed
 *
 * Return: a pidfd of it, a child of the caller: status 0 if it is good, else it has logged every
 * mistake; or -errno.
 */
int starter_check(const struct starter *s, int text);

/* SIGKILL to the engine that was started last. */
void starter_kill(const struct starter *s);

#endif
