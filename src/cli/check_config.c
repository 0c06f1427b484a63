/* SPDX-License-Identifier: ISC */
/* check-config: every mistake of a configuration file, or what it says in one line. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "cli/command.h"
#include "cli/configuration.h"

static void print_count(unsigned count, const char *one, const char *many)
{
	printf("%u %s, ", count, count == 1 ? one : many);
}

static void print_summary(const char *path, const struct conf *c)
{
	printf("%s: good: ", path);
	print_count(c->group_count, "group", "groups");
	print_count(c->address_count, "address", "addresses");
	printf("heartbeat every %g ms, gone after %g ms%s\n",
		(double)c->node.interval_ns / (double)NS_PER_MS,
		(double)c->node.tolerance_ns / (double)NS_PER_MS,
		*c->node.key_file ? "" : ", no key-file: heartbeats are not authenticated");
}

int check_config_command(const struct command *command, int argc, char **argv)
{
	struct configuration configuration;
	const char *path = DEFAULT_CONFIGURATION;
	struct conf *conf;
	int status;

	if (!command_one_file(command, argc, argv, &path, &status))
		return status;
	status = configuration_load(command, path, &configuration, &conf);
	if (status != EXIT_DONE)
		return status;
	configuration_done(&configuration);
	print_summary(path, conf);
	conf_free(conf);
	free(conf);
	return command_finish_output(command);
}
