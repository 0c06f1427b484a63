/* SPDX-License-Identifier: ISC */
/*
 * session: the keeper's side of the channel. The engine is not trusted: each message is checked
 * against a table of verbs (what its index means, in which state it is allowed); what does not fit
 * is counted, logged once a second at most, and ignored. Whatever the engine sends, only addresses
 * of the configuration ever come and go, and only while the lease lasts.
 */
#ifndef HA_KEEPER_SESSION_H
#define HA_KEEPER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/time.h"
#include "conf/conf.h"
#include "keeper/addresses.h"
#include "keeper/announce.h"
#include "keeper/fence.h"
#include "keeper/interfaces.h"
#include "keeper/targets.h"
#include "keeper/will.h"
#include "wire/channel.h"
#include "wire/lease.h"

struct session {
	/* borrowed, set by the caller before session_start() */
	const struct conf *conf;
	struct interfaces *interfaces;
	struct fence *fence;
	struct addresses *addresses;
	struct announcer *announcer;
	struct targets *targets;
	struct will *will;
	int watchdog;
	/* the engine's, borrowed from session_start() on */
	const struct lease_page *lease;
	int channel;
	/* the session's own */
	bool ready; /* the engine has said that it runs */
	uint64_t epoch[GROUPS_MAX];
	bool told_removed[ADDRESSES_MAX]; /* REMOVED was sent and the address is still not there */
	bool overrun;                     /* the engine does not take what it is owed */
	unsigned room;                    /* bytes of the channel that frames may fill */
	uint64_t refused, refused_logged;
	ha_time refused_at; /* of the last line about it */
};

/* Begins with a fresh engine; nothing is held. */
void session_start(struct session *s, int channel, const struct lease_page *lease);

/* The engine is gone: what is for it is dropped. */
void session_end(struct session *s);

/* Carries out some of the messages that wait. False if the session is over: the engine closed its
 * end, or does not read. */
bool session_receive(struct session *s);

/* Looks at what changed in the kernel; tells the engine of addresses that somebody took away. */
void session_watch(struct session *s);

/* The watchdog woke up: takes everything down if the lease has passed. */
void session_check_lease(struct session *s);

/* Passes a captured frame on; drops it if the engine is behind. */
void session_frame(struct session *s, uint32_t interface_index, const uint8_t *frame, size_t size);

/* Sends CHANNEL_STOP or CHANNEL_RELOAD. */
void session_tell(struct session *s, enum channel_verb verb);

/* Everything down at once, without a word to the engine. */
void session_take_down(struct session *s);

#endif
