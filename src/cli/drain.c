/* SPDX-License-Identifier: ISC */
/* drain: this server hands over what it holds, and holds nothing until `ha resume`. */
#include "cli/request.h"

int drain_command(const struct command *command, int argc, char **argv)
{
	static const struct option OPTIONS[] = {{"force", no_argument, NULL, 'f'},
		{"timeout", required_argument, NULL, 'w'},
		{"runtime-dir", required_argument, NULL, 'r'}, OPTIONS_END};
	struct request r = {.asked.command = CONTROL_DRAIN,
		.runtime_dir = DEFAULT_RUNTIME_DIR,
		.patience_s = REQUEST_PATIENCE_S};
	int option, status;

	while ((option = command_option(command, argc, argv, SHORT_OPTIONS, OPTIONS, &status)) !=
		-1) {
		if (option == OPTION_STOP)
			return status;
		if (option == 'r')
			r.runtime_dir = optarg;
		else if (option == 'f')
			r.asked.force = true;
		else if (!request_take_timeout(command, optarg, &r.patience_s))
			return EXIT_USAGE;
	}
	if (optind < argc)
		return command_misused(command,
			"it is about the whole server: leave %s out, or use `ha yield %s`",
			argv[optind], argv[optind]);
	return request_carry_out(command, &r);
}
