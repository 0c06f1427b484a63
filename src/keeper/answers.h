/* SPDX-License-Identifier: ISC */
/*
 * answers: what the engine is owed and must not miss, in order. What its end of the channel has no
 * room for waits here. Meanwhile the keeper neither takes further messages nor begins further work
 * (session_receive(), work_do()), so there is always room for what it has already begun; an
 * engine that reads none for a while is given up (loop.c).
 */
#ifndef HA_KEEPER_ANSWERS_H
#define HA_KEEPER_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "wire/channel.h"

struct answer {
	uint64_t number;
	uint16_t index, second;
	uint8_t verb;
	uint8_t payload_size;
	uint8_t payload[IP_WIRE_SIZE];
};

struct answers {
	int channel;   /* borrowed */
	unsigned room; /* bytes of the channel that are not kept free for these */
	size_t size, first, count;
	struct answer *list; /* owned */
	bool overrun;        /* more than there can be */
};

/* 0 or -ENOMEM. */
int answers_open(struct answers *a, const struct conf *conf);
/* With another engine nothing of what the last one was owed is left. */
void answers_begin(struct answers *a, int channel);

/* Sends @m, whose payload is at most an address, now or as soon as it can be. */
void answers_add(struct answers *a, const struct channel_message *m);
/* Sends @m if there is room for more than answers, else drops it. */
void answers_offer(const struct answers *a, const struct channel_message *m);

/* Sends what waits. False if some still does. */
bool answers_flush(struct answers *a);
/* Nothing waits, and there is room for more than answers. */
bool answers_have_room(const struct answers *a);

#endif
