/* SPDX-License-Identifier: ISC */
/* engine_program: what a fresh process does to become had, the engine: without any privilege, with
 * exactly the descriptors of wire/handoff.h. */
#ifndef HA_KEEPER_ENGINE_PROGRAM_H
#define HA_KEEPER_ENGINE_PROGRAM_H

#include "base/limits.h"
#include "keeper/privileges.h"
#include "wire/handoff.h"

#define HANDOFF_FIRST HANDOFF_CHANNEL
#define HANDOFF_COUNT 6

struct engine_program {
	char path[PATH_SIZE];
	int descriptor; /* -1: it could not be opened */
};

/* Finds it, while the privileges for that are there: the folders above a build folder are often
 * closed to others. */
void engine_program_find(struct engine_program *ret_program);

/* Becomes the engine; returns, after one line, only if that is impossible. @descriptors: in the
 * order of enum handoff. @runtime_dir: for its messages. */
void engine_program_become(const struct engine_program *program,
	const int descriptors[HANDOFF_COUNT], const char *runtime_dir,
	const struct account *account);

#endif
