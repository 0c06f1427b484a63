/* SPDX-License-Identifier: ISC */
#include "cli/exporter/exposition.h"

#include <stdarg.h>

#include "cli/members.h"

void exposition_add(struct exposition *o, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vfprintf(o->file, format, arguments);
	va_end(arguments);
}

void exposition_head(struct exposition *o, const char *name, const char *type, const char *help)
{
	exposition_add(o, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_value(struct exposition *o, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			exposition_add(o, "\\n");
		else if (*value == '"' || *value == '\\')
			exposition_add(o, "\\%c", *value);
		else
			exposition_add(o, "%c", *value);
	}
}

void exposition_label(
	struct exposition *o, const char *before, const char *label, const char *value)
{
	exposition_add(o, "%s%s=\"", before, label);
	add_value(o, value);
	exposition_add(o, "\"");
}

void exposition_sample(
	struct exposition *o, const char *name, const char *label, const char *value, double number)
{
	exposition_add(o, "%s", name);
	exposition_label(o, "{", label, value);
	exposition_add(o, "} %.15g\n", number);
}

void exposition_single(
	struct exposition *o, const char *name, const char *type, const char *help, double number)
{
	exposition_head(o, name, type, help);
	exposition_add(o, "%s %.15g\n", name, number);
}

void exposition_each(struct exposition *o, const json_t *array, const char *name, const char *type,
	const char *help, const char *label, double (*value)(const json_t *item))
{
	json_t *item;
	size_t i;

	exposition_head(o, name, type, help);
	json_array_foreach(array, i, item)
		exposition_sample(o, name, label, text_of(item, "name"), value(item));
}
