/* SPDX-License-Identifier: ISC */
/*
 * client: one connection to the daemon's control socket, DIR/ha.sock (wire/control.h): a request,
 * then lines of JSON. Blocking; what goes wrong is said on standard error in one line that says
 * what to do.
 */
#ifndef HA_CLI_CLIENT_H
#define HA_CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "cli/command.h"
#include "wire/control.h"

#define CLIENT_LINE_MAX (16 * 1024 * 1024) /* above a status with every table full */

struct client {
	int descriptor;
	char *buffer; /* owned; CLIENT_LINE_MAX */
	size_t used;  /* bytes read */
	size_t taken; /* of which were given out */
};

/* Connects and sends @request, silently. 0 and *@ret_client (client_close()), or -errno. */
int client_connect(
	const char *runtime_dir, const struct control_request *request, struct client *ret_client);

/* Connects and sends @request. EXIT_DONE and *@ret_client (client_close()), or another exit status
 * after a message. */
int client_open(const struct command *command, const char *runtime_dir,
	const struct control_request *request, struct client *ret_client);
void client_close(struct client *c);

enum client_answer { CLIENT_LINE, CLIENT_AGAIN, CLIENT_END, CLIENT_BROKEN };

/* The next line if a whole one was read already: terminated, without its newline, valid until the
 * next call. NULL if there is none. */
char *client_line(struct client *c);

/**
 * client_read - one read of what the daemon sent
 *
 * Return: CLIENT_LINE if there may be lines now, CLIENT_AGAIN if it told nothing in time (errno of
 * a receive timeout), CLIENT_END at the end of the connection, CLIENT_BROKEN on a failure or an
 * overlong line.
 */
enum client_answer client_read(struct client *c);

/* How long client_read() waits at most. */
void client_set_patience(struct client *c, int seconds);

/* Parses a line. NULL after a message if it is not JSON or is the daemon's {"error": ...}. */
json_t *client_parse(const struct command *command, const char *line);

#endif
