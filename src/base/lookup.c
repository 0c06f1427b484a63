/* SPDX-License-Identifier: ISC */
#include "base/lookup.h"

#include <string.h>

#include "base/assert.h"

size_t lookup_slots(size_t elements)
{
	size_t slots = 4;

	assert(elements < UINT16_MAX);
	while (slots < 2 * elements)
		slots *= 2;
	return slots;
}

struct lookup lookup_init(uint16_t *slots, size_t count)
{
	assert(count > 0 && (count & (count - 1)) == 0);
	memset(slots, 0, count * sizeof(*slots));
	return (struct lookup){.slots = slots, .count = count};
}

/* The low bits of FNV-1a alone are spread badly over short texts that differ in their last byte. */
static size_t slot_of(const struct lookup *l, uint64_t hash)
{
	return (size_t)(hash ^ (hash >> 29) ^ (hash >> 47)) & (l->count - 1);
}

void lookup_add(struct lookup *l, uint64_t hash, size_t element)
{
	size_t at = slot_of(l, hash);

	assert(l->count > 0 && element < UINT16_MAX);
	for (size_t tries = 0; l->slots[at] != 0; tries++) {
		assert(tries < l->count);
		at = (at + 1) & (l->count - 1);
	}
	l->slots[at] = (uint16_t)(element + 1);
}

struct lookup_search lookup_begin(const struct lookup *l, uint64_t hash)
{
	return (struct lookup_search){.lookup = l, .at = l->count > 0 ? slot_of(l, hash) : 0};
}

bool lookup_next(struct lookup_search *s, size_t *ret_element)
{
	const struct lookup *l = s->lookup;

	if (l->count == 0 || l->slots[s->at] == 0)
		return false;
	*ret_element = (size_t)l->slots[s->at] - 1;
	s->at = (s->at + 1) & (l->count - 1);
	return true;
}
