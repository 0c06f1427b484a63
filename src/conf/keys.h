/* SPDX-License-Identifier: ISC */
/*
 * keys: the table of all keys: in which section, how often, what values, with which example. The
 * manual is ha.conf(5).
 */
#ifndef HA_CONF_KEYS_H
#define HA_CONF_KEYS_H

#include "conf/draft.h"

/* Takes up "@name = @value" at d->line in d->section, or complains. */
void keys_take(struct draft *d, const char *name, const char *value);

/* Forgets which keys of groups were seen: a group begins. */
void keys_begin_group(struct draft *d);

#endif
