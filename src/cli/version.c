/* SPDX-License-Identifier: ISC */
/* version: which ha this is. */
#include <stdio.h>

#include "cli/command.h"

int version_command(const struct command *command, int argc, char **argv)
{
	static const struct option OPTIONS[] = {OPTIONS_END};
	int status;

	if (command_option(command, argc, argv, SHORT_OPTIONS, OPTIONS, &status) == OPTION_STOP)
		return status;
	if (optind < argc)
		return command_misused(
			command, "what is %s? This command takes options only", argv[optind]);
	printf("ha %s\n", HA_VERSION);
	return command_finish_output(command);
}
