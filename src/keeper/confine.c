/* SPDX-License-Identifier: ISC */
#include "keeper/confine.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/log.h"
#include "sys/syscalls.h"

/* clang-format off */
static const char *const NEEDED[] = {
	/* waiting */
	"epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "eventfd2", "pipe2", "poll", "ppoll",
	"restart_syscall", "timerfd_create", "timerfd_settime", "clock_gettime", "clock_gettime64",
	"gettimeofday", "waitid",
	/* sockets that are open, and the channel of a fresh engine */
	"bind", "connect", "getsockname", "getsockopt", "recvfrom", "recvmsg", "sendmsg", "sendto",
	"setsockopt", "shutdown", "socketpair",
	/* files: settings of the kernel, notes in the runtime folder, the log */
	"close", "dup", "fcntl", "fcntl64", "flock", "fstat", "fstat64", "ftruncate", "ftruncate64", "ioctl",
	"geteuid", "lseek", "memfd_create", "newfstatat", "openat", "pread64", "pwrite64", "read", "renameat",
	"renameat2", "unlinkat", "write",
	"writev",
	/* memory */
	"brk", "madvise", "mmap", "mmap2", "mprotect", "mremap", "munmap",
	/* the process itself */
	"exit", "exit_group", "futex", "getpid", "getrandom", "pidfd_send_signal", "signalfd4", "gettid", "rt_sigaction", "rt_sigprocmask",
	"rt_sigreturn", "sched_setscheduler", "tgkill",
};
/* clang-format on */

void confine_keeper(void)
{
	static const int families[] = {AF_NETLINK, AF_UNIX};
	int r = syscalls_allow_only(
		(struct syscalls){NEEDED, sizeof(NEEDED) / sizeof(NEEDED[0])}, families, 2);

	if (r < 0 && r != -ENOSYS)
		log_notice("the keeper's system calls are not restricted: %s", strerror(-r));
}
