/* SPDX-License-Identifier: ISC */
#include "conf/diagnostics.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"

void diagnostics_init(struct conf_diagnostics *d)
{
	d->count = 0;
	d->omitted = 0;
}

void diagnostics_add(
	struct conf_diagnostics *d, unsigned line, const char *format, va_list arguments)
{
	size_t at = d->count;

	assert(d->count <= CONF_DIAGNOSTICS_MAX);
	while (at > 0 && d->list[at - 1].line > line)
		at--;
	if (d->count == CONF_DIAGNOSTICS_MAX)
		d->omitted++;
	else
		d->count++;
	if (at == CONF_DIAGNOSTICS_MAX)
		return;
	memmove(&d->list[at + 1], &d->list[at], (d->count - at - 1) * sizeof(d->list[0]));
	d->list[at].line = line;
	(void)vsnprintf(d->list[at].message, CONF_MESSAGE_SIZE, format, arguments);
}

struct quoted quote(const char *value)
{
	return quote_span((struct span){.bytes = value, .size = strlen(value)});
}

struct quoted quote_span(struct span value)
{
	static const char ellipsis[] = "...";
	struct quoted q;
	const size_t room = sizeof(q.text) - sizeof(ellipsis);
	size_t length = 0;

	for (; length < value.size && length < room; length++) {
		char byte = value.bytes[length];

		q.text[length] = byte >= ' ' && byte <= '~' ? byte : '?';
	}
	(void)text_copy(
		q.text + length, sizeof(q.text) - length, length < value.size ? ellipsis : "");
	return q;
}
