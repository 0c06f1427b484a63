/* SPDX-License-Identifier: ISC */
#include "keeper/answers.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "base/limits.h"

/* One turn of receiving and of work: 100 addresses of which each has 16 neighbours and ends a
 * group, and as many messages that are answered at once. */
#define TURN_MAX 2048

int answers_open(struct answers *a, const struct conf *conf)
{
	/* All groups may expire at once. */
	*a = (struct answers){.channel = -1, .size = TURN_MAX + (size_t)conf->group_count};
	a->list = calloc(a->size, sizeof(*a->list));
	return a->list ? 0 : -ENOMEM;
}

void answers_begin(struct answers *a, int channel)
{
	int size = 0;
	socklen_t length = sizeof(size);

	a->channel = channel;
	a->first = a->count = 0;
	a->overrun = false;
	(void)getsockopt(channel, SOL_SOCKET, SO_SNDBUF, &size, &length);
	a->room = (unsigned)size / 2;
}

/* False if it must wait. Any other error means that the engine is gone, which shows elsewhere. */
static bool transmit(const struct answers *a, const struct channel_message *m)
{
	uint8_t bytes[CHANNEL_MESSAGE_MAX];
	size_t size = channel_encode(m, bytes);

	return send(a->channel, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

void answers_add(struct answers *a, const struct channel_message *m)
{
	struct answer *last;

	assert(m->payload_size <= sizeof(last->payload));
	if (a->count == 0 && transmit(a, m))
		return;
	if (a->count == a->size) {
		a->overrun = true;
		return;
	}
	last = &a->list[(a->first + a->count++) % a->size];
	*last = (struct answer){.verb = (uint8_t)m->verb,
		.index = m->index,
		.second = m->second,
		.number = m->number,
		.payload_size = (uint8_t)m->payload_size};
	memcpy(last->payload, m->payload, m->payload_size);
}

void answers_offer(const struct answers *a, const struct channel_message *m)
{
	if (answers_have_room(a))
		(void)transmit(a, m);
}

bool answers_flush(struct answers *a)
{
	while (a->count > 0) {
		const struct answer *next = &a->list[a->first];
		struct channel_message m = {.verb = next->verb,
			.index = next->index,
			.second = next->second,
			.number = next->number,
			.payload_size = next->payload_size};

		memcpy(m.payload, next->payload, next->payload_size);
		if (!transmit(a, &m))
			return false;
		a->first = (a->first + 1) % a->size;
		a->count--;
	}
	return true;
}

bool answers_have_room(const struct answers *a)
{
	int waiting = 0;

	return a->count == 0 && ioctl(a->channel, SIOCOUTQ, &waiting) == 0 &&
	       (unsigned)waiting <= a->room;
}
