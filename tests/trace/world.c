/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->happenings = calloc(WORLD_EVENTS_MAX, sizeof(*w->happenings));
	if (!w->happenings) {
		free(w);
		return NULL;
	}
	w->now = WORLD_BEGINNING;
	w->delay_ns = LAN_DELAY_NS;
	w->output = text_init(w->output_bytes, sizeof(w->output_bytes));
	for (size_t g = 0; g < GROUPS_MAX; g++)
		text_copy(w->serving[g], sizeof(w->serving[g]), "nobody");
	for (size_t i = 0; i < WORLD_NODES_MAX; i++)
		for (size_t j = 0; j < WORLD_NODES_MAX; j++)
			for (size_t g = 0; g < GROUPS_MAX; g++)
				w->check.both_since[i][j][g] = TIME_NEVER;
	return w;
}

void world_free(struct world *w)
{
	for (size_t i = 0; i < w->node_count; i++)
		free(w->nodes[i].memory);
	free(w->happenings);
	free(w);
}

void world_tell(struct world *w, const char *format, ...)
{
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	text_add(&w->output, "[%6lld] %s\n",
		(long long)(time_between(WORLD_BEGINNING, w->now) / NS_PER_MS), line);
}

void world_serving(const struct world *w, size_t group, char *buffer, size_t size)
{
	struct text t = text_init(buffer, size);

	for (size_t i = 0; i < w->node_count; i++)
		if (node_serves(&w->nodes[i], group))
			text_add(&t, "%s%s", t.length > 0 ? " and " : "", w->nodes[i].name);
	if (t.length == 0)
		text_add(&t, "nobody");
}

void world_tell_serving(struct world *w)
{
	char serving[sizeof(w->serving[0])];

	for (size_t g = 0; w->node_count > 0 && g < w->nodes[0].conf.group_count; g++) {
		world_serving(w, g, serving, sizeof(serving));
		if (strcmp(serving, w->serving[g]) == 0)
			continue;
		text_copy(w->serving[g], sizeof(w->serving[g]), serving);
		world_tell(w, "= %s is served by %s", w->nodes[0].conf.groups[g].name, serving);
	}
}
