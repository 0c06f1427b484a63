/* SPDX-License-Identifier: ISC */
/*
 * deadlines: which of many elements is due next, without looking at all of them: a binary heap with
 * at most one deadline for each. The memory is the caller's.
 */
#ifndef HA_BASE_DEADLINES_H
#define HA_BASE_DEADLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

/* One for each element. */
struct deadline_slot {
	ha_time at;     /* of the element with this number */
	uint16_t place; /* of that element in the heap, plus 1; 0: none */
	uint16_t heap;  /* the element at this place of the heap */
};

struct deadlines {
	struct deadline_slot *slots; /* owned by the caller */
	size_t room, count;
};

/* @slots: for @room elements, at most 65,534; cleared. */
struct deadlines deadlines_init(struct deadline_slot *slots, size_t room);

/* In the place of the one that @element had; TIME_NEVER: none. */
void deadlines_set(struct deadlines *d, size_t element, ha_time at);

/* The earliest; TIME_NEVER if there is none. */
ha_time deadlines_first(const struct deadlines *d);

/* Takes one that is due at @now out. False if there is none. */
bool deadlines_take(struct deadlines *d, ha_time now, size_t *ret_element);

#endif
