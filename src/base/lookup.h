/* SPDX-License-Identifier: ISC */
/*
 * lookup: finds an element of an array by a hash of what it is known by, in a time that does not
 * depend on how many there are. The memory is the caller's: twice as many slots as elements, so
 * that a search ends soon. What the hash finds is a candidate; whether it is the one is for the
 * caller to see.
 *
 *	for (struct lookup_search s = lookup_begin(l, hash); lookup_next(&s, &element);)
 *		if (list[element].id == id)
 *			...
 */
#ifndef HA_BASE_LOOKUP_H
#define HA_BASE_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lookup {
	uint16_t *slots; /* an element plus 1; 0: free. Owned by the caller */
	size_t count;    /* of slots, a power of two; 0: nothing is ever found */
};

struct lookup_search {
	const struct lookup *lookup;
	size_t at;
};

/* How many slots serve @elements of them; at most 65,534 elements. */
size_t lookup_slots(size_t elements);

/* @slots: @count of them, as lookup_slots() says; cleared. */
struct lookup lookup_init(uint16_t *slots, size_t count);

void lookup_add(struct lookup *l, uint64_t hash, size_t element);

struct lookup_search lookup_begin(const struct lookup *l, uint64_t hash);
/* The next candidate; false if there is none any more. */
bool lookup_next(struct lookup_search *s, size_t *ret_element);

#endif
