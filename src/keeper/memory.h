/* SPDX-License-Identifier: ISC */
/* memory: what engines are given as memory files, memfd_create(2). */
#ifndef HA_KEEPER_MEMORY_H
#define HA_KEEPER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* A memory file of @size bytes, of which the first are @bytes, that cannot change its size, and not
 * its content unless @writable. Its descriptor or -errno. */
int memory_sealed(
	const char *name, const void *bytes, size_t bytes_size, size_t size, bool writable);

#endif
