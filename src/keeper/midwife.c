/* SPDX-License-Identifier: ISC */
#include "keeper/midwife.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "keeper/runtime_dir.h"
#include "keeper/stub.h"
#include "sys/descriptors.h"
#include "sys/log.h"

#define PROCESS_NAME "ha-midwife"
#define NUMBER_SIZE  16
#define PATIENCE_MS  2000
#define WORDS_MAX    12

struct nursery {
	int socket;
	const struct options *options;
	char program[PATH_SIZE];
};

static int open_next(const struct options *o)
{
	const struct runtime_dir dir = {.descriptor = open(o->runtime_dir,
						O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
	int next = dir.descriptor < 0 ? -1 : runtime_dir_open_next(&dir);
	int kept = next < 0 ? -1 : fcntl(next, F_DUPFD, STDERR_FILENO + 1);

	descriptors_close((const int[]){next, dir.descriptor}, 2);
	return kept;
}

/* systemd's watchdog listens to the one that is named. */
static void claim_watchdog(void)
{
	char pid[NUMBER_SIZE];

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (getenv("WATCHDOG_PID"))
		(void)setenv("WATCHDOG_PID", pid, 1);
}

static void become_keeper(const struct nursery *n)
{
	const struct options *o = n->options;
	char number[NUMBER_SIZE];
	const char *words[WORDS_MAX] = {"ha-keeper", "--successor", "--configuration", number,
		"--runtime-dir", o->runtime_dir, "--file", o->file};
	size_t count = 8;
	int next = open_next(o);

	if (o->state_dir) {
		words[count++] = "--state-dir";
		words[count++] = o->state_dir;
	}
	(void)snprintf(number, sizeof(number), "%d", next);
	(void)signal(SIGPIPE, SIG_DFL);
	claim_watchdog();
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (next >= 0)
		(void)execv(n->program, (char *const *)words);
	log_error("cannot start %s: %s", n->program, strerror(errno));
}

static int bear(const struct nursery *n, int *ret_process)
{
	pid_t pid = (pid_t)syscall(
		SYS_clone, CLONE_PARENT | CLONE_PIDFD | SIGCHLD, NULL, ret_process, NULL, NULL);

	if (pid == 0) {
		become_keeper(n);
		_exit(EXIT_FAILURE);
	}
	return pid < 0 ? -errno : 0;
}

_Noreturn static void be_midwife(struct nursery *n)
{
	int own[] = {n->socket};
	int nothing[DESCRIPTORS_MAX];
	int32_t word;

	descriptors_keep_only(own, 1);
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_NAME, PROCESS_NAME);
	/* Keepers are born with it: to stop one that cannot hear yet waits, and does not kill. */
	stub_block_signals();
	while (descriptors_receive(n->socket, &word, nothing) == 0) {
		int process = -1, r = bear(n, &process);

		descriptors_close(nothing, DESCRIPTORS_MAX);
		(void)descriptors_send(n->socket, r, &process, r == 0 ? 1 : 0);
		descriptors_close(&process, 1);
	}
	_exit(EXIT_SUCCESS);
}

bool midwife_open(const struct options *options, struct midwife *m)
{
	struct nursery n = {.options = options};
	ssize_t length = readlink("/proc/self/exe", n.program, sizeof(n.program) - 1);
	int ends[2];
	pid_t pid;

	if (length <= 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		log_error("cannot prepare for reloads: %s", strerror(errno));
		return false;
	}
	pid = fork();
	if (pid == 0) {
		n.socket = ends[1];
		be_midwife(&n);
	}
	(void)close(ends[1]);
	m->socket = ends[0];
	if (pid < 0)
		log_error("cannot prepare for reloads: %s", strerror(errno));
	return pid >= 0;
}

int midwife_bear(const struct midwife *m)
{
	struct pollfd answer = {.fd = m->socket, .events = POLLIN};
	int received[DESCRIPTORS_MAX];
	int32_t result;
	int r = descriptors_send(m->socket, 1, NULL, 0);

	if (r == 0 && poll(&answer, 1, PATIENCE_MS) != 1)
		r = -ETIMEDOUT;
	if (r == 0)
		r = descriptors_receive(m->socket, &result, received);
	if (r < 0)
		return r;
	return result == 0 && received[0] >= 0 ? received[0] : -EPROTO;
}
