/* SPDX-License-Identifier: ISC */
/* engine_program: what a fresh process does to become had, the engine, or its ha-checker: without
 * any privilege, with exactly the descriptors of wire/handoff.h. */
#ifndef HA_KEEPER_ENGINE_PROGRAM_H
#define HA_KEEPER_ENGINE_PROGRAM_H

#include "base/limits.h"
#include "keeper/privileges.h"
#include "wire/handoff.h"

#define HANDOFF_FIRST HANDOFF_CHANNEL
#define HANDOFF_COUNT 8

/* Exit status of one whose program could not be executed, as shells say it. */
#define ENGINE_CANNOT_EXECUTE 127

struct engine_program {
	const char *name;
	char path[PATH_SIZE];
	int descriptor; /* -1: it could not be opened */
};

/* Finds it, while the privileges for that are there: the folders above a build folder are often
 * closed to others. */
void engine_program_find(const char *name, struct engine_program *ret_program);

/* Becomes the program; returns, after one line, only if that is impossible. @descriptors: @count of
 * them, from HANDOFF_FIRST on; a negative one is /dev/null. @runtime_dir: for its messages. */
void engine_program_become(const struct engine_program *program, const int *descriptors,
	size_t count, const char *runtime_dir, const struct account *account);

#endif
