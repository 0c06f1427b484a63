/* SPDX-License-Identifier: ISC */
/* state_dir: where an instance keeps what outlives it. */
#ifndef HA_CLI_STATE_DIR_H
#define HA_CLI_STATE_DIR_H

#include "base/limits.h"

#define DEFAULT_STATE_DIR "/var/lib/ha"

/**
 * state_dir_of - the state folder of an instance
 * @given:       of --state-dir; NULL if it was not given
 * @runtime_dir: an instance with a runtime folder of its own has its state there, too, so that
 * several on one machine do not share it
 * @buffer:      for the answer, if need be
 */
const char *state_dir_of(const char *given, const char *runtime_dir, char buffer[PATH_SIZE]);

#endif
