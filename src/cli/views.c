/* SPDX-License-Identifier: ISC */
#include "cli/views.h"

#include <string.h>

#include "cli/members.h"
#include "cli/render.h"
#include "cli/style.h"

#define STATE_WIDTH  9
#define COLUMN_WIDTH 14

/* A name, cut to @width and filled up to it. */
static void add_name(struct text *t, const char *name, size_t width)
{
	size_t start = t->length;

	text_add_foreign(t, name);
	if (t->length - start > width)
		t->length = start + width;
	t->bytes[t->length] = '\0';
	text_add(t, "%*s", (int)(width - (t->length - start)), "");
}

static size_t name_width(const json_t *nodes)
{
	size_t width = 4, i;
	json_t *node;

	json_array_foreach(nodes, i, node)
	{
		size_t length = strlen(text_of(node, "name"));

		if (length > width)
			width = length;
	}
	return width;
}

static const json_t *group_of(const json_t *node, const char *name)
{
	json_t *group;
	size_t i;

	json_array_foreach(json_object_get(node, "groups"), i, group)
	{
		if (strcmp(text_of(group, "name"), name) == 0)
			return group;
	}
	return NULL;
}

static enum colour colour_of(const char *state)
{
	if (strcmp(state, "ACTIVE") == 0)
		return COLOUR_GREEN;
	return strcmp(state, "STANDBY") == 0 ? COLOUR_YELLOW : COLOUR_DIM;
}

/* Blanks at the end of a line help nobody. */
static void end_line(struct text *t)
{
	while (t->length > 0 && t->bytes[t->length - 1] == ' ')
		t->bytes[--t->length] = '\0';
	text_add(t, "\n");
}

static void add_standing(struct text *t, const json_t *node, const json_t *group, bool colour)
{
	const char *state = text_of(group, "state");

	text_add(t, "%s%-*s%s", colour_on(colour, colour_of(state)), STATE_WIDTH, state,
		colour_off(colour));
	text_add(t, "worth %-6" JSON_INTEGER_FORMAT "epoch %-8" JSON_INTEGER_FORMAT,
		json_integer_value(json_object_get(group, "worth")),
		json_integer_value(json_object_get(group, "epoch")));
	if (flag_of(group, "wants"))
		text_add(t, "asks for it");
	else if (flag_of(group, "listens"))
		text_add(t, "listens");
	else if (!flag_of(group, "eligible"))
		text_add(t, "not eligible");
	else if (flag_of(group, "impaired"))
		text_add(t, "impaired");
	if (!flag_of(node, "live"))
		text_add(t, "%s (its last word)", colour_on(colour, COLOUR_DIM));
	text_add(t, "%s", colour_off(colour));
	end_line(t);
}

static void render_group(
	struct text *t, const json_t *nodes, const char *name, size_t width, bool colour)
{
	json_t *node;
	size_t i;

	text_add(t, "\n%s", colour_on(colour, COLOUR_BOLD));
	text_add_foreign(t, name);
	text_add(t, "%s\n", colour_off(colour));
	json_array_foreach(nodes, i, node)
	{
		const json_t *group = group_of(node, name);

		text_add(t, "  ");
		add_name(t, text_of(node, "name"), width);
		text_add(t, "  ");
		if (group)
			add_standing(t, node, group, colour);
		else
			text_add(t, "does not have it\n");
	}
}

/* When @row last heard @column, by its own word; false if it does not. */
static bool find_age(const json_t *row, const json_t *column, int64_t *ret_age_ms)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(row, "hears"), i, entry)
	{
		if (strcmp(text_of(entry, "id"), text_of(column, "id")) != 0)
			continue;
		*ret_age_ms = json_integer_value(json_object_get(entry, "age_ms"));
		return true;
	}
	return false;
}

/* A node that is gone says nothing new of whom it hears. */
static void add_hearing(struct text *t, const json_t *row, const json_t *column, bool colour)
{
	char cell[32];
	struct text c = text_init(cell, sizeof(cell));
	bool loud = false;
	int64_t age_ms;

	if (row == column) {
		text_add(&c, "-");
	} else if (!flag_of(row, "live")) {
		text_add(&c, "?");
	} else if (find_age(row, column, &age_ms)) {
		render_duration(&c, age_ms);
		text_add(&c, " ago");
		loud = flag_of(column, "live") &&
		       age_ms > json_integer_value(json_object_get(column, "tolerance_ms"));
	} else {
		text_add(&c, "NO");
		loud = true;
	}
	text_add(t, "  %s%-*s%s", colour_on(colour && loud, COLOUR_RED), COLUMN_WIDTH, cell,
		colour_off(colour && loud));
}

static void render_hearing(struct text *t, const json_t *nodes, size_t width, bool colour)
{
	json_t *row, *column;
	size_t i, j;

	text_add(t, "\n%swho hears whom%s (rows hear columns)\n  %*s",
		colour_on(colour, COLOUR_BOLD), colour_off(colour), (int)width, "");
	json_array_foreach(nodes, i, column)
	{
		text_add(t, "  ");
		add_name(t, text_of(column, "name"), COLUMN_WIDTH);
	}
	end_line(t);
	json_array_foreach(nodes, i, row)
	{
		text_add(t, "  ");
		add_name(t, text_of(row, "name"), width);
		json_array_foreach(nodes, j, column) add_hearing(t, row, column, colour);
		text_add(t, "%s", flag_of(row, "live") ? "" : "gone");
		end_line(t);
	}
}

static void render_differences(struct text *t, const json_t *differences, bool colour)
{
	json_t *difference;
	size_t i;

	if (json_array_size(differences) == 0) {
		text_add(t, "\nall views agree\n");
		return;
	}
	text_add(t, "\n");
	json_array_foreach(differences, i, difference)
	{
		text_add(
			t, "%sVIEWS DIFFER:%s ", colour_on(colour, COLOUR_RED), colour_off(colour));
		text_add_foreign(t, json_string_value(difference));
		text_add(t, "\n");
	}
}

void render_views(struct text *t, const json_t *views, const char *group, bool colour)
{
	const json_t *nodes = json_object_get(views, "nodes");
	size_t width = name_width(nodes), i;
	json_t *own;

	text_add(t, "the cluster as ");
	text_add_foreign(t, text_of(json_array_get(nodes, 0), "name"));
	text_add(t, " knows it\n");
	json_array_foreach(json_object_get(json_array_get(nodes, 0), "groups"), i, own)
	{
		if (!group || strcmp(group, text_of(own, "name")) == 0)
			render_group(t, nodes, text_of(own, "name"), width, colour);
	}
	render_hearing(t, nodes, width, colour);
	render_differences(t, json_object_get(views, "differences"), colour);
}
