/* SPDX-License-Identifier: ISC */
#include "cli/demo/server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "cli/style.h"

#define ENGINE_NAME "had"
#define KEY_FILE    CAST_RUNTIME_DIR "/key"
#define LOG_SHOWN   4096 /* bytes of a log's end */

static void add_runtime_dir(struct text *t, const struct server *s)
{
	text_add(t, "%s/%s", CAST_RUNTIME_DIR, CAST[s->index].name);
}

static void log_path(const struct server *s, char path[PATH_SIZE])
{
	struct text text = text_init(path, PATH_SIZE);

	text_add(&text, "%s/%s.log", CAST_RUNTIME_DIR, CAST[s->index].name);
}

void server_init(
	struct server *s, int index, uv_loop_t *loop, const struct lan *lan, const char *interval)
{
	*s = (struct server){.index = index, .loop = loop, .lan = lan, .interval = interval};
}

int server_make_key(const struct command *command)
{
	char *arguments[] = {"keygen", KEY_FILE, NULL};

	if (mkdir(CAST_RUNTIME_DIR, 0755) != 0)
		return command_failed(
			command, "cannot make %s: %s", CAST_RUNTIME_DIR, strerror(errno));
	optind = 0; /* getopt begins anew */
	return keygen_command(command, 2, arguments);
}

static void stop_listening(struct server *s)
{
	if (s->watching)
		client_close(&s->watch);
	s->watching = false;
}

static void daemon_ended(uv_process_t *process, int64_t status, int signal_number)
{
	struct server *s = process->data;

	(void)status;
	(void)signal_number;
	server_listen(s);
	stop_listening(s);
	s->running = false;
	uv_close((uv_handle_t *)process, NULL);
	s->told(s->context, s->index, NULL);
}

static int spawn(struct server *s, int log)
{
	const struct host *h = &CAST[s->index];
	char runtime_dir[PATH_SIZE], self[PATH_SIZE];
	struct text text = text_init(runtime_dir, sizeof(runtime_dir));
	size_t size = sizeof(self);
	char *arguments[] = {"ha", "run", "--interface", "eth0", "--address",
		CAST_SHARED_V4 "/" CAST_LENGTH_V4, "--address", CAST_SHARED_V6 "/" CAST_LENGTH_V6,
		"--worth", (char *)h->worth, "--name", (char *)h->name, "--interval",
		(char *)s->interval, "--key-file", KEY_FILE, "--runtime-dir", runtime_dir, NULL};
	uv_stdio_container_t streams[3] = {{.flags = UV_IGNORE},
		{.flags = UV_INHERIT_FD, .data.fd = log}, {.flags = UV_INHERIT_FD, .data.fd = log}};
	const uv_process_options_t options = {.file = self,
		.args = arguments,
		.stdio = streams,
		.stdio_count = 3,
		.exit_cb = daemon_ended,
		/* Out of the terminal: Ctrl-C is for the demo. */
		.flags = UV_PROCESS_DETACHED};
	int r = uv_exepath(self, &size);

	add_runtime_dir(&text, s);
	if (r)
		return r;
	lan_enter(s->lan, s->index);
	r = uv_spawn(s->loop, &s->process, &options);
	lan_leave(s->lan);
	return r;
}

int server_start(struct server *s)
{
	char path[PATH_SIZE];
	int log, r;

	if (s->running)
		return 0;
	log_path(s, path);
	log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log < 0)
		return -errno;
	r = spawn(s, log);
	(void)close(log);
	s->process.data = s;
	s->running = r == 0;
	return r;
}

void server_stop(struct server *s)
{
	if (s->running)
		(void)uv_process_kill(&s->process, SIGTERM);
}

/* The process called @name whose parent is @parent, from /proc/PID/stat; 0 if there is none. */
static pid_t child_called(pid_t parent, const char *name)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;
	pid_t found = 0;

	while (processes && found == 0 && (entry = readdir(processes)) != NULL) {
		char path[PATH_SIZE], command[64];
		struct text text = text_init(path, sizeof(path));
		int pid, parent_of_it;
		FILE *file;

		text_add(&text, "/proc/%.16s/stat", entry->d_name);
		file = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "re")
									  : NULL;
		if (!file)
			continue;
		if (fscanf(file, "%d (%63[^)]) %*c %d", &pid, command, &parent_of_it) == 3 &&
			parent_of_it == parent && strcmp(command, name) == 0)
			found = pid;
		(void)fclose(file);
	}
	if (processes)
		(void)closedir(processes);
	return found;
}

bool server_kill_engine(struct server *s)
{
	pid_t engine = s->running ? child_called(s->process.pid, ENGINE_NAME) : 0;

	return engine > 0 && kill(engine, SIGKILL) == 0;
}

static void take_line(struct server *s, const char *line)
{
	json_t *json = json_loads(line, 0, NULL);
	struct report report;
	const char *reason;
	int64_t wall_ms;

	if (json && report_from_json(json, &report, &wall_ms, &reason))
		s->told(s->context, s->index, &report);
	json_decref(json);
}

static void connect_to_daemon(struct server *s)
{
	const struct control_request request = {.command = CONTROL_WATCH};
	char runtime_dir[PATH_SIZE];
	struct text text = text_init(runtime_dir, sizeof(runtime_dir));

	add_runtime_dir(&text, s);
	if (!s->running || client_connect(runtime_dir, &request, &s->watch) != 0)
		return;
	(void)fcntl(s->watch.descriptor, F_SETFL, O_NONBLOCK);
	s->watching = true;
}

void server_listen(struct server *s)
{
	enum client_answer answer = CLIENT_LINE;
	const char *line;

	if (!s->watching)
		connect_to_daemon(s);
	while (s->watching && answer == CLIENT_LINE) {
		answer = client_read(&s->watch);
		while ((line = client_line(&s->watch)) != NULL)
			take_line(s, line);
	}
	if (answer == CLIENT_END || answer == CLIENT_BROKEN)
		stop_listening(s);
}

void server_print_log(const struct server *s)
{
	char path[PATH_SIZE], bytes[LOG_SHOWN + 1];
	size_t size;
	FILE *file;

	log_path(s, path);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fseek(file, -LOG_SHOWN, SEEK_END) != 0)
		rewind(file);
	size = fread(bytes, 1, LOG_SHOWN, file);
	bytes[size] = '\0';
	(void)fclose(file);
	fprintf(stderr, "\nlast lines of the log of %s:\n%s", CAST[s->index].name, bytes);
}
