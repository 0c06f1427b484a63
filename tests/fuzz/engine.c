/* SPDX-License-Identifier: ISC */
/*
 * fuzz_engine, fuzz_engine_full: a byte string drives one engine. The first byte chooses whether
 * the devices work at first, whether its status is looked at in the end, and whether its table
 * travels as changes. Then each byte is a
 * command: its low half what happens, its high half how much time passes before. subject.c checks
 * every step.
 */
#include "fuzz/fuzz.h"
#include "fuzz/hostile.h"

#define COMMANDS_MAX 128

#define CHOICE_NO_LINKS 0x01
#define CHOICE_STATUS   0x02
#define CHOICE_CHANGES  0x04

enum command {
	COMMAND_HONEST, /* some timers, with a host that does what it is asked */
	COMMAND_TIMER,
	COMMAND_ANSWER,
	COMMAND_HEARTBEAT,
	COMMAND_DATAGRAM,
	COMMAND_MESSAGE,
	COMMAND_FRAME,
	COMMAND_DEVICE,
	COMMAND_SENT,
	COMMAND_SEND_FAILED,
	COMMAND_JUMP, /* time passes, of any length */
	COMMAND_STOP,
	COMMAND_REQUEST,
	COMMAND_HEALTH,
	COMMAND_COUNT
};

static void connect_devices(struct subject *s)
{
	for (uint8_t i = 0; i < s->conf->device_count; i++) {
		const uint8_t working[] = {i, 0x1f, (uint8_t)(50 + i)};
		struct reader r = reader_init(working, sizeof(working));

		hostile_device(s, &r);
	}
}

static void be_honest(struct subject *s, unsigned timers)
{
	for (unsigned i = 0; i < timers; i++) {
		subject_timer(s);
		subject_answer(s);
	}
}

/* Up to 2^62 ns, 146 years: longer than any machine runs. */
static void jump(struct subject *s, struct reader *r)
{
	uint64_t length_ns = (uint64_t)reader_u8(r) << reader_u8(r) % 55;

	if (s->now.ns < INT64_MAX / 4)
		s->now = time_add(s->now, (int64_t)length_ns);
}

static void simple_event(struct subject *s, enum engine_event_kind kind)
{
	struct engine_event event = {.kind = kind};

	if (kind == ENGINE_SEND_FAILED)
		event.error = 101; /* ENETUNREACH */
	subject_step(s, &event);
}

static void obey(struct subject *s, struct reader *r)
{
	uint8_t byte = reader_u8(r);
	enum command command = (byte & 0x0f) % COMMAND_COUNT;

	if (byte >> 4 && s->now.ns < INT64_MAX / 4)
		s->now = time_add(s->now, NS_PER_MS << ((byte >> 4) - 1));
	switch (command) {
	case COMMAND_HONEST: be_honest(s, reader_u8(r) % 16 + 1u); break;
	case COMMAND_TIMER: subject_timer(s); break;
	case COMMAND_ANSWER: subject_answer(s); break;
	case COMMAND_HEARTBEAT: hostile_heartbeat(s, r); break;
	case COMMAND_DATAGRAM: hostile_datagram(s, r); break;
	case COMMAND_MESSAGE: hostile_message(s, r); break;
	case COMMAND_FRAME: hostile_frame(s, r); break;
	case COMMAND_DEVICE: hostile_device(s, r); break;
	case COMMAND_SENT: simple_event(s, ENGINE_SENT); break;
	case COMMAND_SEND_FAILED: simple_event(s, ENGINE_SEND_FAILED); break;
	case COMMAND_JUMP: jump(s, r); break;
	case COMMAND_STOP: simple_event(s, ENGINE_STOP); break;
	case COMMAND_HEALTH: hostile_health(s, r); break;
	case COMMAND_REQUEST: hostile_request(s, r); break;
	case COMMAND_COUNT: break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct subject subject;
	struct reader r = reader_init(bytes, size);
	uint8_t choice = reader_u8(&r);

	subject_start(&subject, choice & CHOICE_CHANGES);
	if (!(choice & CHOICE_NO_LINKS))
		connect_devices(&subject);
	for (int i = 0; i < COMMANDS_MAX && r.left > 0 && !subject.stopped; i++)
		obey(&subject, &r);
	if (choice & CHOICE_STATUS)
		subject_check_status(&subject);
	subject_finish(&subject);
	return 0;
}
