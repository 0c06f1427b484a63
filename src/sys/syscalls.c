/* SPDX-License-Identifier: ISC */
#include "sys/syscalls.h"

#include <errno.h>

#include <seccomp.h>

static int add(scmp_filter_ctx filter, uint32_t action, struct syscalls list)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list.count; i++) {
		int number = seccomp_syscall_resolve_name(list.names[i]);

		if (number != __NR_SCMP_ERROR)
			r = seccomp_rule_add(filter, action, number, 0);
	}
	return r;
}

static int add_families(scmp_filter_ctx filter, const int *families, size_t count)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)families[i]));
	return r;
}

static int load(scmp_filter_ctx filter, int r)
{
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

int syscalls_allow_only(struct syscalls allowed, const int *families, size_t family_count)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!filter)
		return -ENOMEM;
	r = add(filter, SCMP_ACT_ALLOW, allowed);
	if (r == 0)
		r = add_families(filter, families, family_count);
	return load(filter, r);
}

/* clang-format off */
static const char *const HARMFUL[] = {
	"acct", "add_key", "bpf", "chroot", "clock_adjtime", "clock_settime", "delete_module",
	"finit_module", "fsconfig", "fsmount", "fsopen", "init_module", "io_uring_enter",
	"io_uring_register", "io_uring_setup", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "mount",
	"mount_setattr", "move_mount", "move_pages", "open_by_handle_at", "open_tree", "perf_event_open",
	"personality", "pivot_root", "process_vm_readv", "process_vm_writev", "ptrace", "quotactl", "reboot",
	"request_key", "setdomainname", "sethostname", "setns", "settimeofday", "swapoff", "swapon",
	"umount2", "unshare", "userfaultfd", "vhangup",
};
/* clang-format on */

int syscalls_forbid_harmful(void)
{
	const struct syscalls forbidden = {HARMFUL, sizeof(HARMFUL) / sizeof(HARMFUL[0])};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	return filter ? load(filter, add(filter, SCMP_ACT_ERRNO(EPERM), forbidden)) : -ENOMEM;
}
