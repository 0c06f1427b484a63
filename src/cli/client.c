/* SPDX-License-Identifier: ISC */
#include "cli/client.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "cli/style.h"

static int no_daemon(const struct command *command, const char *path)
{
	(void)command_failed(command,
		"no daemon listens on %s; start one with `ha run` or `systemctl start ha`", path);
	return EXIT_NO_DAEMON;
}

static int no_permission(const struct command *command, const char *path)
{
	struct stat socket_status;
	const struct group *group;

	if (stat(path, &socket_status) != 0 || !(socket_status.st_mode & S_IWGRP))
		return command_failed(command, "no permission to use %s; run this as root", path);
	group = getgrgid(socket_status.st_gid);
	if (!group)
		return command_failed(command,
			"no permission to use %s; run this as root or in the group %u", path,
			socket_status.st_gid);
	return command_failed(command,
		"no permission to use %s; run this as root or as a member of the group %s", path,
		group->gr_name);
}

static int refused(const struct command *command, const char *path, int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED: return no_daemon(command, path);
	case EACCES:
	case EPERM: return no_permission(command, path);
	default: return command_failed(command, "cannot connect to %s: %s", path, strerror(error));
	}
}

static int connect_to(const struct command *command, const char *runtime_dir, int *ret_descriptor)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct text path = text_init(address.sun_path, sizeof(address.sun_path));
	int descriptor;

	if (strlen(runtime_dir) + sizeof("/" CONTROL_SOCKET_NAME) > sizeof(address.sun_path))
		return command_misused(command,
			"--runtime-dir: %s is too long for a socket's path, which has at most %zu "
			"bytes",
			runtime_dir, sizeof(address.sun_path) - 1);
	text_add(&path, "%s/%s", runtime_dir, CONTROL_SOCKET_NAME);
	descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return command_failed(command, "cannot make a socket: %s", strerror(errno));
	if (connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		int error = errno;

		(void)close(descriptor);
		return refused(command, address.sun_path, error);
	}
	*ret_descriptor = descriptor;
	return EXIT_DONE;
}

int client_open(const struct command *command, const char *runtime_dir,
	const struct control_request *request, struct client *ret_client)
{
	struct client c = {.buffer = malloc(CLIENT_LINE_MAX)};
	char line[CONTROL_REQUEST_MAX];
	size_t size = control_encode(request, line, sizeof(line));
	int status;

	if (!c.buffer)
		return command_failed(command, "out of memory");
	status = connect_to(command, runtime_dir, &c.descriptor);
	if (status != EXIT_DONE) {
		free(c.buffer);
		return status;
	}
	if (send(c.descriptor, line, size, MSG_NOSIGNAL) != (ssize_t)size) {
		int error = errno;

		client_close(&c);
		return command_failed(
			command, "cannot send the request to the daemon: %s", strerror(error));
	}
	*ret_client = c;
	return EXIT_DONE;
}

void client_close(struct client *c)
{
	(void)close(c->descriptor);
	free(c->buffer);
	c->buffer = NULL;
}

void client_set_patience(struct client *c, int seconds)
{
	const struct timeval patience = {.tv_sec = seconds};

	(void)setsockopt(c->descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

char *client_line(struct client *c)
{
	char *line = c->buffer + c->taken;
	char *end = memchr(line, '\n', c->used - c->taken);

	if (!end)
		return NULL;
	*end = '\0';
	c->taken = (size_t)(end + 1 - c->buffer);
	return line;
}

enum client_answer client_read(struct client *c)
{
	ssize_t got;

	memmove(c->buffer, c->buffer + c->taken, c->used - c->taken);
	c->used -= c->taken;
	c->taken = 0;
	if (c->used == CLIENT_LINE_MAX)
		return CLIENT_BROKEN;
	got = recv(c->descriptor, c->buffer + c->used, CLIENT_LINE_MAX - c->used, 0);
	if (got > 0) {
		c->used += (size_t)got;
		return CLIENT_LINE;
	}
	if (got == 0 || errno == ECONNRESET)
		return CLIENT_END;
	return errno == EAGAIN || errno == EINTR ? CLIENT_AGAIN : CLIENT_BROKEN;
}

json_t *client_parse(const struct command *command, const char *line)
{
	json_t *json = json_loads(line, 0, NULL);
	const char *error = json_string_value(json_object_get(json, "error"));
	char buffer[1024];
	struct text text = text_init(buffer, sizeof(buffer));

	if (json && !error)
		return json;
	if (error) {
		text_add_foreign(&text, error);
		(void)command_failed(command, "the daemon refuses: %s", buffer);
	} else {
		(void)command_failed(command,
			"the daemon's answer is not JSON; are its version and mine the same?");
	}
	json_decref(json);
	return NULL;
}
