/* SPDX-License-Identifier: ISC */
/*
 * story: a story file is commands (lines that begin with "> ") each followed by what is expected to
 * happen. Comments (#) and blank lines are free.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "sim/world.h"
#include "story.h"

#define LINES_MAX   8192
#define OUTPUT_SIZE (1024 * 1024)

struct lines {
	size_t count;
	char *list[LINES_MAX];
};

struct story {
	const char *file;
	struct world *world;
	bool write;
	bool good;
	unsigned line;         /* now */
	unsigned command_line; /* of the current command; 0: none yet */
	char *command;
	struct lines expected;
	struct text output; /* since the command */
	char output_bytes[OUTPUT_SIZE];
	struct lines comments; /* since the command, printed behind what it told */
};

static void lines_add(struct lines *lines, char *line)
{
	assert(lines->count < LINES_MAX);
	lines->list[lines->count++] = line;
}

static void split(char *text, struct lines *ret_lines)
{
	char *line;

	ret_lines->count = 0;
	while ((line = strsep(&text, "\n")) != NULL)
		if (line[0] != '\0')
			lines_add(ret_lines, line);
}

/* Both sides from the first line that differs on. */
static void print_difference(const struct story *s, const struct lines *actual, size_t from)
{
	printf("%s:%u: after \"%s\" the story goes on differently.\n", s->file, s->command_line,
		s->command);
	for (size_t i = 0; i < from; i++)
		printf("      %s\n", actual->list[i]);
	for (size_t i = from; i < s->expected.count; i++)
		printf("  told %s\n", s->expected.list[i]);
	for (size_t i = from; i < actual->count; i++)
		printf("  real %s\n", actual->list[i]);
}

static void compare(struct story *s, const struct lines *actual)
{
	size_t same = 0;

	while (same < actual->count && same < s->expected.count &&
		strcmp(actual->list[same], s->expected.list[same]) == 0)
		same++;
	if (same == actual->count && same == s->expected.count)
		return;
	s->good = false;
	print_difference(s, actual, same);
}

static void print_real(const struct story *s, const struct lines *actual)
{
	if (s->command)
		printf("> %s\n", s->command);
	for (size_t i = 0; i < actual->count; i++)
		printf("%s\n", actual->list[i]);
	for (size_t i = 0; i < s->comments.count; i++)
		printf("%s\n", s->comments.list[i]);
}

static void take_line(void *context, const char *line)
{
	struct story *s = context;

	text_add(&s->output, "%s\n", line);
}

static bool run_command(struct story *s)
{
	if (command_run_text(s->world, s->command))
		return true;
	printf("%s:%u: \"%s\" makes no sense\n%s", s->file, s->command_line, s->command,
		s->output_bytes);
	return false;
}

/* The command that came before is carried out when all that is expected of it has been read. */
static void finish_command(struct story *s)
{
	static struct lines actual;

	if (s->command && !run_command(s))
		s->good = false;
	split(s->output_bytes, &actual);
	if (s->write)
		print_real(s, &actual);
	else
		compare(s, &actual);
	s->output = text_init(s->output_bytes, sizeof(s->output_bytes));
	s->expected.count = s->comments.count = 0;
}

static void read_line(struct story *s, char *line)
{
	if (strncmp(line, "> ", 2) == 0) {
		finish_command(s);
		s->command = line + 2;
		s->command_line = s->line;
	} else if (line[0] == '#' || line[0] == '\0') {
		lines_add(&s->comments, line);
	} else {
		lines_add(&s->expected, line);
	}
}

bool story_run(const char *file, char *text, bool write)
{
	static struct story s;
	char *line;

	s.file = file;
	s.world = world_new();
	s.write = write;
	s.good = true;
	s.line = s.command_line = 0;
	s.command = NULL;
	s.expected.count = s.comments.count = 0;
	s.output = text_init(s.output_bytes, sizeof(s.output_bytes));
	assert(s.world);
	s.world->tell = take_line;
	s.world->tell_context = &s;
	while ((line = strsep(&text, "\n")) != NULL) {
		s.line++;
		if (text || line[0] != '\0') /* not the nothing behind the last newline */
			read_line(&s, line);
	}
	finish_command(&s);
	if (s.world->violations > 0) {
		printf("%s: a promise was broken %zu times\n", file, s.world->violations);
		s.good = false;
	}
	world_free(s.world);
	return s.good;
}
