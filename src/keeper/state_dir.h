/* SPDX-License-Identifier: ISC */
/*
 * state_dir: the folder for what outlives the daemon, /var/lib/ha by default: the history. It
 * belongs to the engine's user, who alone writes there; the keeper makes it and never reads it.
 */
#ifndef HA_KEEPER_STATE_DIR_H
#define HA_KEEPER_STATE_DIR_H

#include "keeper/privileges.h"

/* Creates the folder if need be and gives it to @account. Its descriptor; where that is not
 * possible, after a warning, or with @path NULL, one of /dev/null; -1 if not even that can be had.
 */
int state_dir_open(const char *path, const struct account *account);

#endif
