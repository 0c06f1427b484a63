/* SPDX-License-Identifier: ISC */
/*
 * command: what the subcommands of `ha` share: the exit statuses that scripts rely on, the reading
 * of options with one manner of complaint, and one-line messages on standard error.
 */
#ifndef HA_CLI_COMMAND_H
#define HA_CLI_COMMAND_H

#include <getopt.h>
#include <stdbool.h>

#define DEFAULT_RUNTIME_DIR   "/run/ha"
#define DEFAULT_CONFIGURATION "/etc/ha/ha.conf"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2, /* wrong usage or configuration */
	EXIT_NO_DAEMON = 3,
};

struct command {
	const char *name;
	/* argv[0] is the subcommand's name. Returns an exit status. */
	int (*run)(const struct command *command, int argc, char **argv);
	const char *summary; /* one line of `ha --help` */
	const char *usage;   /* what follows "ha NAME" */
	const char *help;    /* options and examples, printed by `ha NAME --help` */
};

int run_command(const struct command *command, int argc, char **argv);
int status_command(const struct command *command, int argc, char **argv);
int watch_command(const struct command *command, int argc, char **argv);
int exporter_command(const struct command *command, int argc, char **argv);
int history_command(const struct command *command, int argc, char **argv);
int yield_command(const struct command *command, int argc, char **argv);
int drain_command(const struct command *command, int argc, char **argv);
int resume_command(const struct command *command, int argc, char **argv);
int check_config_command(const struct command *command, int argc, char **argv);
int keygen_command(const struct command *command, int argc, char **argv);
int reload_command(const struct command *command, int argc, char **argv);
int release_command(const struct command *command, int argc, char **argv);
int demo_command(const struct command *command, int argc, char **argv);
int version_command(const struct command *command, int argc, char **argv);

/* What every subcommand's getopt_long() knows: give these as the last ones of its table. */
#define OPTION_HELP 'h'
#define OPTIONS_END                                                                                \
	{"help", no_argument, NULL, OPTION_HELP},                                                  \
	{                                                                                          \
		NULL, 0, NULL, 0                                                                   \
	}
#define SHORT_OPTIONS                                                                              \
	":h" /* with a leading colon: getopt tells a missing value apart and stays silent */

/**
 * command_option - the next option, like getopt_long()
 * @ret_status: set when the answer is OPTION_STOP: help was printed, or a complaint
 *
 * Return: the option's value, -1 after the last one, or OPTION_STOP: return *@ret_status.
 */
#define OPTION_STOP (-2)
int command_option(const struct command *command, int argc, char **argv, const char *short_options,
	const struct option *options, int *ret_status);

/* After the options: EXIT_DONE, or EXIT_USAGE after a complaint if a word is left. */
int command_options_only(const struct command *command, int argc, char **argv);

/**
 * command_one_file - reads the command line of a subcommand that takes no option but --help
 * @ret_path: the FILE that was given; untouched if none was
 *
 * Return: true; false: return *@ret_status.
 */
bool command_one_file(const struct command *command, int argc, char **argv, const char **ret_path,
	int *ret_status);

/* Prints the usage, help and examples of @command on standard output. */
void command_print_help(const struct command *command);

/* Prints "ha NAME: message" and where to read more on standard error; returns EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int command_misused(
	const struct command *command, const char *format, ...);

/* Prints "ha NAME: message" on standard error; returns EXIT_FAILED. */
__attribute__((format(printf, 2, 3))) int command_failed(
	const struct command *command, const char *format, ...);

/* Writes out what standard output still holds. EXIT_DONE, or EXIT_FAILED with a message. */
int command_finish_output(const struct command *command);

#endif
