/* SPDX-License-Identifier: ISC */
/*
 * diagnostics: collects what is wrong in a configuration, sorted by line, in a list of fixed size.
 */
#ifndef HA_CONF_DIAGNOSTICS_H
#define HA_CONF_DIAGNOSTICS_H

#include <stdarg.h>

#include "conf/conf.h"
#include "conf/lines.h"

void diagnostics_init(struct conf_diagnostics *d);

/* Inserts a message behind those of the same and of earlier lines. When the list is full the one of
 * the last line is dropped and counted. */
__attribute__((format(printf, 3, 0))) void diagnostics_add(
	struct conf_diagnostics *d, unsigned line, const char *format, va_list arguments);

/* A piece of the file as it may stand in a message: cut, and what a terminal should not get
 * (control characters, broken UTF-8) replaced by question marks. Used as quote(value).text in a
 * call. */
struct quoted {
	char text[48];
};
struct quoted quote(const char *value);
struct quoted quote_span(struct span value);

#endif
