/* SPDX-License-Identifier: ISC */
#include "cli/exporter/ring.h"

#include <stdlib.h>
#include <string.h>

void ring_init(struct ring *r)
{
	*r = (struct ring){.next = 1};
}

void ring_done(struct ring *r)
{
	for (size_t i = 0; i < RING_EVENTS_MAX; i++)
		free(r->lines[i]);
	ring_init(r);
}

void ring_add(struct ring *r, const char *line)
{
	char **slot = &r->lines[r->next % RING_EVENTS_MAX];
	char *copy = strlen(line) < RING_LINE_MAX ? strdup(line) : NULL;

	if (!copy)
		return;
	free(*slot);
	*slot = copy;
	r->next++;
}

const char *ring_find(const struct ring *r, uint64_t *number)
{
	uint64_t oldest = r->next > RING_EVENTS_MAX ? r->next - RING_EVENTS_MAX : 1;

	/* A number from before this process was started is none of ours. */
	if (*number < oldest || *number > r->next)
		*number = oldest;
	return *number == r->next ? NULL : r->lines[*number % RING_EVENTS_MAX];
}
