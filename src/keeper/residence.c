/* SPDX-License-Identifier: ISC */
#include "keeper/residence.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* They load the fence. Should they be needed again (somebody takes the filters away), they come
 * back from disk. */
static const char *const FOR_THE_START[] = {"/libbpf.so.", "/libelf", "/libz.so."};

static bool is_for_the_start(const char *name)
{
	for (size_t i = 0; i < sizeof(FOR_THE_START) / sizeof(FOR_THE_START[0]); i++) {
		if (strstr(name, FOR_THE_START[i]))
			return true;
	}
	return false;
}

/* What was never written is as good on disk. */
static int leave(struct dl_phdr_info *object, size_t size, void *unused)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)unused;
	for (size_t i = 0; is_for_the_start(object->dlpi_name) && i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		uintptr_t begin = (object->dlpi_addr + part->p_vaddr) / page * page;
		uintptr_t end = object->dlpi_addr + part->p_vaddr + part->p_memsz;
		void *memory = (void *)begin; /* NOLINT: the linker tells it as a number */

		if (part->p_type != PT_LOAD || (part->p_flags & PF_W))
			continue;
		if (munlock(memory, end - begin) == 0)
			(void)madvise(memory, end - begin, MADV_DONTNEED);
	}
	return 0;
}

void residence_lock(void)
{
	/* Later allocations shall not fail because of a limit: only what is there now. */
	(void)mlockall(MCL_CURRENT);
	(void)dl_iterate_phdr(leave, NULL);
}
