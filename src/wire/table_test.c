/* SPDX-License-Identifier: ISC */
/* Tables that travel as changes: the three extensions in a whole heartbeat. */
#include "wire/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "wire/heartbeat.h"

#define CLUSTER 7

static const struct heartbeat_key NO_KEY;
static struct heartbeat sent, received;
static uint8_t bytes[HEARTBEAT_SIZE_MAX + 64];
static size_t size;

static void begin(void)
{
	sent = (struct heartbeat){.id = 1,
		.nonce = 2,
		.sequence = 3,
		.interval_us = 100000,
		.tolerance_us = 350000,
		.no_groups = true,
		.table = {.present = true, .version = 9, .digest = UINT64_C(0x0102030405060708)}};
	text_copy(sent.name, sizeof(sent.name), "alpha");
}

static enum heartbeat_drop pass(void)
{
	size = heartbeat_encode(&sent, CLUSTER, &NO_KEY, bytes);
	return heartbeat_decode(bytes, size, HEARTBEAT_HOP_LIMIT, CLUSTER, &NO_KEY, &received);
}

static void add_change(uint32_t id)
{
	sent.table.changes[sent.table.change_count++] = (struct table_change){.id = id,
		.worth = 100,
		.state = STATE_ACTIVE,
		.flags = HEARTBEAT_GROUP_ELIGIBLE,
		.grantee = 0x11223344,
		.epoch = 5};
}

static void test_quiet(void **state)
{
	(void)state;
	begin();
	assert_int_equal(pass(), HEARTBEAT_ACCEPTED);
	assert_true(received.no_groups);
	assert_int_equal(received.table.version, 9);
	assert_true(received.table.digest == sent.table.digest);
	assert_int_equal(received.table.change_count, 0);
	assert_int_equal(received.table.last, received.table.base);
}

/* Four peers, a key, no news: below 200 bytes. */
static void test_quiet_is_small(void **state)
{
	struct heartbeat_key key;

	(void)state;
	begin();
	heartbeat_key_init(&key, (const uint8_t *)"secret", 6);
	sent.heard_count = 1;
	assert_true(heartbeat_encode(&sent, CLUSTER, &key, bytes) < 200);
	sent.name[0] = '\0';
	sent.heard_count = 4;
	assert_int_equal(heartbeat_encode(&sent, CLUSTER, &key, bytes), 196);
	text_copy(sent.name, sizeof(sent.name), "alpha");
	for (sent.heard_count = 0; sent.heard_count < 4; sent.heard_count++)
		assert_int_equal(heartbeat_encode(&sent, CLUSTER, &key, bytes),
			64 + 4 + 5 + 4 + sent.heard_count * 24 + 4 + 12 + 16);
}

static void test_changes_and_requests(void **state)
{
	(void)state;
	begin();
	sent.table.base = 6;
	sent.table.last = 8;
	add_change(71);
	add_change(72);
	sent.table.request_count = 1;
	sent.table.requests[0] = (struct table_request){.id = 5, .nonce = 6, .have = 7};
	assert_int_equal(pass(), HEARTBEAT_ACCEPTED);
	assert_memory_equal(&received.table, &sent.table, sizeof(sent.table));
}

static void test_requests_without_a_table(void **state)
{
	(void)state;
	begin();
	sent.table = (struct table){.request_count = 1, .requests = {{.id = 5, .nonce = 6}}};
	assert_int_equal(pass(), HEARTBEAT_ACCEPTED);
	assert_false(received.table.present);
	assert_int_equal(received.table.requests[0].id, 5);
}

static void test_room(void **state)
{
	size_t room;

	(void)state;
	begin();
	sent.heard_count = PEERS_MAX;
	sent.table.last = 1;
	room = heartbeat_room(&sent, 1400);
	while (sent.table.change_count < room / TABLE_CHANGE_SIZE)
		add_change(sent.table.change_count + 1u);
	assert_int_equal(pass(), HEARTBEAT_ACCEPTED);
	assert_true(size <= 1400 && size > 1400 - 2 * TABLE_CHANGE_SIZE - HEARTBEAT_TAG_SIZE);
}

/* The last extension of a heartbeat, replaced. */
static enum heartbeat_drop with_last(uint16_t type, const uint8_t *content, size_t length)
{
	begin();
	size = heartbeat_encode(&sent, CLUSTER, &NO_KEY, bytes);
	bytes[size++] = (uint8_t)(type >> 8);
	bytes[size++] = (uint8_t)type;
	bytes[size++] = (uint8_t)(length >> 8);
	bytes[size++] = (uint8_t)length;
	memcpy(bytes + size, content, length);
	size += length;
	bytes[4] = (uint8_t)(size >> 8);
	bytes[5] = (uint8_t)size;
	return heartbeat_decode(bytes, size, HEARTBEAT_HOP_LIMIT, CLUSTER, &NO_KEY, &received);
}

static void test_impossible(void **state)
{
	uint8_t content[8 + 65 * TABLE_CHANGE_SIZE] = {0, 0, 0, 1, 0, 0, 0, 2};

	(void)state;
	content[11] = 1; /* group id */
	content[14] = STATE_STANDBY;
	assert_int_equal(with_last(17, content, 30), HEARTBEAT_ACCEPTED);
	assert_int_equal(with_last(17, content, 29), HEARTBEAT_DROP_MALFORMED);
	assert_int_equal(with_last(17, content, 7), HEARTBEAT_DROP_MALFORMED);
	assert_int_equal(with_last(16, content, 12), HEARTBEAT_DROP_MALFORMED); /* twice */
	assert_int_equal(with_last(18, content, 21), HEARTBEAT_DROP_MALFORMED);
	assert_int_equal(with_last(18, content, 5 * 20), HEARTBEAT_DROP_MALFORMED);
	for (size_t i = 0; i < 65; i++) {
		content[8 + i * TABLE_CHANGE_SIZE + 3] = 1;
		content[8 + i * TABLE_CHANGE_SIZE + 6] = STATE_STANDBY;
	}
	assert_int_equal(with_last(17, content, 8 + 64 * TABLE_CHANGE_SIZE), HEARTBEAT_ACCEPTED);
	assert_int_equal(
		with_last(17, content, 8 + 65 * TABLE_CHANGE_SIZE), HEARTBEAT_DROP_MALFORMED);
	content[14] = 0; /* no state */
	assert_int_equal(with_last(17, content, 30), HEARTBEAT_DROP_MALFORMED);
	content[14] = STATE_STANDBY;
	content[11] = 0; /* no group */
	assert_int_equal(with_last(17, content, 30), HEARTBEAT_DROP_MALFORMED);
	content[11] = 1;
	content[7] = 1; /* from 1 to 1: nothing can have changed */
	assert_int_equal(with_last(17, content, 30), HEARTBEAT_DROP_MALFORMED);
}

static void test_digest(void **state)
{
	struct table_change c = {.id = 1, .worth = 2, .state = STATE_ACTIVE, .epoch = 3}, other;

	(void)state;
	other = c;
	assert_true(table_digest(&c) == table_digest(&other));
	other.epoch++;
	assert_true(table_digest(&c) != table_digest(&other));
	other = c;
	other.grantee = 1;
	assert_true(table_digest(&c) != table_digest(&other));
	assert_int_not_equal(table_mark(1, 2), table_mark(2, 1));
	assert_int_not_equal(table_mark(1, 2), table_mark(1, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_quiet_is_small),
		cmocka_unit_test(test_changes_and_requests),
		cmocka_unit_test(test_requests_without_a_table),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
