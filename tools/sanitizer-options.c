/* SPDX-License-Identifier: ISC */
/*
 * What the sanitizers are to do, linked into every program of the sanitized tree: the engine starts
 * with a clean environment, so variables would not reach it. /run/ha-reports exists in tools/isolated.
 * In the sanitizers' own names; they look these functions up.
 */
#define REPORTS "log_path=/run/ha-reports/report:log_exe_name=1:"

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
	return REPORTS "detect_stack_use_after_return=1:strict_string_checks=1";
}

const char *__ubsan_default_options(void)
{
	return REPORTS "print_stacktrace=1:halt_on_error=1";
}
