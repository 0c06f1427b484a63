/* SPDX-License-Identifier: ISC */
#include "conf/lines.h"

#include <string.h>

static const char BYTE_ORDER_MARK[3] = {'\xef', '\xbb', '\xbf'};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

struct lines lines_init(const char *bytes, size_t size)
{
	struct lines l = {.rest = {.bytes = bytes, .size = size}};

	if (size >= sizeof(BYTE_ORDER_MARK) &&
		memcmp(bytes, BYTE_ORDER_MARK, sizeof(BYTE_ORDER_MARK)) == 0) {
		l.rest.bytes += sizeof(BYTE_ORDER_MARK);
		l.rest.size -= sizeof(BYTE_ORDER_MARK);
	}
	return l;
}

bool lines_next(struct lines *l, struct span *ret_line)
{
	size_t size, taken;

	if (l->rest.size == 0)
		return false;
	size = span_find(l->rest, '\n');
	taken = size < l->rest.size ? size + 1 : size;
	if (size > 0 && l->rest.bytes[size - 1] == '\r')
		size--;
	*ret_line = (struct span){.bytes = l->rest.bytes, .size = size};
	l->rest.bytes += taken;
	l->rest.size -= taken;
	l->number++;
	return true;
}

struct span span_trim(struct span s)
{
	while (s.size > 0 && is_blank(s.bytes[0])) {
		s.bytes++;
		s.size--;
	}
	while (s.size > 0 && is_blank(s.bytes[s.size - 1]))
		s.size--;
	return s;
}

struct span span_without_comment(struct span s)
{
	struct span trimmed = span_trim(s);

	if (trimmed.size > 0 && (trimmed.bytes[0] == '#' || trimmed.bytes[0] == ';'))
		return (struct span){.bytes = s.bytes};
	for (size_t i = 1; i < s.size; i++) {
		if (s.bytes[i] == ';' && is_blank(s.bytes[i - 1]))
			return (struct span){.bytes = s.bytes, .size = i};
	}
	return s;
}

int span_control_character(struct span s)
{
	for (size_t i = 0; i < s.size; i++) {
		unsigned char byte = (unsigned char)s.bytes[i];

		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			return byte;
	}
	return -1;
}

size_t span_find(struct span s, char byte)
{
	const char *found = s.size > 0 ? memchr(s.bytes, byte, s.size) : NULL;

	return found ? (size_t)(found - s.bytes) : s.size;
}
