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

int syscalls_forbid(struct syscalls forbidden)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	return filter ? load(filter, add(filter, SCMP_ACT_ERRNO(EPERM), forbidden)) : -ENOMEM;
}
