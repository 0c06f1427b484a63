/* SPDX-License-Identifier: ISC */
/* reload: has the daemon apply its configuration as it is now. Checks it first, so that all
 * mistakes are said here; then waits until the daemon runs with it, or has refused it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/configuration.h"
#include "wire/runtime.h"

#define WAITS_MAX 600 /* of 50 ms: two long tolerances */
#define WAIT_NS   50000000
#define LINE_SIZE 512

struct daemon {
	long pid;             /* 0: none */
	char file[PATH_SIZE]; /* "": it has none */
};

/* A file of the runtime folder, terminated; "" if there is none. */
static void read_small(const char *runtime_dir, const char *name, char *buffer, size_t size)
{
	char path[PATH_SIZE];
	struct text text = text_init(path, sizeof(path));
	int file;
	ssize_t got;

	text_add(&text, "%s/%s", runtime_dir, name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	got = file < 0 ? 0 : read(file, buffer, size - 1);
	buffer[got > 0 ? got : 0] = '\0';
	if (file >= 0)
		(void)close(file);
}

static struct daemon find_daemon(const char *runtime_dir)
{
	struct daemon d = {0};
	char lock[PATH_SIZE + LINE_SIZE], *end;

	read_small(runtime_dir, RUNTIME_LOCK_NAME, lock, sizeof(lock));
	d.pid = strtol(lock, &end, 10);
	if (end == lock || *end != '\n')
		return (struct daemon){0};
	end[1 + strcspn(end + 1, "\n")] = '\0';
	(void)text_copy(d.file, sizeof(d.file), end + 1);
	return d;
}

static bool answers(const char *runtime_dir)
{
	const struct control_request request = {.command = CONTROL_STATUS};
	struct client client;
	bool told;

	if (client_connect(runtime_dir, &request, &client) != 0)
		return false;
	client_set_patience(&client, 1);
	told = client_read(&client) == CLIENT_LINE;
	client_close(&client);
	return told;
}

/* The next daemon has another process id. */
static int await(
	const struct command *command, const char *runtime_dir, const struct daemon *before)
{
	const struct timespec wait = {.tv_nsec = WAIT_NS};
	char refused[LINE_SIZE];

	for (int i = 0; i < WAITS_MAX; i++) {
		struct daemon now = find_daemon(runtime_dir);

		read_small(runtime_dir, RUNTIME_REFUSED_NAME, refused, sizeof(refused));
		if (refused[0] != '\0')
			return command_failed(command, "nothing was changed: %s", refused);
		if (now.pid != 0 && now.pid != before->pid && answers(runtime_dir)) {
			printf("%s is in force\n", before->file);
			return command_finish_output(command);
		}
		(void)nanosleep(&wait, NULL);
	}
	return command_failed(command, "the daemon has not said yet what came of it; see its log");
}

/* That of an earlier reload. */
static void forget_refusal(const char *runtime_dir)
{
	char path[PATH_SIZE];
	struct text text = text_init(path, sizeof(path));

	text_add(&text, "%s/%s", runtime_dir, RUNTIME_REFUSED_NAME);
	(void)unlink(path);
}

static int reload(const struct command *command, const char *runtime_dir)
{
	struct daemon daemon = find_daemon(runtime_dir);
	struct configuration configuration;
	struct conf *conf;
	int status;

	if (daemon.pid <= 0) {
		(void)command_failed(command,
			"no daemon runs with %s; one that starts reads its "
			"configuration anyway",
			runtime_dir);
		return EXIT_NO_DAEMON;
	}
	if (daemon.file[0] == '\0')
		return command_failed(command,
			"the daemon was started without a file; restart it with other options");
	status = configuration_load(command, daemon.file, &configuration, &conf);
	if (status != EXIT_DONE)
		return status;
	conf_free(conf);
	free(conf);
	configuration_done(&configuration);
	forget_refusal(runtime_dir);
	if (kill((pid_t)daemon.pid, SIGHUP) != 0)
		return command_failed(command, "the daemon (process %ld) cannot be told: %s",
			daemon.pid, strerror(errno));
	return await(command, runtime_dir, &daemon);
}

int reload_command(const struct command *command, int argc, char **argv)
{
	static const struct option OPTIONS[] = {
		{"runtime-dir", required_argument, NULL, 'r'}, OPTIONS_END};
	const char *runtime_dir = DEFAULT_RUNTIME_DIR;
	int option, status;

	while ((option = command_option(command, argc, argv, SHORT_OPTIONS, OPTIONS, &status)) !=
		-1) {
		if (option == OPTION_STOP)
			return status;
		runtime_dir = optarg;
	}
	status = command_options_only(command, argc, argv);
	if (status != EXIT_DONE)
		return status;
	return reload(command, runtime_dir);
}
