/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "driver/driver.h"

#define RECEIVE_BATCH 64

/* The keeper died, and with it the only one who can take the addresses down. Without a fence they
 * go on answering, so the others must not think them free before they have missed us. */
static void keeper_gone(struct keeper *k)
{
	struct driver *d = k->driver;

	if (d->over)
		return;
	lease_store(d->lease, TIME_ORIGIN);
	if (!k->fenced) {
		driver_fail(d, "the keeper is gone; its addresses may still be configured: run `ha "
			       "release`");
		return;
	}
	if (k->will_size > 0)
		(void)transport_send(&d->transport, k->will, k->will_size);
	driver_fail(d, "the keeper is gone; the fence silences its addresses: `ha release` takes "
		       "them down");
}

static bool transmit(struct keeper *k, const struct channel_message *m)
{
	uint8_t bytes[CHANNEL_MESSAGE_MAX];
	size_t size = channel_encode(m, bytes);

	if (send(k->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)
		keeper_gone(k);
	return false;
}

static void update_poll(struct keeper *k);

bool keeper_has_more(const struct keeper *k)
{
	return k->urgent.count + k->later.count > 0;
}

static size_t group_of(const struct keeper *k, const struct keeper_message *m)
{
	return k->driver->conf->addresses[m->index].group;
}

/* Overtaken by a HOLD or a RELEASE of its group. */
static bool is_pointless(const struct keeper *k, const struct keeper_message *m)
{
	switch (m->verb) {
	case CHANNEL_ANNOUNCE:
	case CHANNEL_REQUEST: return !k->held[group_of(k, m)];
	case CHANNEL_PROBE: return k->held[group_of(k, m)];
	default: return false;
	}
}

/* False if something must wait. */
static bool flush(struct keeper *k, struct keeper_queue *q)
{
	while (q->count > 0 && !k->driver->over) {
		const struct keeper_message *next = &q->list[q->first];
		struct channel_message m = {.verb = next->verb,
			.index = next->index,
			.second = next->second,
			.number = next->number};

		if (!is_pointless(k, next) && !transmit(k, &m))
			return false;
		q->first = (q->first + 1) % q->size;
		q->count--;
	}
	return true;
}

void keeper_flush(struct keeper *k)
{
	if (flush(k, &k->urgent))
		(void)flush(k, &k->later);
	update_poll(k);
}

/* One message. False if there is none, or no more to come. */
static bool receive_one(struct keeper *k)
{
	uint8_t bytes[CHANNEL_MESSAGE_MAX];
	struct channel_message m;
	ssize_t size = recv(k->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return false;
	if (size <= 0) {
		keeper_gone(k);
		return false;
	}
	if (!channel_decode(bytes, (size_t)size, &m) || channel_verb_is_from_engine(m.verb)) {
		driver_fail(k->driver,
			"the keeper speaks another language; were both installed together?");
		return false;
	}
	if (m.verb == CHANNEL_FENCE)
		k->fenced = m.number == CHANNEL_FENCE_BPF;
	if (m.verb == CHANNEL_ANSWERED) {
		if (k->driver->owner.answered)
			k->driver->owner.answered(k->driver->owner.context, m.index);
		return !k->driver->over;
	}
	struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = &m};
	driver_event(k->driver, &event);
	return !k->driver->over;
}

void keeper_receive(struct keeper *k)
{
	for (int i = 0; i < RECEIVE_BATCH && receive_one(k); i++)
		;
}

static void update_poll(struct keeper *k)
{
	bool waits = keeper_has_more(k);
	struct epoll_event event = {
		.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.u32 = SOURCE_KEEPER};

	if (waits == k->waits_to_write || k->driver->over)
		return;
	k->waits_to_write = waits;
	if (epoll_ctl(k->driver->poll_fd, EPOLL_CTL_MOD, k->fd, &event) != 0)
		driver_fail(k->driver, "the channel to the keeper cannot be polled: %s",
			strerror(errno));
}

static bool open_queue(struct keeper_queue *q, size_t size)
{
	q->size = size;
	q->list = calloc(size, sizeof(*q->list));
	return q->list != NULL;
}

bool keeper_open(struct keeper *k, struct driver *d, int fd)
{
	const struct conf *conf = d->conf;

	k->driver = d;
	k->fd = fd;
	k->held = calloc(conf->group_count, sizeof(*k->held));
	if (!k->held ||
		!open_queue(&k->urgent,
			KEEPER_QUEUE_MIN + KEEPER_QUEUE_EACH * (size_t)conf->group_count) ||
		!open_queue(&k->later,
			KEEPER_QUEUE_MIN + KEEPER_QUEUE_EACH * (size_t)conf->address_count)) {
		driver_fail(d, "out of memory");
		return false;
	}
	return driver_watch(d, fd, SOURCE_KEEPER);
}

void keeper_close(struct keeper *k)
{
	if (k->fd >= 0)
		(void)close(k->fd);
	k->fd = -1;
	free(k->urgent.list);
	free(k->later.list);
	free(k->held);
	k->urgent.list = k->later.list = NULL;
	k->held = NULL;
}

/* A will that finds the channel full is sent with the next change of the cluster; those that must
 * not be lost wait in the queue. */
static void send_will(struct keeper *k, const struct effect *effect)
{
	struct channel_message *m = &k->message;

	assert(effect->keeper.payload_size <= CHANNEL_PAYLOAD_MAX);
	*m = (struct channel_message){.verb = effect->keeper.verb};
	m->payload_size = (uint16_t)effect->keeper.payload_size;
	memcpy(m->payload, effect->keeper.payload, m->payload_size);
	memcpy(k->will, m->payload, m->payload_size);
	k->will_size = m->payload_size;
	if (!transmit(k, m) && !k->driver->over)
		driver_tell(
			k->driver, REPORT_WARNING, "the keeper is busy; it keeps an older will");
}

/* Many addresses of a group are announced at the same time, in rising or in falling order: one
 * message for a run of them. */
static bool joins_run(struct keeper *k, const struct effect *effect)
{
	const struct conf_address *addresses = k->driver->conf->addresses;
	const struct keeper_queue *q = &k->later;
	uint16_t index = effect->keeper.index;
	struct keeper_message *last;

	if (effect->keeper.verb != CHANNEL_ANNOUNCE || q->count == 0)
		return false;
	last = &q->list[(q->first + q->count - 1) % q->size];
	if (last->verb != CHANNEL_ANNOUNCE || last->second == CHANNEL_RUN_MAX ||
		addresses[last->index].group != addresses[index].group)
		return false;
	if (last->index + last->second + 1 != index && index + 1 != last->index)
		return false;
	last->index = index < last->index ? index : last->index;
	last->second++;
	return true;
}

static bool is_urgent(enum channel_verb verb)
{
	switch (verb) {
	case CHANNEL_ANNOUNCE:
	case CHANNEL_REQUEST:
	case CHANNEL_PROBE:
	case CHANNEL_ASK: return false;
	default: return true;
	}
}

static void remember_held(struct keeper *k, const struct effect *effect)
{
	if (effect->keeper.verb == CHANNEL_HOLD || effect->keeper.verb == CHANNEL_RELEASE)
		k->held[effect->keeper.index] = effect->keeper.verb == CHANNEL_HOLD;
}

void keeper_send(struct keeper *k, const struct effect *effect)
{
	struct keeper_queue *q = is_urgent(effect->keeper.verb) ? &k->urgent : &k->later;
	bool was_empty = q->count == 0;

	if (effect->keeper.payload) {
		send_will(k, effect);
		return;
	}
	if (joins_run(k, effect))
		return;
	if (q->count == q->size) {
		driver_fail(k->driver, "the keeper does not keep up: %zu messages wait", q->size);
		return;
	}
	remember_held(k, effect);
	q->list[(q->first + q->count++) % q->size] =
		(struct keeper_message){.verb = effect->keeper.verb,
			.index = effect->keeper.index,
			.second = effect->keeper.second,
			.number = effect->keeper.number};
	/* An announcement may be the first of a run: it leaves at the end of the step. */
	if (was_empty && effect->keeper.verb != CHANNEL_ANNOUNCE)
		keeper_flush(k);
}
