/* SPDX-License-Identifier: ISC */
/* fatal: the end of a daemon that cannot go on. */
#ifndef HA_SYS_FATAL_H
#define HA_SYS_FATAL_H

/* Logs why, as a sentence that says what to do, and ends the process with status 1; as an ordinary
 * one, because what the kernel has to clear away shall be in nobody's way. */
_Noreturn __attribute__((format(printf, 1, 2))) void fatal(const char *format, ...);

#endif
