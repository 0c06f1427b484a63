/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "daemon/daemon.h"
#include "sys/log.h"

#define RECEIVE_BATCH 64

static bool transmit(struct keeper *k, const struct channel_message *m)
{
	uint8_t bytes[CHANNEL_MESSAGE_MAX];
	size_t size = channel_encode(m, bytes);

	if (send(k->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)
		daemon_keeper_gone(k->daemon);
	return false;
}

static void update_poll(struct keeper *k);

static void flush(struct keeper *k)
{
	while (k->count > 0) {
		const struct keeper_message *next = &k->queue[k->first];
		struct channel_message m = {.verb = next->verb,
			.index = next->index,
			.second = next->second,
			.number = next->number};

		if (!transmit(k, &m))
			break;
		k->first = (k->first + 1) % KEEPER_QUEUE_MAX;
		k->count--;
	}
	update_poll(k);
}

static void receive(struct keeper *k)
{
	uint8_t bytes[CHANNEL_MESSAGE_MAX];
	struct channel_message m;

	for (int i = 0; i < RECEIVE_BATCH; i++) {
		ssize_t size = recv(k->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return;
		if (size <= 0)
			daemon_keeper_gone(k->daemon);
		if (!channel_decode(bytes, (size_t)size, &m) || channel_verb_is_from_engine(m.verb))
			daemon_fail("the keeper speaks another language; were both installed "
				    "together?");
		if (m.verb == CHANNEL_FENCE)
			k->fenced = m.number == CHANNEL_FENCE_KERNEL;
		struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = &m};
		daemon_event(k->daemon, &event);
	}
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct keeper *k = poll->data;

	(void)status;
	if (events & UV_WRITABLE)
		flush(k);
	if (events & (UV_READABLE | UV_DISCONNECT))
		receive(k);
}

static void update_poll(struct keeper *k)
{
	int events = UV_READABLE | UV_DISCONNECT | (k->count > 0 ? UV_WRITABLE : 0);

	if (uv_poll_start(&k->poll, events, on_ready) != 0)
		daemon_fail("the channel to the keeper cannot be polled");
}

void keeper_open(struct keeper *k, struct daemon *d, int fd, uv_loop_t *loop)
{
	k->daemon = d;
	k->fd = fd;
	k->first = k->count = 0;
	k->poll.data = k;
	if (uv_poll_init(loop, &k->poll, fd) != 0)
		daemon_fail("the channel to the keeper cannot be polled");
	update_poll(k);
}

/* A will that finds the channel full is sent with the next change of the cluster; those that must
 * not be lost wait in the queue. */
static void send_will(struct keeper *k, const struct effect *effect)
{
	static struct channel_message m; /* too large for the stack of the hot path */

	assert(effect->keeper.payload_size <= CHANNEL_PAYLOAD_MAX);
	m = (struct channel_message){.verb = effect->keeper.verb};
	m.payload_size = (uint16_t)effect->keeper.payload_size;
	memcpy(m.payload, effect->keeper.payload, m.payload_size);
	memcpy(k->will, m.payload, m.payload_size);
	k->will_size = m.payload_size;
	if (!transmit(k, &m))
		log_warning("the keeper is busy; it keeps an older will");
}

void keeper_send(struct keeper *k, const struct effect *effect)
{
	bool was_empty = k->count == 0;

	if (effect->keeper.payload) {
		send_will(k, effect);
		return;
	}
	if (k->count == KEEPER_QUEUE_MAX)
		daemon_fail("the keeper does not keep up: %d messages wait", KEEPER_QUEUE_MAX);
	k->queue[(k->first + k->count++) % KEEPER_QUEUE_MAX] =
		(struct keeper_message){.verb = effect->keeper.verb,
			.index = effect->keeper.index,
			.second = effect->keeper.second,
			.number = effect->keeper.number};
	if (was_empty)
		flush(k);
}
