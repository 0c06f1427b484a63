/* SPDX-License-Identifier: ISC */
#include "cli/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/nearest.h"

#define OPTIONS_MAX 48

static void complain(const struct command *command, const char *format, va_list arguments)
{
	(void)fflush(stdout);
	fprintf(stderr, "ha %s: ", command->name);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

int command_misused(const struct command *command, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain(command, format, arguments);
	va_end(arguments);
	fprintf(stderr, "usage: ha %s%s; `ha %s --help` says more\n", command->name, command->usage,
		command->name);
	return EXIT_USAGE;
}

int command_failed(const struct command *command, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain(command, format, arguments);
	va_end(arguments);
	return EXIT_FAILED;
}

void command_print_help(const struct command *command)
{
	printf("usage: ha %s%s\n\n%s\n\n%s", command->name, command->usage, command->summary,
		command->help);
}

int command_finish_output(const struct command *command)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_DONE;
	return command_failed(command, "cannot write the output: %s", strerror(errno));
}

/* The long option that @word (without its dashes) was perhaps meant to be, or NULL. */
static const char *nearest_option(const struct option *options, const char *word)
{
	const char *names[OPTIONS_MAX];
	size_t count = 0;

	for (; count < OPTIONS_MAX && options[count].name; count++)
		names[count] = options[count].name;
	return nearest_name(word, names, count);
}

static int unknown_option(
	const struct command *command, const struct option *options, const char *argument)
{
	const char *nearest = NULL;

	if (strncmp(argument, "--", 2) == 0)
		nearest = nearest_option(options, argument + 2);
	if (nearest)
		return command_misused(
			command, "unknown option %s; did you mean --%s?", argument, nearest);
	return command_misused(command, "unknown option %s", argument);
}

int command_option(const struct command *command, int argc, char **argv, const char *short_options,
	const struct option *options, int *ret_status)
{
	int answer = getopt_long(argc, argv, short_options, options, NULL);

	switch (answer) {
	case OPTION_HELP:
		command_print_help(command);
		*ret_status = command_finish_output(command);
		return OPTION_STOP;
	case ':':
		*ret_status = command_misused(command, "%s needs a value", argv[optind - 1]);
		return OPTION_STOP;
	case '?':
		*ret_status = unknown_option(command, options, argv[optind - 1]);
		return OPTION_STOP;
	default: return answer;
	}
}

int command_options_only(const struct command *command, int argc, char **argv)
{
	if (optind == argc)
		return EXIT_DONE;
	return command_misused(
		command, "what is %s? This command takes options only", argv[optind]);
}

bool command_one_file(const struct command *command, int argc, char **argv, const char **ret_path,
	int *ret_status)
{
	static const struct option options[] = {OPTIONS_END};

	if (command_option(command, argc, argv, SHORT_OPTIONS, options, ret_status) == OPTION_STOP)
		return false;
	if (optind + 1 < argc) {
		*ret_status = command_misused(
			command, "one FILE at a time, not also %s", argv[optind + 1]);
		return false;
	}
	if (optind < argc)
		*ret_path = argv[optind];
	return true;
}
