/* SPDX-License-Identifier: ISC */
/*
 * options: `ha run --interface eth0 --address ...`: a configuration without a file. Each option is
 * a key of the configuration with its own name, so the options become the text of an equivalent
 * file with one group, and the one parser judges it; its messages are led back to the option. Pure.
 */
#ifndef HA_CLI_OPTIONS_H
#define HA_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "conf/conf.h"

#define OPTIONS_VALUE_MAX (COMMAND_SIZE - 1) /* the longest value that any key takes */
#define OPTIONS_GIVEN_MAX (UNICAST_MAX + 256 + 64)

enum option_section { OPTION_NODE, OPTION_GROUP };

/* A key that can be given as an option, in the order of the manual. */
struct option_key {
	const char *name;
	enum option_section section;
};

#define OPTION_KEYS 27
extern const struct option_key OPTION_KEY[OPTION_KEYS];

/* Index into OPTION_KEY of the key called @name, which must be one. */
size_t options_key(const char *name);

/* Options as given: which key, which value (borrowed). */
struct options {
	size_t count;
	struct {
		size_t key; /* index into OPTION_KEY */
		const char *value;
	} given[OPTIONS_GIVEN_MAX];
};

/**
 * options_add - one option of the command line
 * @key:    index into OPTION_KEY
 * @value:  borrowed until options_compose()
 * @reterr: what is wrong with it (static)
 *
 * A value that could begin a line of its own, or end in a comment, is refused: it would say
 * something else in a configuration than on the command line.
 *
 * Return: false if it cannot be taken.
 */
bool options_add(struct options *o, size_t key, const char *value, const char **reterr);

/* True if @name was given at least once. */
bool options_has(const struct options *o, const char *name);

/* Appends the equivalent configuration: [node], its keys, [group main], its keys. @ret_lines[n],
 * for n below OPTIONS_LINES_MAX, is the name of the option on line n (static), NULL for a heading.
 */
#define OPTIONS_LINES_MAX (OPTIONS_GIVEN_MAX + 4)
void options_compose(
	const struct options *o, struct text *text, const char *ret_lines[OPTIONS_LINES_MAX]);

/* Appends the message of @mistake in the composed text as one about options: in front of it the
 * option of its line, and "line 5" in it replaced by the option that stands there. */
void options_describe(struct text *text, const struct conf_diagnostic *mistake,
	const char *const lines[OPTIONS_LINES_MAX]);

#endif
