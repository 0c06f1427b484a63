/* SPDX-License-Identifier: ISC */
#include "cli/demo/timeline.h"

#include <inttypes.h>

#include "base/assert.h"
#include "base/time.h"

#define RULER_NUMBER_WIDTH 8 /* cells that a mark with its number needs, with a gap */

/* Black letters on a ground of its own for each server; colours of the 256 that terminals share. */
static const char *const SERVER_GROUND[SERVERS] = {
	[ALPHA] = "\033[30;48;5;75m",
	[BETA] = "\033[30;48;5;179m",
	[GAMMA] = "\033[30;48;5;140m",
};
#define LOST_GROUND "\033[97;48;5;160m"
#define PLAIN       "\033[0m"
#define FAINT       "\033[2m"

const char *timeline_colour(bool wanted, int server)
{
	assert(server >= 0 && server < SERVERS);
	return wanted ? SERVER_GROUND[server] : "";
}

static struct lane_change lane_last(const struct lane *lane)
{
	return lane->count > 0 ? lane->changes[lane->count - 1] : (struct lane_change){0};
}

static void lane_add(struct lane *lane, struct lane_change change)
{
	const int64_t last_ns = lane_last(lane).at_ns;

	if (lane->count > 0 && change.at_ns < last_ns)
		change.at_ns = last_ns;
	if (lane->count < LANE_MAX)
		lane->count++;
	lane->changes[lane->count - 1] = change;
}

void lane_set_state(struct lane *lane, int64_t at_ns, enum lane_state state)
{
	assert(state < LANE_STATES);
	lane_add(lane, (struct lane_change){at_ns, state, lane_last(lane).cut});
}

void lane_set_cut(struct lane *lane, int64_t at_ns, bool cut)
{
	lane_add(lane, (struct lane_change){at_ns, lane_last(lane).state, cut});
}

/* What was the case just before @time_ns. */
static struct lane_change lane_at(const struct lane *lane, int64_t time_ns)
{
	struct lane_change found = {0};

	for (size_t i = 0; i < lane->count && lane->changes[i].at_ns < time_ns; i++)
		found = lane->changes[i];
	return found;
}

/* A cell: its letter and its look. Cells of one look are drawn with one escape sequence. */
struct cell {
	char letter;
	const char *look;
};

static void add_cell(struct text *t, struct cell cell, const char **look, bool colour)
{
	if (colour && cell.look != *look) {
		text_add(t, "%s%s", PLAIN, cell.look);
		*look = cell.look;
	}
	text_add(t, "%c", cell.letter);
}

static int64_t cell_end(struct span span, unsigned index)
{
	return span.begin_ns + (int64_t)(index + 1) * span.cell_ns;
}

static struct cell lane_cell(struct lane_change change, int server)
{
	if (change.cut)
		return (struct cell){'x', FAINT};
	switch (change.state) {
	case LANE_ACTIVE: return (struct cell){CAST[server].name[0], SERVER_GROUND[server]};
	case LANE_STANDBY: return (struct cell){'-', FAINT};
	case LANE_DOWN:
	case LANE_STATES: break;
	}
	return (struct cell){'.', FAINT};
}

void timeline_lane(
	struct text *t, const struct lane *lane, int server, struct span span, bool colour)
{
	const char *look = "";

	for (unsigned i = 0; i < span.cells && cell_end(span, i) <= span.until_ns; i++)
		add_cell(t, lane_cell(lane_at(lane, cell_end(span, i)), server), &look, colour);
	text_add(t, "%s", colour ? PLAIN : "");
}

static struct cell client_cell(struct requests range)
{
	size_t answers[SERVERS] = {0}, lost = 0;
	int most = ALPHA;

	for (size_t i = 0; i < range.count; i++) {
		int server = __atomic_load_n(&range.first[i].server, __ATOMIC_ACQUIRE);

		if (server == NOBODY)
			lost++;
		else
			answers[server]++;
	}
	for (int i = 0; i < SERVERS; i++) {
		if (answers[i] > answers[most])
			most = i;
	}
	if (range.count == 0)
		return (struct cell){' ', ""};
	if (answers[most] == 0)
		return (struct cell){'x', LOST_GROUND};
	return (struct cell){
		lost > 0 ? '!' : CAST[most].name[0], lost > 0 ? LOST_GROUND : SERVER_GROUND[most]};
}

/* When the first request was answered; the end of time if none was. */
static int64_t first_answer_ns(struct requests requests)
{
	for (size_t i = 0; i < requests.count; i++) {
		if (__atomic_load_n(&requests.first[i].server, __ATOMIC_ACQUIRE) != NOBODY)
			return requests.first[i].sent_ns;
	}
	return TIME_NEVER.ns;
}

void timeline_client(struct text *t, struct requests requests, struct span span, bool colour)
{
	const int64_t first_ns = first_answer_ns(requests);
	const char *look = "";

	for (unsigned i = 0; i < span.cells && cell_end(span, i) <= span.until_ns; i++) {
		const int64_t end_ns = cell_end(span, i);

		const int64_t begin_ns = end_ns - span.cell_ns;

		/* Before somebody served for the first time nothing was lost. */
		if (end_ns <= first_ns)
			add_cell(t, (struct cell){'.', FAINT}, &look, colour);
		else
			add_cell(t,
				client_cell(outage_between(requests,
					begin_ns < first_ns ? first_ns : begin_ns, end_ns)),
				&look, colour);
	}
	text_add(t, "%s", colour ? PLAIN : "");
}

/* The shortest of a few round distances whose marks do not touch each other. */
static int64_t mark_distance_ns(struct span span)
{
	static const int64_t SECONDS[] = {1, 2, 5, 10, 20, 30, 60};
	int64_t distance_ns = 0;

	for (size_t i = 0; i < sizeof(SECONDS) / sizeof(SECONDS[0]); i++) {
		distance_ns = SECONDS[i] * NS_PER_S;
		if (distance_ns / span.cell_ns >= RULER_NUMBER_WIDTH)
			break;
	}
	return distance_ns;
}

void timeline_ruler(struct text *t, struct span span, int64_t origin_ns)
{
	const int64_t distance_ns = mark_distance_ns(span);
	int64_t mark_ns = origin_ns;
	unsigned column = 0;

	while (mark_ns < span.begin_ns)
		mark_ns += distance_ns;
	for (; mark_ns < span.begin_ns + span.cells * span.cell_ns; mark_ns += distance_ns) {
		unsigned at = (unsigned)((mark_ns - span.begin_ns) / span.cell_ns);
		size_t before = t->length;

		if (at + RULER_NUMBER_WIDTH > span.cells)
			break;
		text_add(t, "%*s|%" PRId64 " s", (int)(at - column), "",
			(mark_ns - origin_ns) / NS_PER_S);
		column += (unsigned)(t->length - before);
	}
}
