/* SPDX-License-Identifier: ISC */
/* exporter: becomes ha-exporter, the web server, with options that are checked here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/command.h"
#include "cli/exporter/listen.h"
#include "sys/program.h"

#define EXPORTER_NAME "ha-exporter"

static int become(const struct command *command, const char *listen, const char *runtime_dir)
{
	char path[PATH_SIZE];

	program_find(EXPORTER_NAME, path);
	if (access(path, F_OK) != 0)
		return command_failed(command,
			"there is no %s: ha was built without libmicrohttpd, or is not installed "
			"completely",
			path);
	(void)execl(path, EXPORTER_NAME, listen, runtime_dir, NULL);
	return command_failed(command, "cannot start %s: %s", path, strerror(errno));
}

int exporter_command(const struct command *command, int argc, char **argv)
{
	static const struct option OPTIONS[] = {{"listen", required_argument, NULL, 'l'},
		{"runtime-dir", required_argument, NULL, 'r'}, OPTIONS_END};
	const char *listen = LISTEN_DEFAULT, *runtime_dir = DEFAULT_RUNTIME_DIR;
	struct listen_address address;
	int option, status;

	while ((option = command_option(command, argc, argv, SHORT_OPTIONS, OPTIONS, &status)) !=
		-1) {
		if (option == OPTION_STOP)
			return status;
		if (option == 'l')
			listen = optarg;
		else
			runtime_dir = optarg;
	}
	status = command_options_only(command, argc, argv);
	if (status != EXIT_DONE)
		return status;
	if (!listen_parse(listen, &address))
		return command_misused(command,
			"--listen: %s is no address and port; write 127.0.0.1:9955, [::1]:9955, or "
			":9955 for every address",
			listen);
	return become(command, listen, runtime_dir);
}
