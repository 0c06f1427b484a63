/* SPDX-License-Identifier: ISC */
#include "cli/style.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"

static const char *const COLOURS[] = {
	[COLOUR_NONE] = "",
	[COLOUR_GREEN] = "\033[1;32m",
	[COLOUR_YELLOW] = "\033[33m",
	[COLOUR_RED] = "\033[1;31m",
	[COLOUR_CYAN] = "\033[36m",
	[COLOUR_DIM] = "\033[2m",
	[COLOUR_BOLD] = "\033[1m",
};

const char *colour_on(bool wanted, enum colour colour)
{
	assert((size_t)colour < sizeof(COLOURS) / sizeof(COLOURS[0]));
	return wanted ? COLOURS[colour] : "";
}

const char *colour_off(bool wanted)
{
	return wanted ? "\033[0m" : "";
}

bool colour_wanted(int descriptor)
{
	const char *no_color = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return isatty(descriptor) && (!no_color || !*no_color) && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

/* Size of the UTF-8 sequence at @bytes (RFC 3629) and its character; 0 if it is none. */
static size_t utf8_decode(const char *bytes, uint32_t *ret_character)
{
	const unsigned char first = (unsigned char)bytes[0];
	const size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	static const uint32_t SMALLEST[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t character = size == 1 ? first : first & (0xffu >> (size + 1));

	if ((first >= 0x80 && first < 0xc2) || first > 0xf4)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if (((unsigned char)bytes[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | ((unsigned char)bytes[i] & 0x3f);
	}
	if (character < SMALLEST[size] || character > 0x10ffff ||
		(character >= 0xd800 && character <= 0xdfff))
		return 0;
	*ret_character = character;
	return size;
}

static bool is_harmless(uint32_t character)
{
	if (character < 0x20 || (character >= 0x7f && character <= 0x9f))
		return false;
	/* Bidirectional overrides and isolates (Unicode UAX 9), line and paragraph separators. */
	return !(character >= 0x2028 && character <= 0x202e) &&
	       !(character >= 0x2066 && character <= 0x2069) && character != 0x200e &&
	       character != 0x200f;
}

void text_add_foreign(struct text *t, const char *string)
{
	while (*string) {
		uint32_t character;
		size_t size = utf8_decode(string, &character);

		if (size > 0 && is_harmless(character))
			text_add(t, "%.*s", (int)size, string);
		else
			text_add(t, "?");
		string += size > 0 ? size : 1;
	}
}

void print_foreign_line(const char *line)
{
	const size_t size = strlen(line) + 1; /* replacing makes nothing longer */
	char *buffer = isatty(STDOUT_FILENO) ? malloc(size) : NULL;

	if (buffer) {
		struct text text = text_init(buffer, size);

		text_add_foreign(&text, line);
	}
	if (buffer || !isatty(STDOUT_FILENO))
		puts(buffer ? buffer : line);
	free(buffer);
}
