/* SPDX-License-Identifier: ISC */
/*
 * custody: what a keeper decides. Which groups come up and go down, and in which order; what an
 * engine may ask for in which state; when the lease has passed and what follows; what becomes of
 * everything when an engine dies, makes room for another one (R8) or takes up what another one has
 * held. It touches nothing: each event is answered by effects, to be carried out in their order,
 * and what became of them is told by further events. src/keeper carries them out in the kernel,
 * sim/ in a model of one. docs/protocol.md 6.6, 6.7, 6.10.
 *
 * A group is FREE, QUEUED when the engine has asked to hold it, COMING from its first address to
 * the last one, AWAITED until all of them are announced, HELD, and LEAVING until the last address
 * is gone. It is held from COMING to HELD: while any group is, the watchdog waits for the end of
 * the lease. Whatever goes down comes before what comes up.
 *
 * The engine is not trusted. Whatever it asks for, and whatever it stores as its lease, only groups
 * of the configuration come up, and only while a lease lasts that an engine can have earned.
 */
#ifndef HA_CUSTODY_CUSTODY_H
#define HA_CUSTODY_CUSTODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "conf/conf.h"
#include "wire/channel.h"

#define CUSTODY_NOBODY UINT16_MAX

enum custody_phase {
	CUSTODY_FREE,
	CUSTODY_QUEUED,
	CUSTODY_COMING,
	CUSTODY_AWAITED,
	CUSTODY_HELD,
	CUSTODY_LEAVING
};

/* What is to be done next, a part at a time. */
enum custody_work { CUSTODY_REST, CUSTODY_TAKE_DOWN_NEXT, CUSTODY_BRING_UP_NEXT };

enum custody_event_kind {
	/* Before an engine begins: an earlier keeper has left `group` configured (R8). `whole`: it
	 * need not be configured once more. */
	CUSTODY_TAKEN_OVER,
	CUSTODY_BEGIN, /* an engine begins. number: size of the record that it goes on with, or 0 */
	CUSTODY_MESSAGE, /* it says: verb, index, second, number */
	CUSTODY_BEGAN,   /* `group`: its first address goes to the kernel now */
	CUSTODY_PLACED,  /* `group`: all of its addresses have come, and not all are announced */
	CUSTODY_UP,      /* `group`: ... all are announced. second: as in CHANNEL_HELD */
	CUSTODY_FAILED,  /* `group`: the address `second` could not be configured, number: errno */
	CUSTODY_DOWN,    /* `group`: its last address is gone */
	CUSTODY_SEEN,  /* the address `index` is there, or `missing`: somebody has taken it away */
	CUSTODY_LEASE, /* the watchdog woke up; and before each part of what comes up */
	CUSTODY_ENGINE_GONE, /* stopping, leaving, silenced */
	CUSTODY_GIVE_UP,     /* there is nobody to leave it to */
};

struct custody_event {
	enum custody_event_kind kind;
	enum channel_verb verb;
	size_t group, index;
	uint16_t second;
	uint64_t number;
	bool whole, missing;
	/* How the engine went: it was told to stop; it was told to make room; it has ended for
	 * certain, and a fence in the kernel has closed upon all that it held. */
	bool stopping, leaving, silenced;
};

enum custody_effect_kind {
	CUSTODY_TELL,      /* the engine: verb, index, second, number */
	CUSTODY_REFUSE,    /* what the engine has asked for: verb, reason */
	CUSTODY_PERFORM,   /* for the engine, on what it holds or not: verb, index, second */
	CUSTODY_KEEP_WILL, /* the message's payload, in place of the one before */
	CUSTODY_BRING_UP,  /* `index`: a group is in the queue of those that come up */
	CUSTODY_LET_GO,    /* `index`: ... of those that go down; it is not held any more */
	CUSTODY_WATCH,     /* the watchdog wakes up at `until` */
	CUSTODY_TAKE_DOWN, /* everything, at once */
	CUSTODY_EXPIRED,   /* people are told that the lease has passed */
	CUSTODY_SETTLE,    /* what depends on what is held: routes, devices */
	CUSTODY_SEND_WILL,
	CUSTODY_LEAVE, /* everything as it is, to the next keeper (R8) */
};

struct custody_effect {
	enum custody_effect_kind kind;
	enum channel_verb verb;
	uint16_t index, second;
	union {
		uint64_t number;
		ha_time until;
		const char *reason; /* static */
	};
};

struct custody_effects {
	size_t count;
	struct custody_effect *list; /* custody_effects_max() of them, owned by the caller */
};

struct custody_group {
	uint8_t phase;           /* enum custody_phase */
	bool whole;              /* taken over, and needs nothing more */
	bool unsure;             /* taken over, and the engine has not said yet that it knows */
	uint16_t next, previous; /* in its queue */
	bool expired;            /* while it is told of */
	uint16_t failed;         /* the address that could not be configured ... */
	int error;               /* ... and why, an errno; 0: none */
	uint64_t epoch;          /* of the last HOLD */
};

/* Groups in a row; each is in one at most. */
struct custody_queue {
	uint16_t first, last;
};

struct custody {
	const struct conf *conf;      /* borrowed */
	struct custody_group *groups; /* borrowed, one for each of conf */
	bool *told_removed; /* borrowed, by address: the engine knows that it is missing */
	struct custody_queue coming, leaving;
	size_t held_count, unsure_count; /* groups */
	bool paused;                     /* the engine has made room for another one (R8) ... */
	uint64_t record_size;            /* ... and left so much for it */
};

/* Nothing is held. @groups and @told_removed: memory as long as @c lives. */
void custody_init(struct custody *c, const struct conf *conf, struct custody_group *groups,
	bool *told_removed);
/* How many effects one event can have. */
size_t custody_effects_max(const struct conf *conf);

/**
 * custody_step - what follows from one event
 * @now:   when it came
 * @lease: what the engine has stored, whatever that is; TIME_ORIGIN: there is no engine
 * @out:   in the order in which they must be carried out; cleared first
 */
void custody_step(struct custody *c, ha_time now, ha_time lease, const struct custody_event *event,
	struct custody_effects *out);

enum custody_work custody_work(const struct custody *c);
/* The groups on their way up or down, in order: the first one, the one behind it; CUSTODY_NOBODY.
 */
size_t custody_first(const struct custody *c, enum custody_work which);
size_t custody_next(const struct custody *c, size_t group);

bool custody_is_held(const struct custody *c, size_t group);
bool custody_holds_any(const struct custody *c);
/* Whether an engine that goes now, and was told to make room, has made room (R8). */
bool custody_is_left(const struct custody *c, bool leaving);
/* Whether what expires by itself may be prolonged: the lease lasts, and something is held. */
bool custody_may_renew(const struct custody *c, ha_time now, ha_time lease);

/* R8. What a keeper has left at @saved is good until @lease, in the same boot of its host. */
bool custody_may_take_over(ha_time saved, ha_time lease, ha_time now);
/* For so many seconds the kernel keeps what is left to the next keeper where only that ends it. */
uint32_t custody_lifetime_s(ha_time now, ha_time lease);

/* messages.c: NULL, or why what the engine asks for is not to be done. */
const char *custody_objection(const struct custody *c, const struct custody_event *e);

#endif
