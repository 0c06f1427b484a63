/* SPDX-License-Identifier: ISC */
#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "sim/invariants.h"

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->checks = checks_new();
	if (!w->checks) {
		free(w);
		return NULL;
	}
	w->now = WORLD_BEGINNING;
	w->lossless_since = WORLD_BEGINNING;
	w->delay_ns = LAN_DELAY_NS;
	w->random = random_init(0);
	for (size_t g = 0; g < WORLD_GROUPS_MAX; g++)
		text_copy(w->serving[g], sizeof(w->serving[g]), "nobody");
	return w;
}

static void free_packets(struct world *w)
{
	struct packet *p;

	while ((p = w->free_packets) != NULL) {
		w->free_packets = p->next_free;
		free(p);
	}
}

void world_free(struct world *w)
{
	schedule_clear(w);
	for (size_t i = 0; i < w->node_count; i++) {
		free(w->nodes[i].succession.record);
		reload_forget(&w->nodes[i]);
		free(w->nodes[i].memory);
		conf_free(&w->nodes[i].conf);
		if (w->nodes[i].last)
			lan_drop_packet(w, w->nodes[i].last);
	}
	free_packets(w);
	free(w->happenings);
	free(w->dues);
	checks_free(w->checks);
	free(w);
}

void world_tell(struct world *w, const char *format, ...)
{
	char what[1024], line[1100];
	struct text t = text_init(line, sizeof(line));
	va_list arguments;

	if (!w->tell)
		return;
	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	text_add(&t, "[%6lld] %s", (long long)(time_between(WORLD_BEGINNING, w->now) / NS_PER_MS),
		what);
	w->tell(w->tell_context, line);
}

void world_serving(const struct world *w, size_t group, char *buffer, size_t size)
{
	struct text t = text_init(buffer, size);

	for (size_t i = 0; i < w->node_count; i++)
		if (group < w->nodes[i].conf.group_count && node_serves(w, &w->nodes[i], group))
			text_add(&t, "%s%s", t.length > 0 ? " and " : "", w->nodes[i].name);
	if (t.length == 0)
		text_add(&t, "nobody");
}

static bool knows(const struct world *w, const struct ip *address)
{
	for (size_t a = 0; a < w->shared_count; a++)
		if (ip_equal(&w->shared[a].ip, address))
			return true;
	return false;
}

void world_learn(struct world *w, const struct conf *conf)
{
	for (; w->group_count < conf->group_count; w->group_count++)
		text_copy(w->group_names[w->group_count], NAME_SIZE,
			conf->groups[w->group_count].name);
	for (size_t a = 0; a < conf->address_count; a++) {
		const struct conf_address *address = &conf->addresses[a];

		if (knows(w, &address->ip))
			continue;
		assert(w->shared_count < WORLD_ADDRESSES_MAX);
		w->shared[w->shared_count++] =
			(struct shared){.ip = address->ip, .group = address->group};
	}
}

void world_tell_serving(struct world *w)
{
	char serving[WORLD_SERVING_SIZE];

	for (size_t g = 0; g < w->group_count; g++) {
		world_serving(w, g, serving, sizeof(serving));
		if (strcmp(serving, w->serving[g]) == 0)
			continue;
		text_copy(w->serving[g], sizeof(w->serving[g]), serving);
		world_tell(w, "= %s is served by %s", w->group_names[g], serving);
	}
}
