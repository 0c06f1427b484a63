/* SPDX-License-Identifier: ISC */
#include "sys/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char taken[1 << 20];

/* What @speak, in a process of its own, writes on standard error; @journal: which is the journal.
 */
static const char *told(void (*speak)(void), bool journal)
{
	FILE *file = tmpfile();
	size_t size;
	int status;
	pid_t pid;

	assert_non_null(file);
	pid = fork();
	if (pid == 0) {
		char stream[64];
		struct stat s;

		(void)dup2(fileno(file), STDERR_FILENO);
		(void)fstat(STDERR_FILENO, &s);
		(void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)s.st_dev,
			(unsigned long long)s.st_ino + !journal);
		(void)setenv("JOURNAL_STREAM", stream, 1);
		log_open("had");
		speak();
		_exit(0);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	rewind(file);
	size = fread(taken, 1, sizeof(taken) - 1, file);
	taken[size] = '\0';
	(void)fclose(file);
	return taken;
}

static size_t lines(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void speak(void)
{
	log_warning("it is %d o'clock", 5);
	log_event(LOG_LEVEL_NOTICE, "event=state group=web", "said \"go\" with \\ and\na line");
	log_group(LOG_LEVEL_ERROR, "hook", "web", "it went wrong");
}

static void test_lines_of_a_file(void **state)
{
	(void)state;
	assert_string_equal(told(speak, false),
		"had: warning: msg=\"it is 5 o'clock\"\n"
		"had: notice: event=state group=web msg=\"said \\\"go\\\" with \\\\ and?a line\"\n"
		"had: error: event=hook group=web msg=\"it went wrong\"\n");
}

static void test_lines_of_the_journal(void **state)
{
	(void)state;
	assert_string_equal(told(speak, true),
		"<4>had: msg=\"it is 5 o'clock\"\n"
		"<5>had: event=state group=web msg=\"said \\\"go\\\" with \\\\ and?a line\"\n"
		"<3>had: event=hook group=web msg=\"it went wrong\"\n");
}

static void flood(void)
{
	for (int i = 0; i < 5000; i++)
		log_info("line %d", i);
	log_warning("this is reserved for");
	for (int i = 0; i < 5000; i++)
		log_error("error %d", i);
	usleep(50000); /* some turns more */
	log_error("afterwards");
}

static void test_a_flood_is_cut_and_counted(void **state)
{
	const char *text = told(flood, false), *note = strstr(text, "lines were left out here");

	(void)state;
	/* It may take some seconds on a slow machine. */
	assert_in_range(lines(text), LOG_RATE_MAX / 2, 2000);
	assert_non_null(note);
	assert_non_null(strstr(note, "afterwards"));
	assert_non_null(strstr(text, "msg=\"line 0\""));
	assert_non_null(strstr(text, "msg=\"this is reserved for\""));
}

static void long_ones(void)
{
	char message[5000];

	memset(message, '"', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	log_error("%s", message);
	log_error("next");
}

static void test_an_overlong_line_is_one_line(void **state)
{
	const char *text = told(long_ones, false);

	(void)state;
	assert_int_equal(lines(text), 2);
	assert_non_null(strstr(text, "\nhad: error: msg=\"next\"\n"));
	assert_true(strchr(text, '\n') - text < 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_a_file),
		cmocka_unit_test(test_lines_of_the_journal),
		cmocka_unit_test(test_a_flood_is_cut_and_counted),
		cmocka_unit_test(test_an_overlong_line_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
