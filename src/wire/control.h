/* SPDX-License-Identifier: ISC */
/*
 * control: requests on the control socket (Unix stream, DIR/ha.sock), one JSON object a line:
 * {"command": "status"} is answered by one line and the end of the connection, so is {"command":
 * "cluster"}, the status with the views of all nodes; {"command": "watch"}
 * by a line per event until the client closes; {"command": "candidates", "group": "web"} by one
 * line (wire/candidates.h); {"command": "yield", "group": "web", "to": "beta"}
 * ("to" may be left out), {"command": "drain", "force": true} ("force" likewise) and {"command":
 * "resume", "group": "web"} ("group" likewise) by one line when it is decided: {"outcome":
 * "done", "text": "..."}; what follows {"command": "attach", "group": "web"}
 * is told in wire/attach.h. What is not understood is answered by {"error":
 * "..."}.
 */
#ifndef HA_WIRE_CONTROL_H
#define HA_WIRE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"

#define CONTROL_SOCKET_NAME "ha.sock"
#define CONTROL_GROUP_NAME  "ha" /* whose members may connect, as root may */
#define CONTROL_REQUEST_MAX 4096

enum control_command {
	CONTROL_STATUS,
	CONTROL_CLUSTER,
	CONTROL_WATCH,
	CONTROL_ATTACH,
	CONTROL_CANDIDATES,
	CONTROL_YIELD,
	CONTROL_DRAIN,
	CONTROL_RESUME,
};

struct control_request {
	enum control_command command;
	char group[NAME_SIZE]; /* of attach, candidates, yield, and of resume unless "" */
	char to[NAME_SIZE];    /* of yield: a node, or "" */
	bool force;            /* of drain: let go also what nobody takes */
};

/* Decodes one line (without its newline). False with a sentence in *@reterr (static) if it is none.
 */
bool control_decode(
	const char *line, size_t size, struct control_request *ret_request, const char **reterr);
/* Encodes a request as a line with its newline; returns its length. */
size_t control_encode(const struct control_request *r, char *line, size_t size);

/* What becomes of yield, drain and resume. */
enum control_outcome {
	CONTROL_DONE,
	CONTROL_FAILED,  /* tried */
	CONTROL_REFUSED, /* not possible now */
	CONTROL_MISUSED, /* it makes no sense: a name that does not exist */
	CONTROL_OUTCOMES,
};

/* "done", "failed", "refused", "misused"; and the reverse, false if it is none. */
const char *control_outcome_name(enum control_outcome outcome);
bool control_outcome_by_name(const char *name, enum control_outcome *ret_outcome);

#endif
