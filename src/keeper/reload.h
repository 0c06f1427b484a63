/* SPDX-License-Identifier: ISC */
/*
 * reload: the configuration is read again, and checked by a process without privileges; if it is
 * good, the keeper makes room for another one that begins with it (R8). A wrong one changes
 * nothing: the log says all that is wrong with it, and DIR/refused that nothing was changed.
 */
#ifndef HA_KEEPER_RELOAD_H
#define HA_KEEPER_RELOAD_H

#include <stdbool.h>

#include "keeper/configuration.h"
#include "keeper/runtime_dir.h"
#include "keeper/session.h"
#include "keeper/starter.h"

struct reload {
	const struct runtime_dir *dir; /* borrowed */
	const struct starter *starter; /* likewise */
	const char *file;              /* NULL: there is none */
	int text;                      /* sealed memory while it is checked */
	struct configuration next;
	bool then_stop; /* the next keeper */
};

/* Reads the file and has it checked: a pidfd of who does, or -1 after it was refused. */
int reload_begin(struct reload *r);
/* It is good: everything is prepared for the next keeper. False after it was refused. */
bool reload_prepare(struct reload *r);
/* Hands over what the next keeper will not have. */
void reload_retire(const struct reload *r, struct session *s);
/* Nothing is changed. */
void reload_refuse(struct reload *r, const char *why);

#endif
