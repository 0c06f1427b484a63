/* SPDX-License-Identifier: ISC */
/*
 * The system calls that are left to the engine, which reads what comes from the network. Its hooks
 * are its children and get what it has: so with hooks only those are refused that no such program
 * needs and that have opened the kernel to attacks; without any, all that it does not need itself.
 */
#include "daemon/confine.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <jansson.h>

#include "sys/log.h"
#include "sys/syscalls.h"

/* clang-format off */
static const char *const NEEDED[] = {
	/* waiting */
	"epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "poll", "ppoll", "restart_syscall",
	"timerfd_settime", "clock_gettime", "clock_gettime64", "gettimeofday",
	/* sockets */
	"accept", "accept4", "bind", "getpeername", "getsockname", "getsockopt", "recvfrom", "recvmmsg",
	"recvmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
	/* files that are open */
	"close", "fcntl", "fcntl64", "fstat", "fstat64", "ioctl", "lseek", "newfstatat", "read", "write",
	"writev",
	/* memory */
	"brk", "madvise", "mmap", "mmap2", "mprotect", "mremap", "munmap",
	/* the process itself */
	"exit", "exit_group", "futex", "getpid", "getrandom", "gettid", "rt_sigaction", "rt_sigprocmask",
	"rt_sigreturn", "sched_getscheduler", "sched_setscheduler", "tgkill",
};
/* clang-format on */

static bool has_hooks(const struct conf *conf)
{
	if (conf->node.on_change_stream[0] != '\0')
		return true;
	for (size_t g = 0; g < conf->group_count; g++) {
		for (size_t kind = 0; kind < CONF_HOOK_KINDS; kind++) {
			if (conf->groups[g].hook_count[kind] > 0)
				return true;
		}
	}
	return false;
}

void confine_engine(const struct conf *conf)
{
	static const int families[] = {AF_NETLINK};
	int r;

	json_object_seed(0); /* opens a file, or would at the first question for the status */
	if (has_hooks(conf))
		r = syscalls_forbid_harmful();
	else
		r = syscalls_allow_only(
			(struct syscalls){NEEDED, sizeof(NEEDED) / sizeof(NEEDED[0])}, families, 1);
	if (r < 0 && r != -ENOSYS)
		log_notice("the engine's system calls are not restricted: %s", strerror(-r));
}
