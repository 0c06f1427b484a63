/* SPDX-License-Identifier: ISC */
/*
 * succession: one keeper after the other, at a restart or an upgrade of the whole daemon (rule R8).
 * The one that goes leaves the addresses of its groups configured, the fence in force until the
 * lease that was announced, and a note in the runtime folder. The one that comes takes the groups
 * over instead of removing what it finds, if the note is of this boot of the host and the lease has
 * not passed. Whoever comes too late finds leftovers like any others.
 */
#ifndef HA_KEEPER_SUCCESSION_H
#define HA_KEEPER_SUCCESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "keeper/addresses.h"
#include "keeper/runtime_dir.h"
#include "wire/note.h"

/* What was left; nothing if the group count of the note is 0 and no lease is to be met. */
struct succession {
	uint8_t *bytes; /* owned; NULL: there is nothing to take over */
	struct note note;
};

/* Whether there is a note that is still good. */
bool succession_waits(const struct runtime_dir *dir);
/* Reads the note and takes it away: it is good once. False if there is none or it is of no use. */
bool succession_load(const struct runtime_dir *dir, struct succession *ret_succession);
void succession_free(struct succession *s);

/* Whether the group is to be taken over. */
bool succession_has(const struct succession *s, const struct conf_group *group);

/* Writes the note. @record: memory of the engine's record, @record_size bytes of it. Without a
 * fence the addresses get a lifetime in the kernel: nothing else ends them. False after one line.
 */
bool succession_leave(struct addresses *a, ha_time lease, int record, size_t record_size);

#endif
