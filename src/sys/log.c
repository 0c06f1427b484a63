/* SPDX-License-Identifier: ISC */
#include "sys/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_SIZE 1024

/* The first two are set once by log_open(), before anything else runs. */
static const char *log_program = "ha";
static bool log_to_journal;
static unsigned long log_lost; /* lines that nobody took, since the last one that was taken */

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

/* A daemon that waits for whoever reads its log does not serve meanwhile. A pipe that is ready
 * takes a line of this size without waiting, pipe(7). */
static bool would_block(void)
{
	struct pollfd error = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&error, 1, 0) == 0;
}

static size_t add_head(char line[LINE_SIZE], enum log_level level)
{
	int head;

	if (log_to_journal)
		head = snprintf(line, LINE_SIZE, "<%d>%s: ", level, log_program);
	else
		head = snprintf(line, LINE_SIZE, "%s: %s: ", log_program, level_word(level));
	return head > 0 ? (size_t)head : 0;
}

/* One write per line, so that lines of two processes never mix. */
static void write_line(char line[LINE_SIZE], size_t length)
{
	ssize_t ignored;

	if (length > LINE_SIZE - 1)
		length = LINE_SIZE - 1;
	line[length++] = '\n';
	ignored = write(STDERR_FILENO, line, length);
	(void)ignored;
}

static void tell_lost(void)
{
	char line[LINE_SIZE];
	size_t head = add_head(line, LOG_LEVEL_WARNING);
	int body = snprintf(line + head, LINE_SIZE - head,
		"%lu lines are missing here: nobody read them in time", log_lost);

	write_line(line, head + (size_t)body);
	log_lost = 0;
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[LINE_SIZE];
	size_t head = add_head(line, level);
	va_list arguments;
	int body;

	va_start(arguments, format);
	body = vsnprintf(line + head, LINE_SIZE - head, format, arguments);
	va_end(arguments);
	if (body < 0)
		return;
	if (would_block()) {
		log_lost++;
		return;
	}
	if (log_lost > 0)
		tell_lost();
	write_line(line, head + (size_t)body);
}
