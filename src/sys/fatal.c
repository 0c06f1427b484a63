/* SPDX-License-Identifier: ISC */
#include "sys/fatal.h"

#include <stdarg.h>
#include <stdlib.h>

#include "sys/log.h"
#include "sys/scheduling.h"

void fatal(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_line_v(LOG_LEVEL_ERROR, format, arguments);
	va_end(arguments);
	scheduling_make_ordinary();
	exit(EXIT_FAILURE);
}
