/* SPDX-License-Identifier: ISC */
/* views: `ha status --all`: the whole cluster as one node knows it, from the daemon's JSON to text.
 * Pure. */
#ifndef HA_CLI_VIEWS_H
#define HA_CLI_VIEWS_H

#include <stdbool.h>

#include <jansson.h>

#include "base/text.h"

/* Appends what each node says of each group (of @group only; NULL: all), who hears whom, and where
 * that does not fit together. @views is the "views" of the answer. */
void render_views(struct text *t, const json_t *views, const char *group, bool colour);

#endif
