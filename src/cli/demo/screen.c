/* SPDX-License-Identifier: ISC */
#include "cli/demo/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/style.h"
#include "sys/clock.h"

#define LABEL_WIDTH        17
#define CELL_NS            (50 * NS_PER_MS)
#define LAG_NS             (50 * NS_PER_MS) /* requests and events younger than this may still change */
#define FIXED_LINES        (12 + STEPS)     /* of a frame without its events */
#define LEGEND             " a b g: holds it  -: standby  .: no daemon  x: cut off, no answer  !: lost some"
#define EVENT_PREFIX_WIDTH 19 /* time and server */
#define EVENTS_SHOWN_MAX   12

struct screen screen_open(bool plain)
{
	struct winsize size = {0};
	const bool terminal = !plain && isatty(STDOUT_FILENO) &&
			      ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
			      size.ws_col >= FRAME_COLUMNS && size.ws_row >= FRAME_ROWS;

	return (struct screen){.live = terminal, .colour = !plain && colour_wanted(STDOUT_FILENO)};
}

static double seconds(int64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

/* @string, cut to @width columns at most. Events may hold foreign text. */
static void add_cut(struct text *t, const char *string, unsigned width)
{
	char clean[2 * EVENT_TEXT_SIZE];
	struct text written = text_init(clean, sizeof(clean));
	size_t size = 0, columns = 0;

	text_add_foreign(&written, string);
	while (clean[size]) {
		columns += ((unsigned char)clean[size] & 0xc0) != 0x80;
		if (columns > width)
			break;
		size++;
	}
	text_add(t, "%.*s", (int)size, clean);
}

static void draw_title(struct text *t, const struct story *s, bool colour)
{
	text_add(t, "%s3 servers share %s and %s%s: interval %g ms, tolerance %g ms\n",
		colour_on(colour, COLOUR_BOLD), CAST_SHARED_V4, CAST_SHARED_V6, colour_off(colour),
		s->interval_ms, (double)s->tolerance_ns / (double)NS_PER_MS);
}

static struct span frame_span(const struct story *s, const struct frame *f)
{
	const unsigned cells = f->columns - LABEL_WIDTH - 1;
	const int64_t until_ns = f->now_ns - LAG_NS, shown_ns = until_ns - s->begin_ns;
	struct span span = {
		.begin_ns = s->begin_ns, .cell_ns = CELL_NS, .until_ns = until_ns, .cells = cells};

	if (shown_ns <= cells * CELL_NS)
		return span;
	if (f->whole)
		span.cell_ns = shown_ns / cells;
	else /* whole cells, so that they do not change while they move */
		span.begin_ns += (shown_ns / CELL_NS - cells) * CELL_NS;
	return span;
}

static void draw_rows(struct text *t, const struct story *s, const struct frame *f)
{
	static const char *const CLIENT_LABEL[FAMILIES] = {"client IPv4", "client IPv6"};
	const struct span span = frame_span(s, f);

	for (int i = 0; i < SERVERS; i++) {
		text_add(t, " %-5s worth %-4s", CAST[i].name, CAST[i].worth);
		timeline_lane(t, &s->lanes[i], i, span, f->colour);
		text_add(t, "\n");
	}
	for (int i = 0; i < FAMILIES; i++) {
		text_add(t, " %-*s", LABEL_WIDTH - 1, CLIENT_LABEL[i]);
		timeline_client(t, probe_requests(s->log, i), span, f->colour);
		text_add(t, "\n");
	}
	text_add(t, "%s%*s", colour_on(f->colour, COLOUR_DIM), LABEL_WIDTH, "");
	timeline_ruler(t, span, s->begin_ns);
	text_add(t, "%s\n%s%s%s\n", colour_off(f->colour), colour_on(f->colour, COLOUR_DIM), LEGEND,
		colour_off(f->colour));
}

static void draw_event(
	struct text *t, const struct story *s, const struct event *e, unsigned columns, bool colour)
{
	text_add(t, " %s%7.3f s%s  ", colour_on(colour, COLOUR_DIM),
		seconds(e->at_ns - s->begin_ns), colour_off(colour));
	if (e->server == NOBODY)
		text_add(t, "%s", colour_on(colour, COLOUR_BOLD));
	else
		text_add(t, "%s%-5s%s %s", timeline_colour(colour, e->server), CAST[e->server].name,
			colour_off(colour), colour_on(colour && e->alarming, COLOUR_YELLOW));
	add_cut(t, e->text, columns - EVENT_PREFIX_WIDTH);
	text_add(t, "%s\n", colour_off(colour));
}

static void draw_events(struct text *t, const struct story *s, const struct frame *f)
{
	for (unsigned i = 0; i < f->event_lines; i++) {
		const size_t missing = f->event_lines - i;

		if (missing <= s->event_count)
			draw_event(t, s, story_event(s, s->event_count - missing), f->columns,
				f->colour);
		else
			text_add(t, "\n");
	}
}

static void add_expectation(struct text *t, const struct story *s, enum expectation expectation)
{
	const double ms = (double)story_allowance_ns(s, expectation) / (double)NS_PER_MS;

	if (expectation == EXPECT_NOTHING)
		text_add(t, "none");
	else if (expectation != EXPECT_ANYTHING)
		text_add(t, "<= %g ms", ms);
}

/* An outage longer than @allowance_ns is marked. */
static void add_outage(struct text *t, const struct outage *o, int64_t allowance_ns, bool colour)
{
	const bool marked = colour && o->longest_ns > allowance_ns;
	char buffer[64];
	struct text cell = text_init(buffer, sizeof(buffer));

	if (o->lost == 0)
		text_add(&cell, "   none");
	else
		text_add(&cell, "%4.0f ms (%zu)", (double)o->longest_ns / (double)NS_PER_MS,
			o->lost);
	text_add(t, " %s%-13s%s", colour_on(marked, COLOUR_YELLOW), buffer, colour_off(marked));
}

static const char *name_of(int server)
{
	return server == NOBODY ? "-" : CAST[server].name;
}

void frame_draw_result(struct text *t, const struct story *s, int step, bool colour)
{
	const struct result *r = &s->results[step];

	text_add(t, " %-25s%s%-5s -> %-5s%s", STORY[step].title,
		colour_on(colour && !r->good, COLOUR_RED), name_of(r->before), name_of(r->after),
		colour_off(colour && !r->good));
	for (int i = 0; i < FAMILIES; i++) {
		if (STORY[step].expectation != EXPECT_ANYTHING)
			add_outage(t, &r->outage[i], story_allowance_ns(s, STORY[step].expectation),
				colour);
	}
	text_add(t, " ");
	if (r->good)
		add_expectation(t, s, STORY[step].expectation);
	else
		text_add(t, "%swant %s%s", colour_on(colour, COLOUR_RED),
			name_of(STORY[step].holder), colour_off(colour));
	text_add(t, "\n");
}

static void draw_results(struct text *t, const struct story *s, bool colour)
{
	text_add(t, "%s %-25s%-14s   %-11s   %-11s %s%s\n", colour_on(colour, COLOUR_BOLD),
		"what is done", "holder", "IPv4 (lost)", "IPv6 (lost)", "expected",
		colour_off(colour));
	for (int i = 0; i < STEPS; i++) {
		if (i < s->step)
			frame_draw_result(t, s, i, colour);
		else
			text_add(t, "%s %s%s\n",
				colour_on(colour, i == s->step ? COLOUR_CYAN : COLOUR_DIM),
				STORY[i].title, colour_off(colour));
	}
}

void frame_draw(struct text *t, const struct story *s, const struct frame *f)
{
	draw_title(t, s, f->colour);
	text_add(t, "\n");
	draw_rows(t, s, f);
	text_add(t, "\n");
	draw_events(t, s, f);
	if (f->event_lines > 0)
		text_add(t, "\n");
	draw_results(t, s, f->colour);
}

/* Writes @frame over the one before: up to its first line, and each line cleared behind its text.
 */
static void redraw(struct screen *screen, const char *frame)
{
	unsigned lines = 0;

	if (screen->drawn > 0)
		printf("\033[%uA\r", screen->drawn);
	for (const char *line = frame, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		printf("%.*s\033[K\n", (int)(end - line), line);
		lines++;
	}
	printf("\033[J");
	screen->drawn = lines;
}

/* As many event lines as the terminal has room for. */
static struct frame live_frame(const struct screen *screen, bool last)
{
	struct winsize size = {0};
	struct frame f = {.columns = FRAME_COLUMNS,
		.colour = screen->colour,
		.whole = last,
		.now_ns = clock_now().ns};
	unsigned rows = FRAME_ROWS;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
		f.columns = size.ws_col > FRAME_COLUMNS ? size.ws_col : FRAME_COLUMNS;
		rows = size.ws_row > FRAME_ROWS ? size.ws_row : FRAME_ROWS;
	}
	f.event_lines = rows - FIXED_LINES - 1;
	if (f.event_lines > EVENTS_SHOWN_MAX)
		f.event_lines = EVENTS_SHOWN_MAX;
	return f;
}

