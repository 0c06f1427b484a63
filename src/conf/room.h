/* SPDX-License-Identifier: ISC */
/*
 * room: the memory of a configuration, taken once, before it is read, as large as its text can make
 * it: each group takes a "[", each address a line, and each text that is kept stands in the file.
 * So a small configuration is small in memory, whatever the limits are.
 */
#ifndef HA_CONF_ROOM_H
#define HA_CONF_ROOM_H

#include "conf/draft.h"

/* False if memory ran out. */
bool room_take(struct draft *d, const char *text, size_t size);
/* What only reading has needed. */
void room_free_draft(struct draft *d);

/* A copy of @text that lives as long as the configuration. */
const char *room_keep(struct draft *d, const char *text);

#endif
