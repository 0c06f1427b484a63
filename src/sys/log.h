/* SPDX-License-Identifier: ISC */
/*
 * log: one line on standard error per event. Only daemon, keeper and cli log.
 *
 *   to the journal   <4>had: event=state group=web to=ACTIVE ... msg="..."   (sd-daemon(3))
 *   to a terminal    08:14:02.123 had ACTIVE: nobody held it  event=state ... in colour
 *   elsewhere        had: warning: event=state group=web to=ACTIVE ... msg="..."
 *
 * It never waits: while nobody takes its lines (a pipe is full, a terminal is stopped), they are
 * lost, and counted in the next one that is taken. And it never floods: of more than LOG_RATE_MAX
 * lines in a second the rest is left out, and counted likewise.
 */
#ifndef HA_SYS_LOG_H
#define HA_SYS_LOG_H

/* Lines in any one second. The journal takes 10,000 in 30 s of one service (journald.conf(5),
 * RateLimitBurst=), and keeper and engine have one each. */
#define LOG_RATE_MAX 300

#include <stdarg.h>
#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6
};

/* @program: static; printed in front of each message. Call once, before the first message. */
void log_open(const char *program);
/* Another name from now on, in a process that was forked. */
void log_rename(const char *program);
/* A sentence about nothing in particular. */
__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *format, ...);
__attribute__((format(printf, 2, 0))) void log_line_v(
	enum log_level level, const char *format, va_list arguments);
/* The same with @fields, "event=state group=web", in front of it. */
__attribute__((format(printf, 3, 4))) void log_event(
	enum log_level level, const char *fields, const char *format, ...);
/* The same about a group: the fields are the event and its name. */
__attribute__((format(printf, 4, 5))) void log_group(
	enum log_level level, const char *event, const char *group, const char *format, ...);
/* Whether a line would be left out because of the rate; then it counts as left out. Asked before a
 * line that takes some effort to make. */
bool log_is_full(enum log_level level);
/* Tells what was left out, if it was some and may be told now: call now and then. */
void log_tend(void);

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)

#endif
