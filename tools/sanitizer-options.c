/* SPDX-License-Identifier: ISC */
/*
 * What the sanitizers are to do, linked into every program of the sanitized tree: the engine starts
 * with a clean environment, so a variable would not reach it. The function has the sanitizer's own
 * name; that is how it finds it.
 *
 * Every report becomes a file in /dev/shm/ha-reports, which exists in tools/isolated. gcc's library
 * for undefined behaviour cannot write one, so that tree traps instead, and SIGILL is reported;
 * likewise SIGABRT, which records each assertion that failed.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "log_path=/dev/shm/ha-reports/report:log_exe_name=1:handle_sigill=1:handle_abort=1:"
	       "detect_stack_use_after_return=1:strict_string_checks=1";
}