/* Everything that has not been printed yet, as lines; the picture of the whole at the end. */
static void show_lines(struct screen *screen, const struct story *s, struct text *t, bool last)
{
	if (screen->told == 0 && s->event_count > 0)
		draw_title(t, s, screen->colour);
	for (; screen->told < (last ? s->event_count : s->event_settled); screen->told++)
		draw_event(t, s, story_event(s, screen->told), EVENT_TEXT_SIZE, screen->colour);
	for (; screen->results_told < s->step; screen->results_told++) {
		text_add(t, " =");
		frame_draw_result(t, s, screen->results_told, screen->colour);
	}
	if (last) {
		const struct frame f = {.columns = FRAME_COLUMNS,
			.colour = screen->colour,
			.whole = true,
			.now_ns = clock_now().ns};

		text_add(t, "\n");
		frame_draw(t, s, &f);
	}
	fputs(t->bytes, stdout);
}

void screen_show(struct screen *screen, const struct story *s, bool last)
{
	char *buffer = malloc(FRAME_MAX);
	struct text text;

	if (!buffer)
		return;
	text = text_init(buffer, FRAME_MAX);
	if (screen->live) {
		const struct frame f = live_frame(screen, last);

		frame_draw(&text, s, &f);
		redraw(screen, buffer);
	} else {
		show_lines(screen, s, &text, last);
	}
	(void)fflush(stdout);
	free(buffer);
}
