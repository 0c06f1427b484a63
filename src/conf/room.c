/* SPDX-License-Identifier: ISC */
#include "conf/room.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* How often @byte stands in the text, and once more; at most @maximum. */
static size_t count(const char *text, size_t size, char byte, size_t maximum)
{
	const char *end = size > 0 ? text + size : text;
	size_t found = 1;

	while (found < maximum && size > 0 && (text = memchr(text, byte, (size_t)(end - text)))) {
		found++;
		text++;
	}
	return found;
}

/* The next @size bytes of *@at, fit for any type. */
static void *cut(char **at, size_t size)
{
	void *piece = *at;

	*at += (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	return piece;
}

static bool take_conf(
	struct draft *d, size_t groups, size_t addresses, size_t checks, size_t text_size)
{
	struct conf *c = &d->conf;
	size_t group_slots = lookup_slots(groups), address_slots = lookup_slots(addresses);
	size_t size = groups * sizeof(*c->groups) + addresses * sizeof(*c->addresses) +
		      checks * sizeof(*c->checks) +
		      (group_slots + address_slots) * sizeof(uint16_t) + text_size + 1 +
		      6 * sizeof(max_align_t);
	char *at = c->memory = calloc(1, size);

	if (!at)
		return false;
	c->groups = cut(&at, groups * sizeof(*c->groups));
	c->addresses = cut(&at, addresses * sizeof(*c->addresses));
	c->checks = cut(&at, checks * sizeof(*c->checks));
	c->groups_by_id = lookup_init(cut(&at, group_slots * sizeof(uint16_t)), group_slots);
	c->addresses_by_ip = lookup_init(cut(&at, address_slots * sizeof(uint16_t)), address_slots);
	d->texts = cut(&at, text_size + 1);
	d->texts_end = d->texts + text_size + 1;
	assert((size_t)(at - (char *)c->memory) <= size);
	return true;
}

bool room_take(struct draft *d, const char *text, size_t size)
{
	size_t groups = count(text, size, '[', GROUPS_MAX);
	size_t addresses = count(text, size, '\n', ADDRESSES_MAX);

	size_t checks = count(text, size, '\n', CHECKS_MAX);

	d->group_line = calloc(groups, sizeof(*d->group_line));
	d->address_line = calloc(addresses, sizeof(*d->address_line));
	d->check_line = calloc(checks, sizeof(*d->check_line));
	d->address_device = calloc(addresses, sizeof(*d->address_device));
	return d->group_line && d->address_line && d->address_device && d->check_line &&
	       take_conf(d, groups, addresses, checks, size);
}

void room_free_draft(struct draft *d)
{
	free(d->group_line);
	free(d->address_line);
	free(d->check_line);
	free(d->address_device);
}

const char *room_keep(struct draft *d, const char *text)
{
	size_t size = strlen(text) + 1;
	char *kept = d->texts;

	assert(size <= (size_t)(d->texts_end - d->texts)); /* it stands in the file */
	memcpy(kept, text, size);
	d->texts += size;
	return kept;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	free(c->memory);
	*c = (struct conf){0};
}
