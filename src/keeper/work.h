/* SPDX-License-Identifier: ISC */
/*
 * work: groups that are on their way up or down. However many addresses they have, the keeper does
 * a part of it at a time, between everything else that it watches over: a batch of addresses goes
 * to the kernel in one message, and each is announced before the next batch begins. Batches of
 * several groups are one; they begin with a single address, so that the first one answers as soon
 * as if it were alone, and grow while they are quick. What goes down comes before what goes up.
 */
#ifndef HA_KEEPER_WORK_H
#define HA_KEEPER_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "conf/conf.h"
#include "sys/netlink.h"

struct session;

enum work_phase { WORK_IDLE, WORK_HOLDING, WORK_RELEASING };

/* Groups in a row; each is in one at most. */
struct work_queue {
	uint16_t first, last;
};

struct work_group {
	uint8_t phase;           /* enum work_phase */
	uint16_t next, previous; /* in its queue */
	uint16_t done;           /* of its addresses */
	uint16_t failed;         /* the address that could not be configured ... */
	int error;               /* ... and why; 0: none */
	uint64_t epoch;          /* of the last HOLD */
};

struct work {
	struct work_group *groups; /* owned */
	struct work_queue holding, releasing;
	size_t size; /* of the next batch */
	/* Addresses that are in the kernel, but of which it has not told yet that they answer. */
	size_t awaited_count;
	uint16_t awaited[NETLINK_BATCH_MAX];
	ha_time patience; /* then they are announced all the same */
};

/* What is to be done next. */
enum work_next {
	WORK_NOTHING,
	WORK_MORE, /* call again soon */
	WORK_LATER /* when the kernel has told something, or after WORK_LATER_MS */
};

#define WORK_LATER_MS 1

/* 0 or -ENOMEM. */
int work_open(struct work *w, const struct conf *conf);

/* Begins; answered by HELD, HOLD_FAILED or EXPIRED. For a group that is held: HELD at once. */
void work_hold(struct session *s, size_t group, uint64_t epoch);
/* Answered by RELEASED. Also for a group that is not held or on its way up. */
void work_release(struct session *s, size_t group);
/* The next part. */
enum work_next work_do(struct session *s);
/* All of it is taken down: the groups that were on their way down are told of. */
void work_drop(struct session *s);
/* Neither on its way up nor down. */
bool work_is_idle(const struct work *w, size_t group);

#endif
