/* SPDX-License-Identifier: ISC */
/*
 * next: what will change a group's state next, in one sentence: a state that cannot tell what it
 * waits for is a riddle. Nothing here is looked at by a rule.
 */
#ifndef HA_ENGINE_NEXT_H
#define HA_ENGINE_NEXT_H

#include <stddef.h>

struct engine;

void explain_what_next(const struct engine *e, size_t group, char *buffer, size_t size);

#endif
