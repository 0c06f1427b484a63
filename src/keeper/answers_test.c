/* SPDX-License-Identifier: ISC */
#include "keeper/answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define GROUPS 30000

static struct conf conf = {.group_count = GROUPS};
static struct answers answers;
static int engine;

static int set_up(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	engine = pair[1];
	assert_int_equal(answers_open(&answers, &conf), 0);
	answers_begin(&answers, pair[0]);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)close(answers.channel);
	(void)close(engine);
	free(answers.list);
	return 0;
}

static void add(uint16_t index)
{
	struct channel_message m = {.verb = CHANNEL_RELEASED, .index = index, .number = index + 7U};

	answers_add(&answers, &m);
}

/* -1: there is none. */
static int receive(void)
{
	uint8_t bytes[CHANNEL_MESSAGE_MAX];
	struct channel_message m;
	ssize_t size = recv(engine, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (size < 0)
		return -1;
	assert_true(channel_decode(bytes, (size_t)size, &m));
	assert_int_equal(m.number, m.index + 7U);
	return m.index;
}

static void test_none_is_lost(void **state)
{
	int next = 0, index;

	(void)state;
	for (uint16_t i = 0; i < GROUPS; i++)
		add(i);
	assert_true(answers.count > 0); /* more than the channel has room for */
	assert_false(answers.overrun);
	assert_false(answers_have_room(&answers));
	while (next < GROUPS) {
		index = receive();
		if (index < 0)
			(void)answers_flush(&answers);
		else
			assert_int_equal(index, next++);
	}
	assert_true(answers_flush(&answers));
	assert_true(answers_have_room(&answers));
}

static void test_what_may_be_dropped_never_goes_ahead(void **state)
{
	struct channel_message m = {.verb = CHANNEL_ANSWERED, .index = 0, .number = 7};

	(void)state;
	while (answers.count == 0)
		add(1);
	answers_offer(&answers, &m);
	while (answers.count > 0) {
		while (receive() == 1)
			;
		(void)answers_flush(&answers);
	}
	while (receive() == 1)
		;
	assert_int_equal(receive(), -1);
	answers_offer(&answers, &m);
	assert_int_equal(receive(), 0);
}

static void test_payload_is_kept(void **state)
{
	struct channel_message m = {.verb = CHANNEL_TARGET, .payload_size = IP_WIRE_SIZE}, got;
	uint8_t bytes[CHANNEL_MESSAGE_MAX];
	bool found = false;
	ssize_t size;

	(void)state;
	while (answers.count == 0)
		add(1);
	memset(m.payload, 0xa5, IP_WIRE_SIZE);
	answers_add(&answers, &m);
	do {
		(void)answers_flush(&answers);
		size = recv(engine, bytes, sizeof(bytes), MSG_DONTWAIT);
		assert_true(size > 0 && channel_decode(bytes, (size_t)size, &got));
		found = got.verb == CHANNEL_TARGET;
	} while (!found);
	assert_memory_equal(got.payload, m.payload, IP_WIRE_SIZE);
}

static void test_an_engine_that_reads_nothing_is_noticed(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * answers.size; i++)
		add(2);
	assert_true(answers.overrun);
	answers_begin(&answers, answers.channel);
	assert_false(answers.overrun);
}

static void test_one_that_is_gone_is_owed_nothing(void **state)
{
	(void)state;
	while (answers.count == 0)
		add(3);
	(void)close(engine);
	engine = -1;
	assert_true(answers_flush(&answers));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_none_is_lost),
		TEST(test_what_may_be_dropped_never_goes_ahead),
		TEST(test_payload_is_kept),
		TEST(test_an_engine_that_reads_nothing_is_noticed),
		TEST(test_one_that_is_gone_is_owed_nothing),
	};

	return cmocka_run_group_tests_name("keeper answers", tests, NULL, NULL);
}
