/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "driver/driver.h"
#include "sys/clock.h"

#define RECEIVE_BATCH 64
/* Until the first renewal is told of: what was asked for may have taken a tolerance, and lifetimes
 * are whole seconds. */
#define FIRST_TOLERANCES 2
#define FIRST_EXTRA_NS   (2 * NS_PER_S)

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

/* What is held from now on has a fence that has just been renewed, at most to the end of a lease.
 */
static void expect_renewal(struct keeper *k)
{
	ha_time now = clock_now();

	if (k->renews && (time_is_never(k->closes) || time_reached(now, k->closes)))
		k->closes = time_add(now,
			FIRST_TOLERANCES * k->driver->conf->node.tolerance_ns + FIRST_EXTRA_NS);
}

static void take_note(struct keeper *k, const struct channel_message *m)
{
	if (m->verb == CHANNEL_FENCE) {
		k->fenced = m->number == CHANNEL_FENCE_BPF;
		k->renews =
			m->number == CHANNEL_FENCE_NFTABLES || m->number == CHANNEL_FENCE_LIFETIME;
	} else if (m->verb == CHANNEL_HELD) {
		expect_renewal(k);
	} else if (m->verb == CHANNEL_RENEWED) {
		k->closes = (ha_time){m->number <= INT64_MAX ? (int64_t)m->number : INT64_MAX};
	}
}

static bool holds_any(const struct driver *d)
{
	for (size_t g = 0; g < d->conf->group_count; g++) {
		if (engine_holds(d->engine, g))
			return true;
	}
	return false;
}

/* It renews once an interval at least; a heartbeat that was late may have extended the lease just
 * before the fence has closed. */
ha_time keeper_deadline(const struct keeper *k)
{
	return time_is_never(k->closes) ? TIME_NEVER
					: time_add(k->closes, k->driver->conf->node.interval_ns);
}

/* Nobody hears us through the fence that has closed, so the others need not wait. As long as we
 * went on, they would. */
static void keeper_hangs(struct keeper *k)
{
	struct driver *d = k->driver;

	lease_store(d->lease, TIME_ORIGIN);
	if (k->will_size > 0)
		(void)transport_send(&d->transport, k->will, k->will_size);
	driver_fail(d, "the keeper hangs: the fence that it should renew has closed");
}

void keeper_check(struct keeper *k)
{
	struct driver *d = k->driver;

	if (d->over || !time_reached(clock_now(), keeper_deadline(k)))
		return;
	keeper_receive(k);
	if (d->over || !time_reached(clock_now(), keeper_deadline(k)))
		return;
	k->closes = TIME_NEVER;
	/* If the lease has passed as well, it was us who were away. */
	if (holds_any(d) && !time_reached(clock_now(), lease_load(d->lease)))
		keeper_hangs(k);
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
	take_note(k, &m);
	if (m.verb == CHANNEL_ANSWERED) {
		if (k->driver->owner.answered)
			k->driver->owner.answered(k->driver->owner.context, m.index);
		return !k->driver->over;
	}
	struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = &m};
	if (m.verb != CHANNEL_RENEWED)
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
	k->closes = TIME_NEVER;
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
