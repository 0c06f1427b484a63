/* SPDX-License-Identifier: ISC */
/*
 * session: the keeper's side of the channel. It tells custody (custody/custody.h) what the engine
 * says and what has become of addresses, and carries out what follows; it decides nothing itself.
 */
#ifndef HA_KEEPER_SESSION_H
#define HA_KEEPER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/time.h"
#include "conf/conf.h"
#include "custody/custody.h"
#include "keeper/addresses.h"
#include "keeper/ahead.h"
#include "keeper/announce.h"
#include "keeper/answers.h"
#include "keeper/ask.h"
#include "keeper/fence.h"
#include "keeper/interfaces.h"
#include "keeper/targets.h"
#include "keeper/will.h"
#include "keeper/work.h"
#include "wire/channel.h"
#include "wire/lease.h"

struct session {
	/* borrowed, set by the caller before session_open() */
	const struct conf *conf;
	struct interfaces *interfaces;
	struct fence *fence;
	struct addresses *addresses;
	struct announcer *announcer;
	struct targets *targets;
	struct will *will;
	struct ask *ask;
	/* the engine's, borrowed from session_start() on */
	const struct lease_page *lease;
	int channel;
	/* the session's own */
	ha_time now; /* of custody's last step */
	int watchdog;
	ha_time watched; /* when it is to wake up */
	struct custody custody;
	struct custody_effects effects;        /* of its last step */
	const struct channel_message *message; /* the engine's, while it is heard */
	struct work work;
	struct ahead ahead;
	struct answers answers;
	bool ready; /* the engine has said that it runs */
	bool left;  /* all of it is another keeper's now */
	uint64_t refused, refused_logged;
	ha_time refused_at; /* of the last line about it */
};

/* Takes the memory and the timer of the watchdog, and custody of what the addresses say that an
 * earlier keeper has left. 0 or -errno. */
int session_open(struct session *s);

/* Begins with a fresh engine; nothing is held, unless it goes on with the record of another one, of
 * @record_size. */
void session_start(
	struct session *s, int channel, const struct lease_page *lease, uint64_t record_size);
/* Asks the engine to make room for another one, and the others for so much patience. */
void session_pause(struct session *s, int64_t patience_ns);

/* How an engine went. */
struct session_end {
	bool stopping; /* it was told to stop */
	bool leaving;  /* it was told to make room for another one (R8) */
	bool silenced; /* it has ended for certain, and a fence closed upon all that it held */
};

/* The engine is gone: everything goes down and the will is sent, or everything is left to the next
 * keeper: then s->left. */
void session_engine_gone(struct session *s, const struct session_end *end);
/* What is for it is dropped. */
void session_end(struct session *s);

/* Carries out some of the messages that wait; holds and releases only begin with it (work.h). None
 * while it is owed answers. False if the session is over: the engine closed its end. */
bool session_receive(struct session *s);

/* Looks at what changed in the kernel; tells the engine of addresses that somebody took away. */
void session_watch(struct session *s);

/* The watchdog woke up: takes everything down if the lease has passed. */
void session_check_lease(struct session *s);

/* Passes a captured frame on; drops it if the engine is behind. */
void session_frame(struct session *s, uint32_t interface_index, const uint8_t *frame, size_t size);

/* Tells that a neighbour has answered for a check; drops it if the engine is behind. */
void session_answered(struct session *s, uint16_t check);

/* Sends CHANNEL_STOP or CHANNEL_RESUME. */
void session_tell(struct session *s, enum channel_verb verb);

/* Everything down at once, without a word to anybody. */
void session_take_down(struct session *s);
/* Passes the lease on to a fence that does not read it (fence_period_ns()). */
void session_renew(struct session *s);

/* For work.c and verbs.c. */

/* Tells custody, and carries out what follows. Not while that is under way. */
void session_step(struct session *s, const struct custody_event *event);

/* A message to the engine, which it does not miss (answers.h). */
void session_answer(
	struct session *s, enum channel_verb verb, size_t index, size_t second, uint64_t number);
/* Whether more may be sent that the engine did not ask for one by one. */
bool session_has_room(const struct session *s);
/* Asks the neighbours of an address that has just come, and tells the engine of them. */
void session_ask(struct session *s, size_t index);

#endif
