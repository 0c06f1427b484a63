/* SPDX-License-Identifier: ISC */
/*
 * syscalls: a process that has opened all it needs gives up the system calls that it does not need
 * (seccomp(2)), for good, and so do its children. What is refused fails with EPERM. Built in two
 * variants: syscalls.c with libseccomp, syscalls_none.c without.
 */
#ifndef HA_SYS_SYSCALLS_H
#define HA_SYS_SYSCALLS_H

#include <stddef.h>

/* Names as in syscalls(2); those that this processor's kernel does not have are passed over. */
struct syscalls {
	const char *const *names;
	size_t count;
};

/**
 * syscalls_allow_only - refuse all others
 * @families: of the sockets that may still be opened (AF_NETLINK, ...), @family_count of them;
 *            socket(2) itself is not among the names
 *
 * Return: 0; -ENOSYS if it was built without; or -errno.
 */
int syscalls_allow_only(struct syscalls allowed, const int *families, size_t family_count);

/* Refuses only those that no ordinary program needs and that have opened the kernel to attacks.
 * Likewise. */
int syscalls_forbid_harmful(void);

#endif
