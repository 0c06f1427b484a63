/* SPDX-License-Identifier: ISC */
/* next: what will change a group's state next, in one sentence. */
#ifndef HA_ENGINE_NEXT_H
#define HA_ENGINE_NEXT_H

#include <stddef.h>

struct engine;

void explain_what_next(const struct engine *e, size_t group, char *buffer, size_t size);

#endif
