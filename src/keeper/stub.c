/* SPDX-License-Identifier: ISC */
#include "keeper/stub.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/descriptors.h"
#include "sys/log.h"

static sigset_t for_the_keeper(void)
{
	static const int list[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2};
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		(void)sigaddset(&set, list[i]);
	return set;
}

void stub_block_signals(void)
{
	const sigset_t set = for_the_keeper();

	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

void stub_unblock_signals(void)
{
	const sigset_t set = for_the_keeper();

	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Notes a word that is not for this keeper alone. */
static void pass_on(int signals, int keeper, bool *stop)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		*stop |= info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
		(void)pidfd_send_signal(keeper, (int)info.ssi_signo, NULL, 0);
	}
}

/* Its exit status; one that was killed has failed. */
static int wait_for(int signals, int keeper, bool *stop)
{
	siginfo_t info = {0};

	for (;;) {
		struct pollfd ready[] = {
			{.fd = signals, .events = POLLIN}, {.fd = keeper, .events = POLLIN}};

		if (poll(ready, 2, -1) < 0 && errno != EINTR)
			return EXIT_FAILURE;
		if (ready[0].revents != 0)
			pass_on(signals, keeper, stop);
		if (ready[1].revents != 0)
			break;
	}
	if (waitid(P_PIDFD, (id_t)keeper, &info, WEXITED) < 0 || info.si_code != CLD_EXITED)
		return EXIT_FAILURE;
	return info.si_status;
}

int stub_run(const struct midwife *m, bool stop)
{
	const sigset_t set = for_the_keeper();
	int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	int own[] = {m->socket, signals};
	int status = STUB_REPLACE;

	descriptors_keep_only(own, 2);
	if (signals < 0)
		log_error("signals cannot be passed on: %s", strerror(errno));
	while (status == STUB_REPLACE) {
		int keeper = midwife_bear(m);

		if (keeper < 0) {
			log_error("no keeper can be started: %s", strerror(-keeper));
			return EXIT_FAILURE;
		}
		if (stop)
			(void)pidfd_send_signal(keeper, SIGTERM, NULL, 0);
		status = wait_for(signals, keeper, &stop);
		(void)close(keeper);
	}
	return status;
}
