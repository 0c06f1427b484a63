/* SPDX-License-Identifier: ISC */
/*
 * control: requests on the control socket (Unix stream, DIR/ha.sock), one JSON object a line:
 * {"command": "status"} is answered by one line and the end of the connection, so is {"command":
 * "cluster"}, the status with the views of all nodes; {"command": "watch"}
 * by a line per event until the client closes; what follows {"command": "attach", "group": "web"}
 * is told in wire/attach.h. What is not understood is answered by {"error":
 * "..."}.
 */
#ifndef HA_WIRE_CONTROL_H
#define HA_WIRE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"

#define CONTROL_SOCKET_NAME "ha.sock"
#define CONTROL_REQUEST_MAX 4096

enum control_command { CONTROL_STATUS, CONTROL_CLUSTER, CONTROL_WATCH, CONTROL_ATTACH };

struct control_request {
	enum control_command command;
	char group[NAME_SIZE]; /* CONTROL_ATTACH */
};

/* Decodes one line (without its newline). False with a sentence in *@reterr (static) if it is none.
 */
bool control_decode(
	const char *line, size_t size, struct control_request *ret_request, const char **reterr);
/* Encodes a request as a line with its newline; returns its length. */
size_t control_encode(const struct control_request *r, char *line, size_t size);

#endif
