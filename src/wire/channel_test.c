/* SPDX-License-Identifier: ISC */
/* The keeper's channel: layout, and every kind of message that must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/channel.h"

static void the_layout_is_as_documented(void **state)
{
	/* clang-format off */
	static const uint8_t golden[] = {
		69, 0, 0x01, 0x02, 0x00, 0x0f, 0x00, 0x10, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 1, 1,
	};
	/* clang-format on */
	struct channel_message m = {
		.verb = CHANNEL_TARGET,
		.index = 0x0102,
		.second = 15,
		.number = UINT64_C(0x1122334455667788),
		.payload_size = 16,
	};
	struct channel_message back;
	uint8_t bytes[CHANNEL_MESSAGE_MAX];

	(void)state;
	memcpy(m.payload, golden + CHANNEL_HEADER_SIZE, 16);
	assert_int_equal(channel_encode(&m, bytes), sizeof(golden));
	assert_memory_equal(bytes, golden, sizeof(golden));
	assert_true(channel_decode(bytes, sizeof(golden), &back));
	assert_int_equal(back.verb, m.verb);
	assert_int_equal(back.index, m.index);
	assert_int_equal(back.second, m.second);
	assert_int_equal(back.number, m.number);
	assert_int_equal(back.payload_size, 16);
	assert_memory_equal(back.payload, m.payload, 16);
}

/* Encoded header of @verb that promises @promised bytes of payload and carries @size of them. */
static bool accepts(unsigned verb, uint8_t reserved, size_t promised, size_t size)
{
	static uint8_t bytes[CHANNEL_MESSAGE_MAX + 1];
	static struct channel_message m;

	memset(bytes, 0, sizeof(bytes));
	bytes[0] = (uint8_t)verb;
	bytes[1] = reserved;
	bytes[6] = (uint8_t)(promised >> 8);
	bytes[7] = (uint8_t)promised;
	return channel_decode(bytes, CHANNEL_HEADER_SIZE + size, &m);
}

static void payload_belongs_to_few_verbs_only(void **state)
{
	(void)state;
	for (unsigned verb = 0; verb < 256; verb++) {
		bool exists = (verb >= CHANNEL_READY && verb <= CHANNEL_AFRESH) ||
			      (verb >= CHANNEL_HELD && verb <= CHANNEL_RENEWED);
		bool carries =
			verb == CHANNEL_WILL || verb == CHANNEL_TARGET || verb == CHANNEL_FRAME;

		assert_int_equal(accepts(verb, 0, 0, 0), exists && !carries);
		assert_int_equal(accepts(verb, 0, 16, 16), carries);
		assert_false(accepts(verb, 1, 0, 0));
		assert_false(accepts(verb, 0, 1, 0));
		assert_false(accepts(verb, 0, 0, 1));
	}
	assert_true(accepts(CHANNEL_WILL, 0, 1, 1));
	assert_true(accepts(CHANNEL_WILL, 0, CHANNEL_PAYLOAD_MAX, CHANNEL_PAYLOAD_MAX));
	assert_false(accepts(CHANNEL_WILL, 0, CHANNEL_PAYLOAD_MAX + 1, CHANNEL_PAYLOAD_MAX + 1));
	assert_false(accepts(CHANNEL_TARGET, 0, 15, 15));
	assert_false(accepts(CHANNEL_TARGET, 0, 17, 17));
	assert_true(accepts(CHANNEL_FRAME, 0, CHANNEL_FRAME_MAX, CHANNEL_FRAME_MAX));
	assert_false(accepts(CHANNEL_FRAME, 0, CHANNEL_FRAME_MAX + 1, CHANNEL_FRAME_MAX + 1));
}

static void every_truncation_is_refused(void **state)
{
	static const uint8_t bytes[CHANNEL_HEADER_SIZE] = {CHANNEL_READY};
	struct channel_message m;

	(void)state;
	for (size_t size = 0; size < sizeof(bytes); size++)
		assert_false(channel_decode(bytes, size, &m));
	assert_true(channel_decode(bytes, sizeof(bytes), &m));
}

static void verbs_know_their_direction_and_name(void **state)
{
	(void)state;
	assert_true(channel_verb_is_from_engine(CHANNEL_READY));
	assert_true(channel_verb_is_from_engine(CHANNEL_WILL));
	assert_false(channel_verb_is_from_engine(CHANNEL_HELD));
	assert_false(channel_verb_is_from_engine(CHANNEL_FENCE));
	assert_string_equal(channel_verb_name(CHANNEL_HOLD_FAILED), "HOLD_FAILED");
	assert_string_equal(channel_verb_name((enum channel_verb)63), "unknown");
}

static void every_name_is_its_own(void **state)
{
	const char *names[256];
	size_t count = 0;

	(void)state;
	for (unsigned verb = 0; verb < 256; verb++) {
		const char *name = channel_verb_name((enum channel_verb)verb);

		if (strcmp(name, "unknown") == 0)
			continue;
		for (size_t i = 0; i < count; i++)
			assert_string_not_equal(names[i], name);
		names[count++] = name;
	}
	for (unsigned verb = 0; verb < 256; verb++)
		if (accepts(verb, 0, 0, 0) || accepts(verb, 0, 16, 16))
			assert_string_not_equal(
				channel_verb_name((enum channel_verb)verb), "unknown");
	assert_true(count > 20);
	assert_string_equal(channel_fence_name(CHANNEL_FENCE_WATCHDOG), "watchdog");
	assert_string_equal(channel_fence_name(CHANNEL_FENCE_BPF), "bpf");
	assert_string_equal(channel_fence_name(CHANNEL_FENCE_NFTABLES), "nftables");
	assert_string_equal(channel_fence_name(CHANNEL_FENCE_LIFETIME), "lifetime");
	assert_null(channel_fence_name(77));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layout_is_as_documented),
		cmocka_unit_test(payload_belongs_to_few_verbs_only),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(every_name_is_its_own),
		cmocka_unit_test(verbs_know_their_direction_and_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
