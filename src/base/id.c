/* SPDX-License-Identifier: ISC */
#include "base/id.h"

#include <string.h>

uint64_t id_hash(uint64_t seed, const void *bytes, size_t size)
{
	const uint8_t *b = bytes;
	uint64_t hash = seed;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ b[i]) * UINT64_C(0x100000001b3);
	return hash;
}

uint32_t id_from_name(const char *name)
{
	uint64_t hash = id_hash(ID_SEED, name, strlen(name));
	uint32_t id = (uint32_t)(hash ^ (hash >> 32));

	return id != 0 ? id : 1;
}
