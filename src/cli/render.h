/* SPDX-License-Identifier: ISC */
/*
 * render: the status and the events as people read them, from values to text. Pure: the clock and
 * whether to use colours are told.
 */
#ifndef HA_CLI_RENDER_H
#define HA_CLI_RENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "wire/report.h"
#include "wire/status.h"

#define RENDER_STATUS_MAX (8 * 1024 * 1024)

struct render {
	bool colour;
	int64_t wall_ms;   /* now */
	const char *group; /* only this one, without peers; NULL: everything */
};

/* Appends the whole status: the node, its groups, the peers, and the warnings last. */
void render_status(struct text *t, const struct status *s, const struct render *how);

/* Appends "350ms", "12s", "3m12s", "5h07m" or "3d04h": the two largest units. */
void render_duration(struct text *t, int64_t ms);

/* Appends an event as one line with its newline. @clock: its local time of day, as text. */
void render_report(struct text *t, const struct report *r, const char *clock, bool colour);

#endif
