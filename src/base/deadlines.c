/* SPDX-License-Identifier: ISC */
#include "base/deadlines.h"

#include <string.h>

#include "base/assert.h"

struct deadlines deadlines_init(struct deadline_slot *slots, size_t room)
{
	assert(room < UINT16_MAX);
	memset(slots, 0, room * sizeof(*slots));
	return (struct deadlines){.slots = slots, .room = room};
}

/* Of two at one time, the lower number is first. */
static bool is_before(const struct deadlines *d, size_t a, size_t b)
{
	size_t x = d->slots[a].heap, y = d->slots[b].heap;

	return d->slots[x].at.ns != d->slots[y].at.ns ? d->slots[x].at.ns < d->slots[y].at.ns
						      : x < y;
}

static ha_time time_at(const struct deadlines *d, size_t place)
{
	return d->slots[d->slots[place].heap].at;
}

static void put(struct deadlines *d, size_t place, size_t element)
{
	d->slots[place].heap = (uint16_t)element;
	d->slots[element].place = (uint16_t)(place + 1);
}

static void swap(struct deadlines *d, size_t a, size_t b)
{
	size_t element = d->slots[a].heap;

	put(d, a, d->slots[b].heap);
	put(d, b, element);
}

static void move_up(struct deadlines *d, size_t place)
{
	while (place > 0 && is_before(d, place, (place - 1) / 2)) {
		swap(d, place, (place - 1) / 2);
		place = (place - 1) / 2;
	}
}

static void move_down(struct deadlines *d, size_t place)
{
	for (;;) {
		size_t least = place, left = 2 * place + 1;

		for (size_t child = left; child <= left + 1 && child < d->count; child++)
			if (is_before(d, child, least))
				least = child;
		if (least == place)
			return;
		swap(d, place, least);
		place = least;
	}
}

static void remove_at(struct deadlines *d, size_t place)
{
	size_t element = d->slots[place].heap;

	swap(d, place, --d->count);
	d->slots[element].place = 0;
	if (place == d->count)
		return;
	move_up(d, place);
	move_down(d, place);
}

void deadlines_set(struct deadlines *d, size_t element, ha_time at)
{
	struct deadline_slot *slot = &d->slots[element];

	assert(element < d->room);
	if (time_is_never(at)) {
		if (slot->place != 0)
			remove_at(d, slot->place - 1u);
		return;
	}
	slot->at = at;
	if (slot->place == 0)
		put(d, d->count++, element);
	assert(d->count <= d->room);
	move_up(d, slot->place - 1u);
	move_down(d, slot->place - 1u);
}

ha_time deadlines_first(const struct deadlines *d)
{
	return d->count > 0 ? time_at(d, 0) : TIME_NEVER;
}

bool deadlines_take(struct deadlines *d, ha_time now, size_t *ret_element)
{
	if (d->count == 0 || !time_reached(now, time_at(d, 0)))
		return false;
	*ret_element = d->slots[0].heap;
	remove_at(d, 0);
	return true;
}
