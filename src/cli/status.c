/* SPDX-License-Identifier: ISC */
/* status: asks the daemon how things stand and shows it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/metrics.h"
#include "cli/render.h"
#include "cli/style.h"
#include "cli/views.h"
#include "sys/clock.h"

/* An engine with thousands of groups makes its answer bit by bit, between its heartbeats. */
#define PATIENCE_SECONDS 20

struct options {
	const char *runtime_dir;
	const char *group; /* NULL: all */
	bool json;
	bool verbose;
	bool all; /* the whole cluster */
};

static bool group_exists(const struct status *s, const char *name)
{
	for (size_t i = 0; i < s->group_count; i++) {
		if (strcmp(s->groups[i].name, name) == 0)
			return true;
	}
	return false;
}

static int unknown_group(const struct command *command, const struct status *s, const char *name)
{
	char names[4096];
	struct text text = text_init(names, sizeof(names));

	for (size_t i = 0; i < s->group_count; i++) {
		text_add(&text, "%s", i == 0 ? "" : ", ");
		text_add_foreign(&text, s->groups[i].name);
	}
	(void)command_failed(command, "there is no group %s; there %s %s", name,
		s->group_count == 1 ? "is" : "are", names);
	return EXIT_USAGE;
}

static int show(const struct command *command, const struct status *s, const json_t *json,
	const struct options *o)
{
	const struct render how = {
		.colour = colour_wanted(STDOUT_FILENO),
		.wall_ms = clock_wall_ms(),
		.group = o->group,
	};
	char *buffer;
	struct text text;

	if (o->group && !group_exists(s, o->group))
		return unknown_group(command, s, o->group);
	buffer = malloc(RENDER_STATUS_MAX);
	if (!buffer)
		return command_failed(command, "out of memory");
	text = text_init(buffer, RENDER_STATUS_MAX);
	if (o->all)
		render_views(&text, json_object_get(json, "views"), o->group, how.colour);
	else
		render_status(&text, s, &how);
	if (o->verbose)
		render_metrics(&text, json, how.colour);
	(void)fwrite(buffer, 1, text.length, stdout);
	free(buffer);
	return command_finish_output(command);
}

static int show_line(const struct command *command, char *line, const struct options *o)
{
	json_t *json = client_parse(command, line);
	struct status *s = calloc(1, sizeof(*s));
	const char *reason;
	int status;

	if (!json)
		status = EXIT_FAILED;
	else if (!s)
		status = command_failed(command, "out of memory");
	else if (status_from_json(json, s, &reason))
		status = show(command, s, json, o);
	else
		status = command_failed(command, "the daemon's answer is no status: %s", reason);
	json_decref(json);
	if (s)
		status_done(s);
	free(s);
	return status;
}

static int print_json(const struct command *command, const char *line)
{
	json_t *json = client_parse(command, line);

	if (!json)
		return EXIT_FAILED;
	json_decref(json);
	print_foreign_line(line);
	return command_finish_output(command);
}

static int ask(const struct command *command, const struct options *o)
{
	const struct control_request request = {
		.command = o->all ? CONTROL_CLUSTER : CONTROL_STATUS};
	enum client_answer answer = CLIENT_LINE;
	struct client client;
	char *line;
	int status = client_open(command, o->runtime_dir, &request, &client);

	if (status != EXIT_DONE)
		return status;
	client_set_patience(&client, PATIENCE_SECONDS);
	while ((line = client_line(&client)) == NULL && answer == CLIENT_LINE)
		answer = client_read(&client);
	if (!line)
		status = command_failed(
			command, answer == CLIENT_AGAIN
					 ? "the daemon does not answer; it may hang"
					 : "the daemon ended the connection without an answer");
	else if (o->json)
		status = print_json(command, line);
	else
		status = show_line(command, line, o);
	client_close(&client);
	return status;
}

int status_command(const struct command *command, int argc, char **argv)
{
	static const struct option OPTIONS[] = {{"json", no_argument, NULL, 'j'},
		{"all", no_argument, NULL, 'a'}, {"verbose", no_argument, NULL, 'v'},
		{"runtime-dir", required_argument, NULL, 'r'}, OPTIONS_END};
	struct options o = {.runtime_dir = DEFAULT_RUNTIME_DIR};
	int option, status;

	while ((option = command_option(command, argc, argv, ":ahv", OPTIONS, &status)) != -1) {
		if (option == OPTION_STOP)
			return status;
		if (option == 'j')
			o.json = true;
		else if (option == 'a')
			o.all = true;
		else if (option == 'v')
			o.verbose = true;
		else
			o.runtime_dir = optarg;
	}
	if (optind + 1 < argc)
		return command_misused(command, "one GROUP at most, not also %s", argv[optind + 1]);
	if (optind < argc)
		o.group = argv[optind];
	if (o.json && o.group)
		return command_misused(command, "--json prints all groups; leave %s out", o.group);
	return ask(command, &o);
}
