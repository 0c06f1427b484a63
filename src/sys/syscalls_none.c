/* SPDX-License-Identifier: ISC */
#include "sys/syscalls.h"

#include <errno.h>

int syscalls_allow_only(struct syscalls allowed, const int *families, size_t family_count)
{
	(void)allowed;
	(void)families;
	(void)family_count;
	return -ENOSYS;
}

int syscalls_forbid_harmful(void)
{
	return -ENOSYS;
}
