/* SPDX-License-Identifier: ISC */
#include "keeper/checker_process.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "sys/clock.h"
#include "sys/descriptors.h"
#include "sys/log.h"

#define PAUSE_FIRST_NS (100 * NS_PER_MS)
#define PAUSE_MAX_NS   (30 * NS_PER_S)
#define DOUBLINGS_MAX  9
#define GOOD_AFTER_NS  (60 * NS_PER_S) /* one that ran for so long is no failure */

static void launch(struct checker_process *c)
{
	const int given[] = {c->socket, c->configuration};
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &c->process, NULL, NULL);

	c->started_ns = clock_now().ns;
	c->start_ns = INT64_MAX;
	if (pid == 0) {
		engine_program_become(&c->program, given, sizeof(given) / sizeof(given[0]),
			c->runtime_dir, &c->account);
		_exit(ENGINE_CANNOT_EXECUTE);
	}
	if (pid > 0)
		return;
	log_error("cannot start ha-checker: %s", strerror(errno));
	c->process = -1;
	c->start_ns = c->started_ns + PAUSE_MAX_NS;
}

/* Whatever is left of the last engine's. It is not waited for: it may hang in a file system. */
static void end_last(struct checker_process *c)
{
	if (c->process >= 0)
		(void)pidfd_send_signal(c->process, SIGKILL, NULL, 0);
	descriptors_close((const int[]){c->process, c->socket}, 2);
	c->process = c->socket = -1;
}

int checker_process_start(struct checker_process *c)
{
	int ends[2];

	if (!c->wanted)
		return -1;
	end_last(c);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
		log_error("cannot start ha-checker: %s", strerror(errno));
		return -1;
	}
	c->socket = ends[1];
	c->failures = 0;
	launch(c);
	return ends[0];
}

static bool engine_is_there(const struct checker_process *c)
{
	struct pollfd end = {.fd = c->socket};

	return poll(&end, 1, 0) >= 0 && !(end.revents & (POLLHUP | POLLERR));
}

static void plan_next(struct checker_process *c, const siginfo_t *end)
{
	int64_t now_ns = clock_now().ns, pause_ns;

	if (now_ns - c->started_ns >= GOOD_AFTER_NS)
		c->failures = 0;
	pause_ns = PAUSE_FIRST_NS << (c->failures < DOUBLINGS_MAX ? c->failures : DOUBLINGS_MAX);
	pause_ns = pause_ns < PAUSE_MAX_NS ? pause_ns : PAUSE_MAX_NS;
	c->failures++;
	c->start_ns = now_ns + pause_ns;
	log_warning("ha-checker has ended (%s %d); it is started again in %lld ms",
		end->si_code == CLD_EXITED ? "status" : "signal", end->si_status,
		(long long)(pause_ns / NS_PER_MS));
}

void checker_process_review(struct checker_process *c)
{
	siginfo_t end = {0};

	if (c->process >= 0 && waitid(P_PIDFD, (id_t)c->process, &end, WEXITED | WNOHANG) == 0 &&
		end.si_pid != 0) {
		descriptors_close(&c->process, 1);
		c->process = -1;
		if (engine_is_there(c))
			plan_next(c, &end);
		else
			c->start_ns = INT64_MAX;
	}
	if (c->process < 0 && c->socket >= 0 && clock_now().ns >= c->start_ns && engine_is_there(c))
		launch(c);
	/* Those of earlier engines. */
	while (c->process < 0 && waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int checker_process_wait_ms(const struct checker_process *c)
{
	int64_t left_ns;

	if (c->process >= 0 || c->socket < 0 || c->start_ns == INT64_MAX)
		return -1;
	left_ns = c->start_ns - clock_now().ns;
	return left_ns <= 0 ? 0 : (int)(left_ns / NS_PER_MS + 1);
}
