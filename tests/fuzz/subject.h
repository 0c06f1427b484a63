/* SPDX-License-Identifier: ISC */
/*
 * subject: the engine under test, and what its host knows of it: the keeper's view of each group,
 * the lease, what was last sent. Every step goes through subject_step(), which checks after it what
 * must be true whatever was heard: docs/protocol.md, rules R2, R4 and R7. The events may be
 * hostile; the clock and the order of the effects are not.
 */
#ifndef HA_FUZZ_SUBJECT_H
#define HA_FUZZ_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "engine/engine.h"

/* A group as the keeper sees it. */
enum holding { HOLDING_DOWN, HOLDING_ASKED, HOLDING_UP, HOLDING_RELEASING };

#define SUBJECT_GROUPS_MAX 60

struct subject_group {
	enum holding holding;
	uint64_t epoch;      /* of the last HOLD */
	uint64_t epoch_told; /* of the last heartbeat that said ACTIVE */
	bool retired;
	bool asked_again; /* R8: the keeper has not yet said that it goes on */
};

struct subject {
	uint32_t asked; /* requests so far */
	const struct conf *conf;
	struct heartbeat_key key;
	struct engine *engine;
	struct engine_identity identity;
	ha_time now;
	struct effects effects; /* of the last step */
	bool tells_changes;     /* as with more groups than fit one heartbeat */
	bool stopped;
	ha_time lease;
	ha_time sent_at;       /* of the last EFFECT_SEND */
	uint64_t sequence;     /* its sequence number */
	int64_t announced_ns;  /* the tolerance that it told */
	bool paused, takes_up; /* R8: another engine is to come; has just come */
	bool device_told[DEVICES_MAX];
	struct engine_device devices[DEVICES_MAX];
	struct subject_group groups[SUBJECT_GROUPS_MAX];
	/* What a peer that misses nothing knows of a table that travels as changes. */
	uint32_t have;
	struct table_change known[SUBJECT_GROUPS_MAX];
	/* Against a busy loop: timers since then. */
	ha_time timers_since;
	unsigned timers;
};

/* The configuration's text: common.c and full.c each have one, for a program of its own. */
#define SUBJECT_TEXT_SIZE 65536
void subject_conf_text(char text[SUBJECT_TEXT_SIZE]);

/* Begins anew; the first step is made. */
void subject_start(struct subject *s, bool tells_changes);

/* One event at s->now. */
void subject_step(struct subject *s, const struct engine_event *event);

/* Waits until the deadline and tells the engine, again until it is content. */
void subject_timer(struct subject *s);

/* What an honest host does with the effects of the last step: the sending succeeds, the keeper
 * holds and releases what it was asked to. */
void subject_answer(struct subject *s);

/* One message of the keeper. */
void subject_keeper(struct subject *s, enum channel_verb verb, uint16_t index, uint64_t number);

/* succession.c: the engine has left a record; another one takes its place at once (R8). */
void subject_succeed(struct subject *s);

/* Its status must be one that can be read again. */
void subject_check_status(const struct subject *s);

/* Stops politely, which must end. */
void subject_finish(struct subject *s);

#endif
