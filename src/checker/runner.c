/* SPDX-License-Identifier: ISC */
/*
 * ha-runner PROGRAM [ARGUMENT]...: runs a program and ends when it ends, with its exit status (128
 * and the signal's number if one has killed it). Whatever the program has started ends with it,
 * also what has left its session and process group: this process adopts all that loses its parent
 * (PR_SET_CHILD_SUBREAPER), and kills until it has no child left. SIGTERM, or the end of its own
 * parent, ends the program the same way. It has no privileges, and needs no library.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANNOT_EXECUTE 127 /* as shells say it */
#define SIGNALLED      128
#define CHILDREN_SIZE  4096

/* Those that the kernel names now. More than fit are killed at the next round. */
static void kill_children(pid_t first)
{
	char list[CHILDREN_SIZE], *at = list;
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, list, sizeof(list) - 1);

	if (fd >= 0)
		(void)close(fd);
	if (size <= 0) { /* a kernel that does not tell: what has stayed in the group */
		(void)kill(-first, SIGKILL);
		return;
	}
	list[size] = '\0';
	for (char *end; *at != '\0'; at = end) {
		long pid = strtol(at, &end, 10);

		if (end == at)
			break;
		if (*end != '\0') /* else its number may be cut */
			(void)kill((pid_t)pid, SIGKILL);
	}
}

/* A child that dies leaves its children to us before it can be waited for, so the next round sees
 * them. */
static void end_all(pid_t first)
{
	do
		kill_children(first);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

/* Reaps what has ended: true if the program itself has, with its exit status. */
static bool reap(pid_t program, int *ret_status)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != program)
			continue;
		*ret_status =
			WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
		return true;
	}
	return false;
}

_Noreturn static void execute(char **arguments, const sigset_t *mask)
{
	(void)setpgid(0, 0);
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	execv(arguments[0], arguments);
	dprintf(STDERR_FILENO, "%s cannot be run: %s\n", arguments[0], strerror(errno));
	_exit(CANNOT_EXECUTE);
}

int main(int argc, char **argv)
{
	sigset_t waited, before;
	pid_t parent = getppid(), program;
	int status = SIGNALLED + SIGTERM;

	if (argc < 2)
		return CANNOT_EXECUTE;
	sigemptyset(&waited);
	sigaddset(&waited, SIGCHLD);
	sigaddset(&waited, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &waited, &before);
	(void)signal(SIGCHLD, SIG_DFL); /* ignored, it would not come */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		return CANNOT_EXECUTE;
	sigdelset(&before, SIGTERM);
	sigdelset(&before, SIGCHLD);
	program = fork();
	if (program == 0)
		execute(argv + 1, &before);
	while (program > 0) {
		int signal_number = sigwaitinfo(&waited, NULL);

		if (signal_number == SIGTERM ||
			(signal_number == SIGCHLD && reap(program, &status)))
			break;
	}
	if (program > 0)
		end_all(program);
	return program > 0 ? status : CANNOT_EXECUTE;
}
