/* SPDX-License-Identifier: ISC */
/*
 * screen: the story as a picture: on a terminal a frame that is redrawn in place, elsewhere lines
 * as things happen. What the frame looks like is pure text; only screen_show() writes.
 */
#ifndef HA_CLI_DEMO_SCREEN_H
#define HA_CLI_DEMO_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "cli/demo/story.h"

#define FRAME_MAX     (128 * 1024)
#define FRAME_COLUMNS 80 /* what a frame needs */
#define FRAME_ROWS    23

struct screen {
	bool live; /* a frame that is redrawn; else lines */
	bool colour;
	unsigned drawn;   /* lines of the frame on the terminal */
	size_t told;      /* events already printed as lines */
	int results_told; /* likewise */
};

struct frame {
	unsigned columns;
	unsigned event_lines;
	bool whole; /* the rows show the whole story, not the last seconds */
	bool colour;
	int64_t now_ns;
};

/* Decides from the terminal how to show things; @plain: without escape sequences in any case. */
struct screen screen_open(bool plain);

/* Shows what is new. @last: once, at the end. */
void screen_show(struct screen *screen, const struct story *s, bool last);

/* Appends a frame. */
void frame_draw(struct text *t, const struct story *s, const struct frame *f);

/* Appends the line of a finished step's result, with its newline. */
void frame_draw_result(struct text *t, const struct story *s, int step, bool colour);

#endif
