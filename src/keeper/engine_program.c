/* SPDX-License-Identifier: ISC */
#include "keeper/engine_program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "sys/log.h"
#include "sys/program.h"
#include "sys/scheduling.h"

#define HANDOFF_BEYOND   (HANDOFF_FIRST + HANDOFF_COUNT)
#define ENVIRONMENT_SIZE 256
#define REALTIME_US_MAX  2000000 /* of computing without any rest */

void engine_program_find(const char *name, struct engine_program *ret_program)
{
	int low;

	ret_program->name = name;
	program_find(name, ret_program->path);
	low = open(ret_program->path, O_PATH | O_CLOEXEC);
	ret_program->descriptor = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, HANDOFF_BEYOND);
	if (low >= 0)
		(void)close(low);
}

/* Puts descriptors[i] at HANDOFF_FIRST + i, and has everything above closed by exec. First out of
 * the way, so that none is overwritten before it was moved. */
static int arrange_descriptors(const int *descriptors, size_t count)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int aside[HANDOFF_COUNT];

	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
		return -errno;
	for (size_t i = 0; i < count; i++) {
		aside[i] = fcntl(descriptors[i] < 0 ? nothing : descriptors[i], F_DUPFD_CLOEXEC,
			HANDOFF_BEYOND);
		if (aside[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < count; i++) {
		if (dup2(aside[i], HANDOFF_FIRST + (int)i) < 0)
			return -errno;
	}
	return close_range(HANDOFF_FIRST + (unsigned)count, ~0u, CLOSE_RANGE_CLOEXEC) < 0 ? -errno
											  : 0;
}

/* "NAME=value" of our own environment, or NULL. */
static char *inherited(const char *name, char buffer[ENVIRONMENT_SIZE])
{
	const char *value = getenv(name);
	struct text t = text_init(buffer, ENVIRONMENT_SIZE);

	if (!value || strlen(name) + strlen(value) + 2 > ENVIRONMENT_SIZE)
		return NULL;
	text_add(&t, "%s=%s", name, value);
	return buffer;
}

/* A script cannot be executed by descriptor, so the path comes first. */
static void execute(const struct engine_program *program, const char *runtime_dir)
{
	char path_variable[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char language[ENVIRONMENT_SIZE], journal[ENVIRONMENT_SIZE];
	char *const arguments[] = {
		(char *)program->name, (char *)"--runtime-dir", (char *)runtime_dir, NULL};
	char *environment[4] = {path_variable};
	size_t count = 1;

	if (inherited("LANG", language))
		environment[count++] = language;
	if (inherited("JOURNAL_STREAM", journal))
		environment[count++] = journal;
	(void)execve(program->path, arguments, environment);
	if (errno == EACCES && program->descriptor >= 0)
		(void)fexecve(program->descriptor, arguments, environment);
	log_error("cannot execute %s: %s", program->path, strerror(errno));
}

/* Those that the keeper and the starter ignore or hold back; that stays so in a new program. */
static void restore_signals(void)
{
	static const int ignored[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP};
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A program that never comes to rest must not take a processor from everybody, before whom it now
 * runs: signal(7), SIGXCPU ends it. */
static void become_realtime(const struct account *account)
{
	const struct rlimit limit = {REALTIME_US_MAX, REALTIME_US_MAX};

	/* Where it is not permitted the keeper has said so of itself. */
	if (account->realtime && scheduling_make_realtime() == 0)
		(void)setrlimit(RLIMIT_RTTIME, &limit);
}

/* Its own process group: Ctrl-C in a terminal is for the keeper, which then stops the engine
 * politely. */
void engine_program_become(const struct engine_program *program, const int *descriptors,
	size_t count, const char *runtime_dir, const struct account *account)
{
	int r;

	(void)setpgid(0, 0);
	restore_signals();
	r = arrange_descriptors(descriptors, count);
	become_realtime(account);
	if (r == 0)
		r = privileges_drop_all(account);
	if (r < 0) {
		log_error("cannot prepare %s: %s", program->name, strerror(-r));
		return;
	}
	execute(program, runtime_dir);
}
