/* SPDX-License-Identifier: ISC */
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* How conf refers from one line to another. */
#define LINE_REFERENCE "line "

const struct option_key OPTION_KEY[OPTION_KEYS] = {
	{"interface", OPTION_NODE},
	{"address", OPTION_GROUP},
	{"worth", OPTION_GROUP},
	{"name", OPTION_NODE},
	{"interval", OPTION_NODE},
	{"tolerance", OPTION_NODE},
	{"key-file", OPTION_NODE},
	{"peer", OPTION_NODE},
	{"multicast", OPTION_NODE},
	{"port", OPTION_NODE},
	{"cluster", OPTION_NODE},
	{"max-tolerance", OPTION_NODE},
	{"margin", OPTION_NODE},
	{"user", OPTION_NODE},
	{"hook-timeout", OPTION_NODE},
	{"ipv4-as", OPTION_NODE},
	{"fence", OPTION_NODE},
	{"realtime", OPTION_NODE},
	{"removed-limit", OPTION_NODE},
	{"removed-window", OPTION_NODE},
	{"policy", OPTION_GROUP},
	{"standby", OPTION_GROUP},
	{"settle", OPTION_GROUP},
	{"hold-down", OPTION_GROUP},
	{"on-change", OPTION_GROUP},
	{"on-active", OPTION_GROUP},
	{"on-standby", OPTION_GROUP},
};

size_t options_key(const char *name)
{
	size_t i = 0;

	while (strcmp(OPTION_KEY[i].name, name) != 0) {
		i++;
		assert(i < OPTION_KEYS);
	}
	return i;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* Why @value would not mean the same in a file, or NULL. */
static const char *objection(const char *value)
{
	if (strlen(value) > OPTIONS_VALUE_MAX)
		return "the value is longer than 255 bytes";
	for (const char *c = value; *c; c++) {
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return "the value has a control character; it must be one line of text";
		if (*c == ';' && (c == value || is_blank(c[-1])))
			return "the value has a word that begins with ;, which begins a comment in "
			       "configurations; put such a command into a script";
	}
	return NULL;
}

bool options_add(struct options *o, size_t key, const char *value, const char **reterr)
{
	assert(key < OPTION_KEYS);
	*reterr = objection(value);
	if (o->count == OPTIONS_GIVEN_MAX)
		*reterr = "there are too many options; use a configuration file";
	if (*reterr)
		return false;
	o->given[o->count].key = key;
	o->given[o->count].value = value;
	o->count++;
	return true;
}

bool options_has(const struct options *o, const char *name)
{
	for (size_t i = 0; i < o->count; i++) {
		if (strcmp(OPTION_KEY[o->given[i].key].name, name) == 0)
			return true;
	}
	return false;
}

static void compose_section(const struct options *o, enum option_section section, struct text *text,
	const char **lines, size_t *line)
{
	for (size_t i = 0; i < o->count; i++) {
		const struct option_key *key = &OPTION_KEY[o->given[i].key];

		if (key->section != section)
			continue;
		text_add(text, "%s = %s\n", key->name, o->given[i].value);
		lines[(*line)++] = key->name;
	}
}

void options_compose(
	const struct options *o, struct text *text, const char *ret_lines[OPTIONS_LINES_MAX])
{
	size_t line = 2; /* they are counted from 1, and the first one is the heading */

	for (size_t i = 0; i < OPTIONS_LINES_MAX; i++)
		ret_lines[i] = NULL;
	text_add(text, "[node]\n");
	compose_section(o, OPTION_NODE, text, ret_lines, &line);
	line++;
	text_add(text, "[group %s]\n", CONF_GROUP);
	compose_section(o, OPTION_GROUP, text, ret_lines, &line);
	assert(line < OPTIONS_LINES_MAX);
}

void options_describe(struct text *text, const struct conf_diagnostic *mistake,
	const char *const lines[OPTIONS_LINES_MAX])
{
	const char *option = mistake->line < OPTIONS_LINES_MAX ? lines[mistake->line] : NULL;
	const char *at = mistake->message, *found;

	if (option)
		text_add(text, "--%s: ", option);
	while ((found = strstr(at, LINE_REFERENCE)) != NULL) {
		char *end;
		unsigned long line = strtoul(found + strlen(LINE_REFERENCE), &end, 10);

		option = line < OPTIONS_LINES_MAX ? lines[line] : NULL;
		if (option)
			text_add(text, "%.*s--%s", (int)(found - at), at, option);
		else
			text_add(text, "%.*s", (int)(end - at), at);
		at = end;
	}
	text_add(text, "%s", at);
}
