/* SPDX-License-Identifier: ISC */
#include "cli/exporter/confine.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "sys/log.h"
#include "sys/syscalls.h"
#include "wire/control.h"

/* The group of the socket; before it is there, the one that it will have. */
static gid_t group_of(const char *socket_path)
{
	const struct group *group = getgrnam(CONTROL_GROUP_NAME);
	struct stat status;

	if (stat(socket_path, &status) == 0)
		return status.st_gid;
	return group ? group->gr_gid : 0;
}

bool confine_identity(const char *socket_path)
{
	const struct passwd *nobody;
	gid_t group;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (geteuid() != 0)
		return true;
	group = group_of(socket_path);
	nobody = getpwnam("nobody");
	if (!nobody) {
		log_error("there is no user nobody to run as; start this as an ordinary user");
		return false;
	}
	if (setgroups(1, &group) == 0 &&
		setresgid(nobody->pw_gid, nobody->pw_gid, nobody->pw_gid) == 0 &&
		setresuid(nobody->pw_uid, nobody->pw_uid, nobody->pw_uid) == 0)
		return true;
	log_error("cannot become nobody: %s", strerror(errno));
	return false;
}

/* clang-format off */
static const char *const NEEDED[] = {
	/* waiting */
	"clock_gettime", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "eventfd2", "gettimeofday",
	"poll", "ppoll", "restart_syscall",
	/* sockets */
	"accept", "accept4", "connect", "getpeername", "getsockname", "getsockopt", "recvfrom", "recvmsg",
	"sendmsg", "sendto", "setsockopt", "shutdown",
	/* files that are open */
	"close", "fcntl", "fstat", "ioctl", "lseek", "newfstatat", "read", "sendfile", "write", "writev",
	/* memory */
	"brk", "madvise", "mmap", "mprotect", "mremap", "munmap",
	/* the process itself */
	"exit", "exit_group", "futex", "getpid", "getrandom", "gettid", "rt_sigaction", "rt_sigprocmask",
	"rt_sigreturn", "tgkill", "time",
};
/* clang-format on */

void confine_exporter(void)
{
	static const int families[] = {AF_UNIX};
	int r;

	json_object_seed(0); /* opens a file, or would at the first answer */
	r = syscalls_allow_only(
		(struct syscalls){NEEDED, sizeof(NEEDED) / sizeof(NEEDED[0])}, families, 1);
	if (r < 0 && r != -ENOSYS)
		log_notice("the system calls are not restricted: %s", strerror(-r));
}
