/* SPDX-License-Identifier: ISC */
#include "wire/channel.h"

#include "base/assert.h"
#include "base/ip.h"
#include "wire/bytes.h"

/* Whether @size bytes of payload are right for @verb; also the list of the verbs that exist. */
static bool payload_fits(enum channel_verb verb, size_t size)
{
	switch (verb) {
	case CHANNEL_WILL: return size >= 1 && size <= CHANNEL_PAYLOAD_MAX;
	case CHANNEL_TARGET: return size == IP_WIRE_SIZE;
	case CHANNEL_FRAME: return size >= 1 && size <= CHANNEL_FRAME_MAX;
	case CHANNEL_READY:
	case CHANNEL_HOLD:
	case CHANNEL_RELEASE:
	case CHANNEL_RESTORE:
	case CHANNEL_ANNOUNCE:
	case CHANNEL_REQUEST:
	case CHANNEL_PROBE:
	case CHANNEL_AFRESH:
	case CHANNEL_PAUSED:
	case CHANNEL_ASK:
	case CHANNEL_ANSWERED:
	case CHANNEL_HELD:
	case CHANNEL_HOLD_FAILED:
	case CHANNEL_RELEASED:
	case CHANNEL_EXPIRED:
	case CHANNEL_REMOVED:
	case CHANNEL_STOP:
	case CHANNEL_FENCE:
	case CHANNEL_PAUSE:
	case CHANNEL_RETIRE:
	case CHANNEL_RESUME:
	case CHANNEL_BEGIN:
	case CHANNEL_RENEWED: return size == 0;
	}
	return false;
}

size_t channel_encode(const struct channel_message *m, uint8_t *bytes)
{
	struct writer w = writer_init(bytes, CHANNEL_MESSAGE_MAX);

	assert(payload_fits(m->verb, m->payload_size));
	writer_u8(&w, (uint8_t)m->verb);
	writer_u8(&w, 0);
	writer_u16(&w, m->index);
	writer_u16(&w, m->second);
	writer_u16(&w, m->payload_size);
	writer_u64(&w, m->number);
	writer_bytes(&w, m->payload, m->payload_size);
	assert(!w.failed);
	return w.used;
}

bool channel_decode(const uint8_t *bytes, size_t size, struct channel_message *ret_message)
{
	struct reader r = reader_init(bytes, size);
	uint8_t reserved;

	ret_message->verb = (enum channel_verb)reader_u8(&r);
	reserved = reader_u8(&r);
	ret_message->index = reader_u16(&r);
	ret_message->second = reader_u16(&r);
	ret_message->payload_size = reader_u16(&r);
	ret_message->number = reader_u64(&r);
	if (r.failed || reserved != 0 || r.left != ret_message->payload_size)
		return false;
	if (!payload_fits(ret_message->verb, ret_message->payload_size))
		return false;
	reader_bytes(&r, ret_message->payload, ret_message->payload_size);
	return !r.failed;
}

bool channel_verb_is_from_engine(enum channel_verb verb)
{
	return verb >= CHANNEL_READY && verb < CHANNEL_HELD;
}

const char *channel_verb_name(enum channel_verb verb)
{
	switch (verb) {
	case CHANNEL_READY: return "READY";
	case CHANNEL_HOLD: return "HOLD";
	case CHANNEL_RELEASE: return "RELEASE";
	case CHANNEL_RESTORE: return "RESTORE";
	case CHANNEL_ANNOUNCE: return "ANNOUNCE";
	case CHANNEL_REQUEST: return "REQUEST";
	case CHANNEL_PROBE: return "PROBE";
	case CHANNEL_WILL: return "WILL";
	case CHANNEL_HELD: return "HELD";
	case CHANNEL_HOLD_FAILED: return "HOLD_FAILED";
	case CHANNEL_RELEASED: return "RELEASED";
	case CHANNEL_EXPIRED: return "EXPIRED";
	case CHANNEL_REMOVED: return "REMOVED";
	case CHANNEL_TARGET: return "TARGET";
	case CHANNEL_FRAME: return "FRAME";
	case CHANNEL_STOP: return "STOP";
	case CHANNEL_FENCE: return "FENCE";
	case CHANNEL_PAUSED: return "PAUSED";
	case CHANNEL_ASK: return "ASK";
	case CHANNEL_ANSWERED: return "ANSWERED";
	case CHANNEL_PAUSE: return "PAUSE";
	case CHANNEL_RETIRE: return "RETIRE";
	case CHANNEL_RESUME: return "RESUME";
	case CHANNEL_AFRESH: return "AFRESH";
	case CHANNEL_BEGIN: return "BEGIN";
	case CHANNEL_RENEWED: return "RENEWED";
	}
	return "unknown";
}

const char *channel_fence_name(uint64_t fence)
{
	switch (fence) {
	case CHANNEL_FENCE_WATCHDOG: return "watchdog";
	case CHANNEL_FENCE_BPF: return "bpf";
	case CHANNEL_FENCE_NFTABLES: return "nftables";
	case CHANNEL_FENCE_LIFETIME: return "lifetime";
	default: return NULL;
	}
}
