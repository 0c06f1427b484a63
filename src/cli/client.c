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

/* DIR/ha.sock. False if that is too long for a socket's path. */
static bool socket_path(const char *runtime_dir, struct sockaddr_un *ret_address)
{
	struct text path;

	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(runtime_dir) + sizeof("/" CONTROL_SOCKET_NAME) > sizeof(ret_address->sun_path))
		return false;
	path = text_init(ret_address->sun_path, sizeof(ret_address->sun_path));
	text_add(&path, "%s/%s", runtime_dir, CONTROL_SOCKET_NAME);
	return true;
}

int client_connect(
	const char *runtime_dir, const struct control_request *request, struct client *ret_client)
{
	struct client c = {.buffer = malloc(CLIENT_LINE_MAX)};
	char line[CONTROL_REQUEST_MAX];
	const size_t size = control_encode(request, line, sizeof(line));
	struct sockaddr_un address;
	int error;

	c.descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c.buffer && c.descriptor >= 0 && socket_path(runtime_dir, &address) &&
		connect(c.descriptor, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
		send(c.descriptor, line, size, MSG_NOSIGNAL) == (ssize_t)size) {
		*ret_client = c;
		return 0;
	}
	error = errno;
	client_close(&c);
	return -error;
}

int client_open(const struct command *command, const char *runtime_dir,
	const struct control_request *request, struct client *ret_client)
{
	struct sockaddr_un address;
	int r;

	if (!socket_path(runtime_dir, &address))
		return command_misused(command,
			"--runtime-dir: %s is too long for a socket's path, which has at most %zu "
			"bytes",
			runtime_dir, sizeof(address.sun_path) - 1);
	r = client_connect(runtime_dir, request, ret_client);
	switch (-r) {
	case 0: return EXIT_DONE;
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED: return no_daemon(command, address.sun_path);
	case EACCES:
	case EPERM: return no_permission(command, address.sun_path);
	default:
		return command_failed(
			command, "cannot ask the daemon at %s: %s", address.sun_path, strerror(-r));
	}
}

void client_close(struct client *c)
{
	if (c->descriptor >= 0)
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
