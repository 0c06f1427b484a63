/* SPDX-License-Identifier: ISC */
#include "cli/demo/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
	const struct command *command;
	int (*stage)(void *context);
	void *context;
	int parent; /* pipe: its other end is held by the process outside, and only by that */
};

static int hide_from_the_machine(const struct command *command)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC) != 0)
		return command_failed(command, "cannot make namespaces: %s", strerror(errno));
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("proc", "/proc", "proc", flags, NULL) != 0 ||
		mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") != 0)
		return command_failed(command, "cannot mount in a namespace: %s", strerror(errno));
	return EXIT_DONE;
}

/* Process number 1 waits for every orphan; the stage's end is its own end. */
static int wait_for_stage(pid_t stage)
{
	for (;;) {
		int status;
		pid_t ended = wait(&status);

		if (ended < 0 && errno != EINTR)
			return EXIT_FAILED;
		if (ended == stage)
			return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
	}
}

static bool parent_has_gone(int parent)
{
	struct pollfd end = {.fd = parent, .events = POLLIN};

	return poll(&end, 1, 0) != 0;
}

static int become_first_process(const struct place *place)
{
	int status;
	pid_t stage;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || parent_has_gone(place->parent))
		return EXIT_FAILED;
	status = hide_from_the_machine(place->command);
	if (status != EXIT_DONE)
		return status;
	(void)fflush(NULL);
	stage = fork();
	if (stage < 0)
		return command_failed(place->command, "cannot fork: %s", strerror(errno));
	if (stage > 0)
		return wait_for_stage(stage);
	status = place->stage(place->context);
	(void)fflush(NULL);
	_exit(status);
}

/* Ctrl-C reaches the whole terminal; the stage ends in its own way and this process waits for that.
 */
static int wait_for_end(pid_t first)
{
	int status;

	(void)signal(SIGINT, SIG_IGN);
	while (waitpid(first, &status, 0) < 0) {
		if (errno != EINTR)
			return EXIT_FAILED;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

int isolate_run(const struct command *command, int (*stage)(void *context), void *context)
{
	struct place place = {.command = command, .stage = stage, .context = context};
	const int here = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	int ends[2];
	pid_t first;

	if (unshare(CLONE_NEWPID) != 0)
		return command_failed(command,
			errno == EPERM
				? "needs root (CAP_SYS_ADMIN) to make namespaces; run `sudo ha "
				  "demo`, in a container with --privileged"
				: "this kernel gives no process namespace");
	if (pipe(ends) != 0)
		return command_failed(command, "cannot make a pipe: %s", strerror(errno));
	(void)fflush(NULL);
	first = fork();
	if (first < 0)
		return command_failed(command, "cannot fork: %s", strerror(errno));
	if (first > 0) {
		(void)close(ends[0]);
		/* This process's own later children, if there are any, belong outside again. */
		(void)setns(here, CLONE_NEWPID);
		return wait_for_end(first);
	}
	(void)close(ends[1]);
	place.parent = ends[0];
	_exit(become_first_process(&place));
}
