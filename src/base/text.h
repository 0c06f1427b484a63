/* SPDX-License-Identifier: ISC */
/*
 * text: a bounded string that grows at its end and never overruns; what does not fit is cut.
 */
#ifndef HA_BASE_TEXT_H
#define HA_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; /* borrowed; always terminated */
	size_t size; /* room, with the terminating zero */
	size_t length;
};

/* Starts an empty text in @bytes of @size (at least 1). */
struct text text_init(char *bytes, size_t size);
__attribute__((format(printf, 2, 3))) void text_add(struct text *t, const char *format, ...);

/* Copies @source into @destination of @size and terminates it. False if it did not fit (it is cut).
 */
bool text_copy(char *destination, size_t size, const char *source);

/**
 * text_split - the words of a line, between blanks (blank, tab)
 * @line:      is cut into them: they are parts of it
 * @ret_words: room for @max words and the NULL behind the last one
 *
 * Return: how many there are; what is behind the @max-th is left out.
 */
size_t text_split(char *line, char **ret_words, size_t max);

#endif
