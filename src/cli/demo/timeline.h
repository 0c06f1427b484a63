/* SPDX-License-Identifier: ISC */
/*
 * timeline: time as a row of cells. A lane is the history of one server; the client's rows come
 * from its requests. A cell is a letter on a coloured ground, so that it reads without colours too.
 * Pure.
 */
#ifndef HA_CLI_DEMO_TIMELINE_H
#define HA_CLI_DEMO_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "cli/demo/outage.h"

enum lane_state {
	LANE_DOWN, /* no daemon */
	LANE_STANDBY,
	LANE_ACTIVE,
	LANE_STATES,
};

#define LANE_MAX 256 /* changes; later ones overwrite the last */

struct lane {
	size_t count;
	struct lane_change {
		int64_t at_ns;
		enum lane_state state;
		bool cut; /* the cable is cut */
	} changes[LANE_MAX];
};

/* Told in the order of time, but for a small disorder between sources: an older one counts from the
 * last change on. */
void lane_set_state(struct lane *lane, int64_t at_ns, enum lane_state state);
void lane_set_cut(struct lane *lane, int64_t at_ns, bool cut);

/* What a row shows: from when, how long a cell is, how many of them, and up to when it is known. */
struct span {
	int64_t begin_ns;
	int64_t cell_ns;
	int64_t until_ns;
	unsigned cells;
};

/* Appends the row of @server: its letter where it is ACTIVE, "-" where STANDBY, "x" where its cable
 * is cut, "." where there is no daemon. */
void timeline_lane(
	struct text *t, const struct lane *lane, int server, struct span span, bool colour);

/* Appends a row of the client: the letter of who answered, "x" where nobody did, "!" where some
 * requests were lost. */
void timeline_client(struct text *t, struct requests requests, struct span span, bool colour);

/* Appends a ruler: a mark and a number at each whole second (or two, five, ten) since @origin_ns.
 */
void timeline_ruler(struct text *t, struct span span, int64_t origin_ns);

/* The ground that a server has in all rows, as an escape sequence; "" if not @wanted. */
const char *timeline_colour(bool wanted, int server);

#endif
