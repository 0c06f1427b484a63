/* SPDX-License-Identifier: ISC */
#include "sys/log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/clock.h"

#define MESSAGE_SIZE 1024
#define FIELDS_SIZE  256
#define LINE_SIZE    3072 /* less than what a pipe takes at once: PIPE_BUF */
/* A bucket of half the rate that fills in a second: at most the rate in any second. */
#define BUCKET_MAX (LOG_RATE_MAX / 2)
#define RESERVED   (BUCKET_MAX / 5) /* of it for warnings and errors */

enum log_target { LOG_TO_FILE, LOG_TO_JOURNAL, LOG_TO_TERMINAL };

/* The first three are set once by log_open(), before anything else runs. */
static const char *log_program = "ha";
static enum log_target log_target;
static int log_descriptor = STDERR_FILENO;
static unsigned long log_lost;    /* lines that nobody took, since the last one that was taken */
static unsigned long log_omitted; /* lines above the rate, likewise */
static int64_t log_filled;        /* billionths of lines in the bucket */
static ha_time log_filled_at;

/* sd-daemon(3): the variable names the device and inode that the journal gave us; standard error
 * may have been sent elsewhere since. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

void log_open(const char *program)
{
	int own;

	log_program = program;
	log_filled = BUCKET_MAX * NS_PER_S;
	log_filled_at = clock_now();
	if (is_journal())
		log_target = LOG_TO_JOURNAL;
	else if (isatty(STDERR_FILENO))
		log_target = LOG_TO_TERMINAL;
	if (log_target != LOG_TO_TERMINAL)
		return;
	tzset(); /* reads a file, which is perhaps forbidden later */
	/* A terminal that has room for a few bytes only would be waited for. */
	own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own >= 0)
		log_descriptor = own;
}

void log_rename(const char *program)
{
	log_program = program;
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

static const char *level_colour(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR: return "\033[1;31m";
	case LOG_LEVEL_WARNING: return "\033[33m";
	case LOG_LEVEL_NOTICE: return "\033[1m";
	case LOG_LEVEL_INFO: break;
	}
	return "";
}

/* A daemon that waits for whoever reads its log does not serve meanwhile. A pipe that is ready
 * takes a line of this size without waiting, pipe(7). */
static bool would_block(void)
{
	struct pollfd error = {.fd = log_descriptor, .events = POLLOUT};

	return poll(&error, 1, 0) == 0;
}

/* Whether the rate allows @count more. */
static bool has_turns(enum log_level level, int64_t count)
{
	int64_t reserve = level > LOG_LEVEL_WARNING ? RESERVED * NS_PER_S : 0;
	ha_time now = clock_now();
	int64_t passed_ns = time_between(log_filled_at, now);

	if (passed_ns > NS_PER_S)
		passed_ns = NS_PER_S;
	log_filled_at = now;
	log_filled += passed_ns * BUCKET_MAX;
	if (log_filled > BUCKET_MAX * NS_PER_S)
		log_filled = BUCKET_MAX * NS_PER_S;
	return log_filled >= reserve + count * NS_PER_S;
}

/* What a message holds may come from elsewhere: it must not end the line, nor its quotes. */
static bool is_clean(char c, bool quoted)
{
	if (quoted && (c == '"' || c == '\\'))
		return false;
	return (unsigned char)c >= 0x20 && c != 0x7f;
}

static void add_clean(struct text *t, const char *message, bool quoted)
{
	for (;;) {
		size_t clean = 0;

		while (is_clean(message[clean], quoted))
			clean++;
		text_add(t, "%.*s", (int)clean, message);
		message += clean;
		if (*message == '\0')
			return;
		if (is_clean(*message, false))
			text_add(t, "\\%c", *message);
		else
			text_add(t, "?");
		message++;
	}
}

static void add_for_terminal(
	struct text *t, enum log_level level, const char *fields, const char *message)
{
	int64_t wall_ms = clock_wall_ms();
	const time_t seconds = (time_t)(wall_ms / 1000);
	struct tm local = {0};

	(void)localtime_r(&seconds, &local);
	text_add(t, "\033[2m%02d:%02d:%02d.%03d %s\033[0m %s", local.tm_hour, local.tm_min,
		local.tm_sec, (int)(wall_ms % 1000), log_program, level_colour(level));
	add_clean(t, message, false);
	text_add(t, "\033[0m");
	if (*fields)
		text_add(t, "  \033[2m%s\033[0m", fields);
}

static void add_for_machines(
	struct text *t, enum log_level level, const char *fields, const char *message)
{
	if (log_target == LOG_TO_JOURNAL)
		text_add(t, "<%d>%s: ", level, log_program);
	else
		text_add(t, "%s: %s: ", log_program, level_word(level));
	text_add(t, "%s%smsg=\"", fields, *fields ? " " : "");
	add_clean(t, message, true);
	text_add(t, "\"");
}

/* One write per line, so that lines of two processes never mix. */
static void write_line(enum log_level level, const char *fields, const char *message)
{
	char line[LINE_SIZE + 1];
	struct text t = text_init(line, LINE_SIZE);
	ssize_t ignored;

	if (log_target == LOG_TO_TERMINAL)
		add_for_terminal(&t, level, fields, message);
	else
		add_for_machines(&t, level, fields, message);
	line[t.length] = '\n';
	ignored = write(log_descriptor, line, t.length + 1);
	(void)ignored;
}

/* Only if there is a turn left for @level afterwards as well. */
static void tell_left_out(enum log_level level, int64_t afterwards)
{
	char message[MESSAGE_SIZE];
	struct text t = text_init(message, sizeof(message));

	if (log_lost + log_omitted == 0 || !has_turns(level, 1 + afterwards) || would_block())
		return;
	log_filled -= NS_PER_S;
	if (log_lost > 0)
		text_add(&t, "%lu lines are missing here: nobody read them in time", log_lost);
	if (log_omitted > 0)
		text_add(&t, "%s%lu lines were left out here: there are %d a second at most",
			log_lost > 0 ? "; " : "", log_omitted, LOG_RATE_MAX);
	write_line(LOG_LEVEL_WARNING, "event=log", message);
	log_lost = log_omitted = 0;
}

void log_tend(void)
{
	tell_left_out(LOG_LEVEL_INFO, 0);
}

bool log_is_full(enum log_level level)
{
	if (has_turns(level, 1))
		return false;
	log_omitted++;
	return true;
}

static void log_message(
	enum log_level level, const char *fields, const char *format, va_list arguments)
{
	char message[MESSAGE_SIZE];

	if (log_is_full(level))
		return;
	tell_left_out(level, 1); /* which may have taken the last room */
	if (would_block()) {
		log_lost++;
		return;
	}
	log_filled -= NS_PER_S;
	vsnprintf(message, sizeof(message), format, arguments);
	write_line(level, fields, message);
}

void log_line_v(enum log_level level, const char *format, va_list arguments)
{
	log_message(level, "", format, arguments);
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_line_v(level, format, arguments);
	va_end(arguments);
}

void log_event(enum log_level level, const char *fields, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_message(level, fields, format, arguments);
	va_end(arguments);
}

void log_group(enum log_level level, const char *event, const char *group, const char *format, ...)
{
	char fields[FIELDS_SIZE];
	struct text t = text_init(fields, sizeof(fields));
	va_list arguments;

	text_add(&t, "event=%s group=%s", event, group);
	va_start(arguments, format);
	log_message(level, fields, format, arguments);
	va_end(arguments);
}
