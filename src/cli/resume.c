/* SPDX-License-Identifier: ISC */
/* resume: ends what drain or yield began. */
#include "cli/request.h"

int resume_command(const struct command *command, int argc, char **argv)
{
	static const struct option OPTIONS[] = {
		{"runtime-dir", required_argument, NULL, 'r'}, OPTIONS_END};
	struct request r = {.asked.command = CONTROL_RESUME};
	int status;

	if (!request_options(command, argc, argv, OPTIONS, &r, &status))
		return status;
	if (optind + 1 < argc)
		return command_misused(command, "one GROUP at most, not also %s", argv[optind + 1]);
	if (optind < argc && !request_take_name(command, "GROUP", argv[optind], r.asked.group))
		return EXIT_USAGE;
	return request_carry_out(command, &r);
}
