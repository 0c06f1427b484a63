/* SPDX-License-Identifier: ISC */
#include "sys/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_SIZE 1024

/* Set once by log_open(), before anything else runs. */
static const char *log_program = "ha";
static bool log_to_journal;

void log_open(const char *program)
{
	log_program = program;
	log_to_journal = getenv("JOURNAL_STREAM") != NULL;
}

static const char *level_word(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR: return "error";
	case LOG_LEVEL_WARNING: return "warning";
	case LOG_LEVEL_NOTICE: return "notice";
	case LOG_LEVEL_INFO: return "info";
	}
	return "?";
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;
	int head, body;

	if (log_to_journal)
		head = snprintf(line, sizeof(line), "<%d>%s: ", level, log_program);
	else
		head = snprintf(line, sizeof(line), "%s: %s: ", log_program, level_word(level));
	va_start(arguments, format);
	body = vsnprintf(line + head, sizeof(line) - (size_t)head, format, arguments);
	va_end(arguments);
	if (body < 0)
		return;
	size_t length = (size_t)head + (size_t)body;
	if (length > sizeof(line) - 1)
		length = sizeof(line) - 1;
	line[length++] = '\n'; /* one write per line, so that lines of two processes never mix */
	ssize_t ignored = write(STDERR_FILENO, line, length);
	(void)ignored;
}
