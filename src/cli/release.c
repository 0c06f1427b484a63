/* SPDX-License-Identifier: ISC */
/* release: takes down the shared addresses that a daemon left behind, by becoming the keeper for a
 * moment. What the last daemon really ran with counts more than the file, which may have changed.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/configuration.h"
#include "wire/runtime.h"

int release_command(const struct command *command, int argc, char **argv)
{
	static const struct option OPTIONS[] = {{"configuration", required_argument, NULL, 'c'},
		{"runtime-dir", required_argument, NULL, 'r'},
		{"unless-restarting", no_argument, NULL, 'u'}, OPTIONS_END};
	const char *path = DEFAULT_CONFIGURATION, *runtime_dir = DEFAULT_RUNTIME_DIR;
	struct configuration configuration;
	char running[PATH_SIZE];
	struct text text = text_init(running, sizeof(running));
	struct keeper_call call = {.task = KEEPER_RELEASE};
	struct conf *conf;
	int option, status;

	while ((option = command_option(command, argc, argv, ":c:h", OPTIONS, &status)) != -1) {
		if (option == OPTION_STOP)
			return status;
		if (option == 'u')
			call.task = KEEPER_RELEASE_UNLESS_RESTARTING;
		else
			*(option == 'c' ? &path : &runtime_dir) = optarg;
	}
	status = command_options_only(command, argc, argv);
	if (status != EXIT_DONE)
		return status;
	text_add(&text, "%s/%s", runtime_dir, RUNTIME_CONFIGURATION_NAME);
	if (access(running, F_OK) == 0)
		path = running;
	status = configuration_load(command, path, &configuration, &conf);
	if (status != EXIT_DONE)
		return status;
	conf_free(conf);
	free(conf);
	call.runtime_dir = runtime_dir;
	status = configuration_hand_to_keeper(command, &configuration, &call);
	configuration_done(&configuration);
	return status;
}
