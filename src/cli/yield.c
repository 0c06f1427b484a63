/* SPDX-License-Identifier: ISC */
/* yield: hands a group that this server holds over to another one, and waits until it has it. */
#include "cli/request.h"

int yield_command(const struct command *command, int argc, char **argv)
{
	static const struct option OPTIONS[] = {{"to", required_argument, NULL, 't'},
		{"timeout", required_argument, NULL, 'w'},
		{"runtime-dir", required_argument, NULL, 'r'}, OPTIONS_END};
	struct request r = {.asked.command = CONTROL_YIELD};
	int status;

	if (!request_options(command, argc, argv, OPTIONS, &r, &status))
		return status;
	if (optind + 1 != argc)
		return command_misused(command, "give the one GROUP to yield");
	if (!request_take_name(command, "GROUP", argv[optind], r.asked.group))
		return EXIT_USAGE;
	return request_carry_out(command, &r);
}
