/* SPDX-License-Identifier: ISC */
/*
 * lines: the bytes of a configuration file, cut into numbered lines without comments and without
 * blanks at either end. Bytes are whatever somebody put into the file; nothing here assumes a
 * terminating zero, a final newline or text at all.
 */
#ifndef HA_CONF_LINES_H
#define HA_CONF_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* A piece of the file; borrowed, not terminated. */
struct span {
	const char *bytes;
	size_t size;
};

struct lines {
	struct span rest;
	unsigned number; /* of the line taken last; the first line is 1 */
};

/* Starts before the first line of @size bytes (borrowed); skips a byte order mark. */
struct lines lines_init(const char *bytes, size_t size);

/* Takes the next line, without its LF or CR LF. False if there is none. */
bool lines_next(struct lines *l, struct span *ret_line);

/* @s without the spaces and tabs at both ends. */
struct span span_trim(struct span s);

/* @s without its comment: all of it if its first byte that is not blank is # or ;, otherwise from a
 * ; that follows a blank. */
struct span span_without_comment(struct span s);

/* The first byte of @s that no text file contains: a control character other than the tab. -1 if
 * there is none. */
int span_control_character(struct span s);

/* Offset of the first @byte in @s, or @s.size. */
size_t span_find(struct span s, char byte);

#endif
