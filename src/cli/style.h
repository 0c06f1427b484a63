/* SPDX-License-Identifier: ISC */
/*
 * style: what may be written to a terminal: colours where they are wanted, and strings from
 * elsewhere (a peer's name came from the network) without the control characters that a terminal
 * obeys.
 */
#ifndef HA_CLI_STYLE_H
#define HA_CLI_STYLE_H

#include <stdbool.h>

#include "base/text.h"

enum colour {
	COLOUR_NONE,
	COLOUR_GREEN,
	COLOUR_YELLOW,
	COLOUR_RED,
	COLOUR_CYAN,
	COLOUR_DIM,
	COLOUR_BOLD
};

/* The escape sequence that begins @colour; "" for COLOUR_NONE or if not @wanted. */
const char *colour_on(bool wanted, enum colour colour);
/* The one that ends any; "" if not @wanted. */
const char *colour_off(bool wanted);

/* True if @descriptor is a terminal that shows colours and NO_COLOR (no-color.org) is not set. */
bool colour_wanted(int descriptor);

/* Appends @string, which may hold anything: control characters, the C1 ones (U+0080..9F),
 * characters that turn the direction of writing, and what is not UTF-8 become '?'. */
void text_add_foreign(struct text *t, const char *string);

/* Prints @line and a newline on standard output: unchanged, but on a terminal as text_add_foreign()
 * writes it. */
void print_foreign_line(const char *line);

#endif
