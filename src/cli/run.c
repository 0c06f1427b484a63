/* SPDX-License-Identifier: ISC */
/* run: checks a configuration, from a file or from options, and becomes the keeper. The process
 * stays the same, so that a service manager's signals reach it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/options.h"
#include "cli/state_dir.h"

/* Options that are keys of the configuration have these values, one for each of OPTION_KEY. */
#define KEY_OPTION_FIRST 256

enum { RUN_RUNTIME_DIR = 'r', RUN_STATE_DIR = 's', RUN_CONFIGURATION = 'c' };

struct run {
	const char *path; /* NULL: not given */
	const char *runtime_dir;
	const char *state_dir;
	struct options options;
};

#define RUN_OPTIONS (OPTION_KEYS + 5)

static void fill_options(struct option options[RUN_OPTIONS])
{
	const struct option fixed[] = {
		{"configuration", required_argument, NULL, RUN_CONFIGURATION},
		{"runtime-dir", required_argument, NULL, RUN_RUNTIME_DIR},
		{"state-dir", required_argument, NULL, RUN_STATE_DIR},
		OPTIONS_END,
	};

	for (int i = 0; i < OPTION_KEYS; i++)
		options[i] = (struct option){
			OPTION_KEY[i].name, required_argument, NULL, KEY_OPTION_FIRST + i};
	static_assert(sizeof(fixed) / sizeof(fixed[0]) == RUN_OPTIONS - OPTION_KEYS,
		"the table has room for the fixed options");
	memcpy(options + OPTION_KEYS, fixed, sizeof(fixed));
}

/* Reads the command line. EXIT_DONE, or what to exit with, then *@ret_stop. */
static int read_options(
	const struct command *command, int argc, char **argv, struct run *run, bool *ret_stop)
{
	struct option options[RUN_OPTIONS];
	int option, status = EXIT_DONE;
	const char *reason;

	*ret_stop = true;
	fill_options(options);
	while ((option = command_option(command, argc, argv, ":c:h", options, &status)) != -1) {
		if (option == OPTION_STOP)
			return status;
		if (option == RUN_CONFIGURATION)
			run->path = optarg;
		else if (option == RUN_RUNTIME_DIR)
			run->runtime_dir = optarg;
		else if (option == RUN_STATE_DIR)
			run->state_dir = optarg;
		else if (!options_add(&run->options, (size_t)(option - KEY_OPTION_FIRST), optarg,
				 &reason))
			return command_misused(command, "--%s: %s",
				OPTION_KEY[option - KEY_OPTION_FIRST].name, reason);
	}
	if (optind < argc)
		return command_misused(command,
			"%s is no option; addresses are given as --address %s", argv[optind],
			argv[optind]);
	if (run->path && run->options.count > 0)
		return command_misused(
			command, "either -c FILE or the options of a configuration, not both");
	*ret_stop = false;
	return EXIT_DONE;
}

static struct keeper_call call_of(const struct run *run)
{
	return (struct keeper_call){
		.task = KEEPER_SERVE, .runtime_dir = run->runtime_dir, .state_dir = run->state_dir};
}

static int run_file(const struct command *command, const struct run *run)
{
	const char *path = run->path ? run->path : DEFAULT_CONFIGURATION;
	struct keeper_call call = call_of(run);
	struct configuration configuration;
	char whole[PATH_MAX];
	struct conf *conf;
	int status;

	if (!run->path && access(path, F_OK) != 0)
		return command_misused(
			command, "there is no %s; give -c FILE or --interface and --address", path);
	status = configuration_load(command, path, &configuration, &conf);
	if (status != EXIT_DONE)
		return status;
	conf_free(conf);
	free(conf);
	call.file = realpath(path, whole);
	status = configuration_hand_to_keeper(command, &configuration, &call);
	configuration_done(&configuration);
	return status;
}

static void print_mistakes(const struct command *command, const struct conf_diagnostics *d,
	const char *const lines[OPTIONS_LINES_MAX])
{
	for (size_t i = 0; i < d->count; i++) {
		char message[2 * CONF_MESSAGE_SIZE];
		struct text text = text_init(message, sizeof(message));

		options_describe(&text, &d->list[i], lines);
		fprintf(stderr, "ha %s: %s\n", command->name, message);
	}
	if (d->omitted > 0)
		fprintf(stderr, "ha %s: and %zu more mistakes\n", command->name, d->omitted);
}

static int check_composed(const struct command *command, const struct configuration *c,
	const char *const lines[OPTIONS_LINES_MAX])
{
	struct conf_diagnostics *diagnostics;
	struct conf *conf;

	if (configuration_parse(c, &conf, &diagnostics)) {
		conf_free(conf);
		free(conf);
		free(diagnostics);
		return EXIT_DONE;
	}
	if (!diagnostics)
		return command_failed(command, "out of memory");
	print_mistakes(command, diagnostics, lines);
	free(diagnostics);
	return EXIT_USAGE;
}

static int run_options(const struct command *command, const struct run *run)
{
	const char *lines[OPTIONS_LINES_MAX];
	const struct keeper_call call = call_of(run);
	struct configuration configuration;
	struct text text;
	int status;

	if (!options_has(&run->options, "interface"))
		return command_misused(command,
			"--interface is missing: the device that the heartbeats go through, "
			"such as --interface eth0");
	if (!options_has(&run->options, "address"))
		return command_misused(command,
			"--address is missing: the address to share, such as "
			"--address 192.168.1.100/24");
	configuration.bytes = malloc(CONF_TEXT_MAX);
	if (!configuration.bytes)
		return command_failed(command, "out of memory");
	text = text_init(configuration.bytes, CONF_TEXT_MAX);
	options_compose(&run->options, &text, lines);
	configuration.size = text.length;
	status = check_composed(command, &configuration, lines);
	if (status == EXIT_DONE)
		status = configuration_hand_to_keeper(command, &configuration, &call);
	configuration_done(&configuration);
	return status;
}

int run_command(const struct command *command, int argc, char **argv)
{
	struct run *run = calloc(1, sizeof(*run));
	char state_dir[PATH_SIZE];
	bool stop;
	int status;

	if (!run)
		return command_failed(command, "out of memory");
	run->runtime_dir = DEFAULT_RUNTIME_DIR;
	status = read_options(command, argc, argv, run, &stop);
	run->state_dir = state_dir_of(run->state_dir, run->runtime_dir, state_dir);
	if (!stop && run->options.count > 0)
		status = run_options(command, run);
	else if (!stop)
		status = run_file(command, run);
	free(run);
	return status;
}
