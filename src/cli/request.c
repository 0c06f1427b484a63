/* SPDX-License-Identifier: ISC */
#include "cli/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/client.h"
#include "cli/style.h"
#include "sys/clock.h"

#define PATIENCE_S    30
#define TIMEOUT_MAX_S 3600
#define ANSWER_SIZE   1024

bool request_take_name(const struct command *command, const char *what, const char *value,
	char ret_name[NAME_SIZE])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	if (value[0] != '\0' && value[strspn(value, allowed)] == '\0' &&
		text_copy(ret_name, NAME_SIZE, value))
		return true;
	(void)command_misused(command, "%s is the name of a %s: letters, digits and ._-", what,
		strcmp(what, "GROUP") == 0 ? "group" : "node");
	return false;
}

static bool take_timeout(const struct command *command, const char *value, int *ret_seconds)
{
	char *end;
	long seconds = strtol(value, &end, 10);

	if (end != value && (*end == '\0' || strcmp(end, "s") == 0) && seconds >= 1 &&
		seconds <= TIMEOUT_MAX_S) {
		*ret_seconds = (int)seconds;
		return true;
	}
	(void)command_misused(
		command, "--timeout takes seconds from 1 to %d, not %s", TIMEOUT_MAX_S, value);
	return false;
}

static bool take_option(const struct command *command, int option, struct request *r)
{
	switch (option) {
	case 'r': r->runtime_dir = optarg; return true;
	case 'f': r->asked.force = true; return true;
	case 't': return request_take_name(command, "--to", optarg, r->asked.to);
	default: return take_timeout(command, optarg, &r->patience_s);
	}
}

bool request_options(const struct command *command, int argc, char **argv,
	const struct option *options, struct request *r, int *ret_status)
{
	int option;

	r->runtime_dir = DEFAULT_RUNTIME_DIR;
	r->patience_s = PATIENCE_S;
	while ((option = command_option(command, argc, argv, SHORT_OPTIONS, options, ret_status)) !=
		-1) {
		if (option == OPTION_STOP)
			return false;
		*ret_status = EXIT_USAGE;
		if (!take_option(command, option, r))
			return false;
	}
	return true;
}

static int print_answer(const struct command *command, const json_t *json)
{
	const char *text = json_string_value(json_object_get(json, "text"));
	const char *outcome = json_string_value(json_object_get(json, "outcome"));
	enum control_outcome decided;
	char buffer[ANSWER_SIZE];
	struct text t = text_init(buffer, sizeof(buffer));

	if (!text || !outcome || !control_outcome_by_name(outcome, &decided))
		return command_failed(command,
			"the daemon's answer makes no sense; are its version and mine the same?");
	text_add_foreign(&t, text);
	switch (decided) {
	case CONTROL_DONE: puts(buffer); return command_finish_output(command);
	case CONTROL_MISUSED: (void)command_failed(command, "%s", buffer); return EXIT_USAGE;
	case CONTROL_FAILED:
	case CONTROL_REFUSED:
	case CONTROL_OUTCOMES: break;
	}
	return command_failed(command, "%s", buffer);
}

/* -1: no answer yet. */
static int take_answer(const struct command *command, struct client *client)
{
	char *line = client_line(client);
	json_t *json;
	int status;

	if (!line)
		return -1;
	json = client_parse(command, line);
	if (!json)
		return EXIT_FAILED;
	status = print_answer(command, json);
	json_decref(json);
	return status;
}

static int wait_for_answer(
	const struct command *command, const struct request *r, struct client *client)
{
	const ha_time until = time_add(clock_now(), r->patience_s * NS_PER_S);
	int status;

	client_set_patience(client, 1);
	while ((status = take_answer(command, client)) < 0) {
		enum client_answer got = client_read(client);

		if (got == CLIENT_END || got == CLIENT_BROKEN) {
			(void)command_failed(command, "the daemon has gone");
			return EXIT_NO_DAEMON;
		}
		if (got == CLIENT_AGAIN && time_reached(clock_now(), until))
			return command_failed(command,
				"no answer within %d s; it goes on, `ha status` shows how",
				r->patience_s);
	}
	return status;
}

int request_carry_out(const struct command *command, const struct request *request)
{
	struct client client;
	int status = client_open(command, request->runtime_dir, &request->asked, &client);

	if (status != EXIT_DONE)
		return status;
	status = wait_for_answer(command, request, &client);
	client_close(&client);
	return status;
}
