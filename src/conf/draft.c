/* SPDX-License-Identifier: ISC */
#include "conf/draft.h"

#include <stdarg.h>

#include "conf/diagnostics.h"

void draft_complain(struct draft *d, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	diagnostics_add(d->diagnostics, d->line, format, arguments);
	va_end(arguments);
}

void draft_complain_at(struct draft *d, unsigned line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	diagnostics_add(d->diagnostics, line, format, arguments);
	va_end(arguments);
}
