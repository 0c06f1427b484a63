/* SPDX-License-Identifier: ISC */
/* watch: events as they happen, a line each, until Ctrl-C or until the daemon goes. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/render.h"
#include "cli/style.h"

#define CLOCK_SIZE 16
#define LINE_SIZE  1024

struct watch {
	const struct command *command;
	struct client client;
	bool json;
	bool colour;
};

/* Local time of day with microseconds: @at is on another clock, but they are whole milliseconds
 * apart. */
static void format_clock(int64_t wall_ms, ha_time at, char clock[CLOCK_SIZE])
{
	const time_t seconds = (time_t)(wall_ms / 1000);
	struct text text = text_init(clock, CLOCK_SIZE);
	struct tm local;

	if (!localtime_r(&seconds, &local))
		local = (struct tm){0};
	text_add(&text, "%02d:%02d:%02d.%03d%03d", local.tm_hour, local.tm_min, local.tm_sec,
		(int)(wall_ms % 1000), (int)(at.ns / NS_PER_US % 1000));
}

static int print_event(const struct watch *w, const json_t *json)
{
	char clock[CLOCK_SIZE], line[LINE_SIZE];
	struct text text = text_init(line, sizeof(line));
	struct report report;
	const char *reason;
	int64_t wall_ms;

	if (!report_from_json(json, &report, &wall_ms, &reason))
		return command_failed(w->command, "the daemon told %s", reason);
	format_clock(wall_ms, report.at, clock);
	render_report(&text, &report, clock, w->colour);
	fputs(line, stdout);
	return EXIT_DONE;
}

static int print_line(const struct watch *w, const char *line)
{
	json_t *json = client_parse(w->command, line);
	int status = EXIT_DONE;

	if (!json)
		return EXIT_FAILED;
	if (w->json)
		print_foreign_line(line);
	else
		status = print_event(w, json);
	json_decref(json);
	return status;
}

/* Reads once and prints what is whole. EXIT_DONE to go on. */
static int take_events(struct watch *w)
{
	enum client_answer answer = client_read(&w->client);
	int status = EXIT_DONE;
	char *line;

	while (status == EXIT_DONE && (line = client_line(&w->client)) != NULL)
		status = print_line(w, line);
	if (status == EXIT_DONE)
		status = command_finish_output(w->command);
	if (status != EXIT_DONE || answer == CLIENT_LINE || answer == CLIENT_AGAIN)
		return status;
	(void)command_failed(w->command, "the daemon has gone");
	return EXIT_NO_DAEMON;
}

static int follow(struct watch *w)
{
	struct pollfd ready[] = {
		{.fd = w->client.descriptor, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
	sigset_t signals;
	int status = EXIT_DONE;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	ready[1].fd = signalfd(-1, &signals, SFD_CLOEXEC);
	if (ready[1].fd < 0)
		return command_failed(w->command, "cannot wait for signals: %s", strerror(errno));
	while (status == EXIT_DONE && !(ready[1].revents & POLLIN)) {
		int r = poll(ready, 2, -1);

		assert(r > 0 || errno == EINTR);
		if (r > 0 && ready[0].revents)
			status = take_events(w);
	}
	(void)close(ready[1].fd);
	return status;
}

int watch_command(const struct command *command, int argc, char **argv)
{
	static const struct option OPTIONS[] = {{"json", no_argument, NULL, 'j'},
		{"runtime-dir", required_argument, NULL, 'r'}, OPTIONS_END};
	const struct control_request request = {.command = CONTROL_WATCH};
	struct watch w = {.command = command, .colour = colour_wanted(STDOUT_FILENO)};
	const char *runtime_dir = DEFAULT_RUNTIME_DIR;
	int option, status;

	while ((option = command_option(command, argc, argv, SHORT_OPTIONS, OPTIONS, &status)) !=
		-1) {
		if (option == OPTION_STOP)
			return status;
		if (option == 'j')
			w.json = true;
		else
			runtime_dir = optarg;
	}
	status = command_options_only(command, argc, argv);
	if (status != EXIT_DONE)
		return status;
	status = client_open(command, runtime_dir, &request, &w.client);
	if (status != EXIT_DONE)
		return status;
	status = follow(&w);
	client_close(&w.client);
	return status;
}
