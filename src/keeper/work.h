/* SPDX-License-Identifier: ISC */
/*
 * work: groups that are on their way up or down, in the order that custody says. However many
 * addresses they have, the keeper does a part of it at a time, between everything else that it
 * watches over: a batch of addresses goes to the kernel in one message, and each is announced
 * before the next batch begins; neighbours are asked when the last address of a group is announced.
 * Batches may be of several groups; they begin with a single address, so that the first one answers
 * as soon as if it were alone, and grow while they are quick. What goes down comes before what goes
 * up.
 *
 * IPv4 addresses answer at once. A new IPv6 address answers when the kernel has joined its
 * solicited-node group, in a work queue, and tells then: it is announced when it does, so that
 * nobody is called to an address that does not answer yet. For each new IPv6 address the kernel
 * also goes through all groups that the device has joined (ipv6_mc_up() by ipv6_find_idev(), Linux
 * 6.18). So all IPv6 addresses of a group go to the kernel before it gets to joining, as far as
 * that depends on us; but only when the very first one is announced: joining would have to wait for
 * the lock that adding takes.
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

struct work_group {
	uint16_t done;      /* so many of its addresses went to the kernel */
	uint16_t awaited;   /* ... and so many of these wait to be announced */
	ha_time asked;      /* when it was to be brought up */
	uint16_t announced; /* so long after it one was first announced, CHANNEL_HELD_UNIT_NS; 0:
			       not yet */
};

struct work {
	struct work_group *groups; /* owned */
	uint16_t *order; /* owned; for each group: its first address, then IPv6, then IPv4 */
	size_t size;     /* of the next batch: IPv4 addresses */
	/* IPv6 addresses of which the kernel has not told yet that they answer; owned. */
	size_t awaited_count;
	uint16_t *awaited;
	uint16_t *told;     /* room for those of which it has; owned */
	ha_time patience;   /* then they are announced all the same */
	ha_time busy;       /* the last batch was done */
	bool lead;          /* the first address of a move is the next */
	ha_time lead_until; /* so long all others wait until the first one of all is announced */
};

/* What is to be done next. */
enum work_next {
	WORK_NOTHING,
	WORK_MORE, /* call again soon */
	WORK_LATER /* when the kernel has told something, at the latest after WORK_LATER_MS */
};

#define WORK_LATER_MS 1

/* 0 or -ENOMEM. */
int work_open(struct work *w, const struct conf *conf);

/* Custody has put the group into a queue. */
void work_bring_up(struct session *s, size_t group);
void work_let_go(struct session *s, size_t group);
/* The first group of all has come: its first address is to be announced before anything else is
 * heard. */
bool work_is_urgent(const struct session *s);
/* The next part. */
enum work_next work_do(struct session *s);
/* All of it is taken down. */
void work_drop(struct session *s);

#endif
