/* SPDX-License-Identifier: ISC */
/* drain: this server hands over what it holds, and holds nothing until `ha resume`. */
#include "cli/request.h"

int drain_command(const struct command *command, int argc, char **argv)
{
	static const struct option OPTIONS[] = {{"force", no_argument, NULL, 'f'},
		{"timeout", required_argument, NULL, 'w'},
		{"runtime-dir", required_argument, NULL, 'r'}, OPTIONS_END};
	struct request r = {.asked.command = CONTROL_DRAIN};
	int status;

	if (!request_options(command, argc, argv, OPTIONS, &r, &status))
		return status;
	if (optind < argc)
		return command_misused(command,
			"it is about the whole server: leave %s out, or use `ha yield %s`",
			argv[optind], argv[optind]);
	return request_carry_out(command, &r);
}
