/* SPDX-License-Identifier: ISC */
/* metrics: what `ha status --verbose` adds: counters and timings, from the daemon's JSON to text.
 * Pure. */
#ifndef HA_CLI_METRICS_H
#define HA_CLI_METRICS_H

#include <stdbool.h>

#include <jansson.h>

#include "base/text.h"

/* Appends what @status, a whole answer, says in "metrics" and "counters"; what is 0 is left out. */
void render_metrics(struct text *t, const json_t *status, bool colour);

/* Appends "50us", "3.2ms" or "12s". */
void render_microseconds(struct text *t, int64_t us);

#endif
