/* SPDX-License-Identifier: ISC */
/*
 * attached: a node whose engine is the daemon's. A line an interval says that this program lives
 * and what it makes of its group (wire/attach.h); the daemon tells what happens. A daemon that goes
 * is waited for.
 */
#ifndef HA_API_ATTACHED_H
#define HA_API_ATTACHED_H

#include <sys/un.h>

#include <jansson.h>

#include "api/node.h"
#include "wire/attach.h"
#include "wire/candidates.h"
#include "wire/control.h"

#define ATTACHED_ANSWER_MAX CANDIDATES_LINE_MAX

struct attached {
	struct sockaddr_un address;
	char group[NAME_SIZE];
	int socket;  /* -1: the daemon is not there */
	int beat_fd; /* a timer: say that we live */
	int64_t interval_ns;
	struct attach_line line; /* what is said */
	char *input;             /* owned: what came and is not a whole line yet */
	size_t input_size, input_room;
	char *status; /* owned: the last one, as a line of JSON; NULL: none */
	bool status_wanted;
	bool unanswered; /* the daemon is gone, or has not answered yet ... */
	ha_time lost;    /* ... since then */
	ha_time asked;   /* when it was last connected to */
	/* A request of its own connection: the answer is one line. */
	int ask; /* -1: none is under way */
	struct control_request asked_for;
	char answer[ATTACHED_ANSWER_MAX];
	size_t answer_size;
};

/* attached_talk.c: the lines both ways. Never waits: a daemon that does not read so little has no
 * use for more. */
void attached_say(ha_node *n);
void attached_hear(ha_node *n);
void attached_tell_state(ha_node *n, enum ha_state state, const char *text, uint64_t epoch);
/* One that is replaced by another (a restart, a reload) can soon be asked again, and what is held
 * stays: that there is none is told after a while. */
void attached_lose(ha_node *n);
/* Of a status; NULL: it has none of that name. */
const json_t *attached_find_group(const json_t *status, const char *name);

/* attached_request.c: connections, and planned moves, each by one of its own. 0 or -errno. */
int attached_connect(struct attached *m);
/* Sets the error to what can be done about it, and returns its number. */
int attached_explain(ha_node *n, const struct attached *m, int error);
int attached_request(ha_node *n, const struct control_request *r);
int attached_yield(ha_node *n, const struct control_request *r);
void attached_hear_answer(ha_node *n);

#endif
