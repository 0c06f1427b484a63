/* SPDX-License-Identifier: ISC */
#include "keeper/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int memory_sealed(
	const char *name, const void *bytes, size_t bytes_size, size_t size, bool writable)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | (writable ? 0 : F_SEAL_WRITE);
	int memory = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int error;

	if (memory < 0)
		return -errno;
	if (ftruncate(memory, (off_t)size) == 0 &&
		pwrite(memory, bytes, bytes_size, 0) == (ssize_t)bytes_size &&
		fcntl(memory, F_ADD_SEALS, seals) == 0)
		return memory;
	error = errno;
	(void)close(memory);
	return -error;
}
