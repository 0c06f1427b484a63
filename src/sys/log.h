/* SPDX-License-Identifier: ISC */
/*
 * log: one line on standard error per event, `level program: key=value ...`, with the <N> priority
 * prefix of sd-daemon(3) when standard error is the journal. Only daemon, keeper and cli log.
 *
 * It never waits: while nobody takes its lines (a pipe is full), they are lost, and counted in the
 * next one that is taken.
 */
#ifndef HA_SYS_LOG_H
#define HA_SYS_LOG_H

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6
};

/* @program: static; printed in front of each message. Call once, before the first message. */
void log_open(const char *program);
__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *format, ...);

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)

#endif
