/* SPDX-License-Identifier: ISC */
/*
 * own: our table, when it has more groups than fit one heartbeat: docs/protocol.md 2.9. Each change
 * of what we say of a group gets a version of its own. The groups form a list in the order of their
 * last changes, so that all that changed after any version is its end.
 */
#ifndef HA_ENGINE_OWN_H
#define HA_ENGINE_OWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "wire/heartbeat.h"
#include "wire/table.h"

struct engine;

/* What we say of one of our groups, when it travels as changes. */
struct own_entry {
	struct table_change said;
	uint32_t version;      /* of the table, when that changed; 0: not said yet */
	uint16_t older, newer; /* the groups that changed before and after it */
};

struct own_table {
	bool in_use;
	uint32_t version;
	uint32_t told; /* the others were told all up to this version */
	uint64_t digest;
	uint16_t oldest, newest;
	uint32_t owed;   /* somebody lacks what came after this; UINT32_MAX: nobody */
	ha_time lowered; /* when `told` was last set back for that */
	struct own_entry *entries;
};

void own_start(struct engine *e);
/* Takes in what the groups say now that this step has evaluated. */
void own_review(struct engine *e);
void own_fill(struct engine *e, struct heartbeat *h);
/* Something is still to be told, at once. */
bool own_has_more(const struct engine *e);
/* Others ask for what they lack. */
void own_asked(struct engine *e, const struct heartbeat *h);

#endif
