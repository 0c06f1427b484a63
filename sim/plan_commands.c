/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>

#include "base/assert.h"
#include "sim/plan.h"

void plan_add(struct plan_commands *c, const char *format, ...)
{
	va_list arguments;

	assert(c->count < PLAN_COMMANDS_MAX);
	va_start(arguments, format);
	vsnprintf(c->list[c->count++], PLAN_COMMAND_SIZE, format, arguments);
	va_end(arguments);
}
