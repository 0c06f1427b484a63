/* SPDX-License-Identifier: ISC */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

struct text text_init(char *bytes, size_t size)
{
	assert(size > 0);
	bytes[0] = '\0';
	return (struct text){.bytes = bytes, .size = size};
}

void text_add(struct text *t, const char *format, ...)
{
	va_list arguments;
	int written;

	assert(t->length < t->size);
	va_start(arguments, format);
	written = vsnprintf(t->bytes + t->length, t->size - t->length, format, arguments);
	va_end(arguments);
	if (written > 0)
		t->length += (size_t)written;
	if (t->length >= t->size)
		t->length = t->size - 1;
}

bool text_copy(char *destination, size_t size, const char *source)
{
	size_t length = strlen(source);
	bool fits = length < size;

	assert(size > 0);
	if (!fits)
		length = size - 1;
	memcpy(destination, source, length);
	destination[length] = '\0';
	return fits;
}

size_t text_split(char *line, char **ret_words, size_t max)
{
	static const char blanks[] = " \t";
	size_t count = 0;

	for (line += strspn(line, blanks); *line && count < max; line += strspn(line, blanks)) {
		ret_words[count++] = line;
		line += strcspn(line, blanks);
		if (*line)
			*line++ = '\0';
	}
	ret_words[count] = NULL;
	return count;
}
