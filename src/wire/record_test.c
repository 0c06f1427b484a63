/* SPDX-License-Identifier: ISC */
/* What one engine leaves to the next: it comes back as it was, whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/id.h"
#include "wire/record.h"

static const struct record_node NODE = {.id = 1,
	.nonce = 2,
	.sequence = 30,
	.sequence_recent = 10,
	.sequence_newer = 20,
	.sequence_rotated = {4},
	.saved = {5},
	.lease = {6},
	.sent = 7,
	.received = 8,
	.device_count = 1,
	.peer_count = 1,
	.group_count = 1,
	.metrics = {.metrics.counters = {51}, .dropped = {0, 52}}};
static const struct record_device DEVICE = {.name = "eth0", .managed = true, .raised_at = {9}};
static const struct record_group GROUP = {.name = "web",
	.phase = ELECTION_ACTIVE,
	.cause = ELECTION_GRANTED,
	.cause_peer = 11,
	.since = {12},
	.epoch = 13,
	.epoch_seen = 14,
	.epoch_rival = 15,
	.holder = 16,
	.granter = 17,
	.pauses = {.list = {{.id = 18, .until = {181}}, {.id = 182, .until = {183}}}},
	.contenders = 27,
	.worth_change = -30,
	.impaired = true,
	.health_reason = "check web fails: timed out",
	.in_touch = true,
	.told_holder = 19,
	.held_last = {20},
	.state_since = {21},
	.transitions = 22,
	.cause_name = "beta",
	.cause_silence_ns = 23,
	.cause_ineligible = 1,
	.told_ineligible = 2,
	.hold_off = 3,
	.hold_off_until = {24},
	.hold_off_error = 25};
static const struct record_entry ENTRY = {
	.group = 0, .state = 2, .flags = 1, .granted_us = true, .worth = 300, .epoch = 26};

static uint8_t bytes[4096];

static struct record_peer peer(void)
{
	struct record_peer p = {.peer = {.id = 31,
					.nonce = 32,
					.sequence = 33,
					.retired = {34, 35},
					.retired_next = 2,
					.earlier_nonce = 36,
					.earlier_sequence = 37,
					.proven = true,
					.names_us = true,
					.heard = {38},
					.echo_age_ns = 39,
					.interval_ns = 40,
					.tolerance_ns = 41},
		.name = "beta",
		.received = 42,
		.was_live = true,
		.was_hearing = true,
		.deaf = true,
		.deaf_since = {43},
		.deaf_sequence = 44,
		.fence_margin_ns = 45,
		.mac_count = 1,
		.macs = {{2, 0, 0, 0, 0, 9}},
		.entry_count = 1,
		.jitter = {.count = 1, .sum_ns = 53, .max_ns = 53, .buckets = {1}}};

	assert_true(ip_parse("10.0.0.2", &p.address));
	assert_true(ip_parse("fe80::1", &p.source));
	return p;
}

static size_t write_with(const struct record_group *group)
{
	struct record_peer p = peer();
	struct writer w;

	record_begin(&w, bytes, sizeof(bytes), &NODE);
	record_put_device(&w, &DEVICE);
	record_put_group(&w, group);
	record_put_peer(&w, &p);
	record_put_entry(&w, &ENTRY);
	return record_finish(&w);
}

/* What was damaged on purpose gets its hash, else that alone would be found. */
static void set_hash(size_t size)
{
	uint64_t hash = id_hash(ID_SEED, bytes, size - 8);

	for (size_t i = 0; i < 8; i++)
		bytes[size - 8 + i] = (uint8_t)(hash >> (8 * (7 - i)));
}

static void it_comes_back_as_it_was(void **state)
{
	struct record_peer p = peer(), read_peer;
	struct record_device read_device;
	struct record_group read_group;
	struct record_entry read_entry;
	struct record_node node;
	struct reader r;
	size_t size = write_with(&GROUP);

	(void)state;
	memset(&node, 0, sizeof(node));
	assert_true(record_open(bytes, size, &r, &node));
	assert_int_equal(node.id, NODE.id);
	assert_int_equal(node.sequence_newer, NODE.sequence_newer);
	assert_int_equal(node.lease.ns, NODE.lease.ns);
	assert_int_equal(node.group_count, 1);
	assert_memory_equal(&node.metrics, &NODE.metrics, sizeof(node.metrics));
	memset(&read_device, 0, sizeof(read_device));
	assert_true(record_take_device(&r, &read_device));
	assert_memory_equal(&read_device, &DEVICE, sizeof(DEVICE));
	memset(&read_group, 0, sizeof(read_group));
	assert_true(record_take_group(&r, &read_group));
	assert_string_equal(read_group.name, "web");
	assert_int_equal(read_group.phase, ELECTION_ACTIVE);
	assert_int_equal(read_group.cause, ELECTION_GRANTED);
	assert_int_equal(read_group.epoch_seen, 14);
	assert_int_equal(read_group.epoch_rival, 15);
	assert_int_equal(read_group.granter, 17);
	assert_memory_equal(&read_group.pauses, &GROUP.pauses, sizeof(GROUP.pauses));
	assert_int_equal(read_group.contenders, 27);
	assert_true(read_group.in_touch && read_group.impaired && !read_group.wants);
	assert_int_equal(read_group.worth_change, -30);
	assert_string_equal(read_group.health_reason, GROUP.health_reason);
	assert_int_equal(read_group.transitions, 22);
	assert_string_equal(read_group.cause_name, "beta");
	assert_int_equal(read_group.hold_off_error, 25);
	assert_true(record_take_peer(&r, &read_peer));
	assert_int_equal(read_peer.peer.earlier_sequence, 37);
	assert_int_equal(read_peer.peer.retired[1], 35);
	assert_int_equal(read_peer.peer.tolerance_ns, 41);
	assert_true(read_peer.peer.proven && !read_peer.peer.leaving && read_peer.deaf);
	assert_true(ip_equal(&read_peer.address, &p.address));
	assert_true(ip_equal(&read_peer.source, &p.source));
	assert_memory_equal(read_peer.macs, p.macs, sizeof(p.macs));
	assert_memory_equal(&read_peer.jitter, &p.jitter, sizeof(p.jitter));
	assert_true(record_take_entry(&r, &node, &read_entry));
	assert_int_equal(read_entry.worth, 300);
	assert_int_equal(read_entry.epoch, 26);
	assert_true(record_is_read(&r));
}

static void what_is_not_whole_is_refused(void **state)
{
	size_t size = write_with(&GROUP);
	struct record_node node;
	struct reader r;

	(void)state;
	for (size_t cut = 0; cut < size; cut++)
		assert_false(record_open(bytes, cut, &r, &node));
	for (size_t at = 0; at < size; at++) {
		bytes[at] ^= 0x10;
		assert_false(record_open(bytes, size, &r, &node));
		bytes[at] ^= 0x10;
	}
	assert_true(record_open(bytes, size, &r, &node));
}

static void another_major_version_is_refused(void **state)
{
	size_t size = write_with(&GROUP);
	struct record_node node;
	struct reader r;

	(void)state;
	bytes[5] = RECORD_VERSION_MAJOR + 1;
	set_hash(size);
	assert_false(record_open(bytes, size, &r, &node));
	bytes[5] = RECORD_VERSION_MAJOR;
	bytes[7] = RECORD_VERSION_MINOR + 1;
	set_hash(size);
	assert_true(record_open(bytes, size, &r, &node));
}

/* Takes @tail bytes off the end of the section that begins at @at. */
static size_t shorten(size_t at, size_t size, size_t tail)
{
	size_t length = (size_t)(bytes[at] << 8 | bytes[at + 1]) - tail, end = at + 2 + length;

	memmove(bytes + end, bytes + end + tail, size - end - tail);
	bytes[at] = (uint8_t)(length >> 8);
	bytes[at + 1] = (uint8_t)length;
	size -= tail;
	for (size_t i = 0; i < 8; i++)
		bytes[8 + i] = (uint8_t)((uint64_t)size >> (8 * (7 - i)));
	return size;
}

/* Version 1.0 knew of no metrics. */
static void an_older_minor_version_is_read(void **state)
{
	size_t size = write_with(&GROUP);
	struct record_device device;
	struct record_node node;
	struct reader r;

	(void)state;
	bytes[7] = 0;
	size = shorten(16, size, RECORD_METRICS_SIZE);
	set_hash(size);
	assert_true(record_open(bytes, size, &r, &node));
	assert_int_equal(node.group_count, 1);
	assert_int_equal(node.metrics.metrics.counters[0], 0);
	assert_true(record_take_device(&r, &device));
	assert_string_equal(device.name, "eth0");
}

static bool is_taken(struct record_group group)
{
	struct record_device device;
	struct record_node node;
	struct reader r;
	size_t size = write_with(&group);

	assert_true(record_open(bytes, size, &r, &node));
	assert_true(record_take_device(&r, &device));
	return record_take_group(&r, &group);
}

static void impossible_groups_are_refused(void **state)
{
	struct record_group g = GROUP;

	(void)state;
	assert_true(is_taken(g));
	g.phase = ELECTION_RELEASING;
	assert_false(is_taken(g));
	g = GROUP;
	g.epoch = 0;
	assert_false(is_taken(g));
	g.phase = ELECTION_STANDBY;
	assert_true(is_taken(g));
	g = GROUP;
	g.epoch = g.epoch_seen + 1;
	assert_false(is_taken(g));
	g = GROUP;
	g.cause = ELECTION_CAUSES;
	assert_false(is_taken(g));
	g = GROUP;
	g.name[0] = '\0';
	assert_false(is_taken(g));
	g = GROUP;
	g.name[1] = '\n';
	assert_false(is_taken(g));
	g = GROUP;
	g.since.ns = -1;
	assert_false(is_taken(g));
}

/* Its groups end before the pauses. */
static void minor_version_0_is_taken(void **state)
{
	struct record_group group = GROUP, read_group;
	struct record_device device;
	struct record_node node;
	struct writer w;
	struct reader r;
	size_t section;

	(void)state;
	group.pauses = (struct pauses){0};
	record_begin(&w, bytes, sizeof(bytes), &NODE);
	record_put_device(&w, &DEVICE);
	section = w.used;
	record_put_group(&w, &group);
	w.used--;
	bytes[section] = (uint8_t)((w.used - section - 2) >> 8);
	bytes[section + 1] = (uint8_t)(w.used - section - 2);
	assert_true(record_open(bytes, record_finish(&w), &r, &node));
	assert_true(record_take_device(&r, &device));
	memset(&read_group, 0xff, sizeof(read_group));
	assert_true(record_take_group(&r, &read_group));
	assert_memory_equal(&read_group.pauses, &group.pauses, sizeof(group.pauses));
	assert_true(record_is_read(&r));
}

/* One that knows more of them: what there is room for counts. */
static void more_pauses_are_taken_than_there_is_room_for(void **state)
{
	static const uint8_t MORE[16];
	struct record_group group = GROUP, read_group;
	struct record_device device;
	struct record_node node;
	struct writer w;
	struct reader r;
	size_t section, count;

	(void)state;
	for (size_t i = 0; i < PAUSES_MAX; i++)
		group.pauses.list[i] = (struct pause_of){.id = i + 1, .until = {9}};
	record_begin(&w, bytes, sizeof(bytes), &NODE);
	record_put_device(&w, &DEVICE);
	section = w.used;
	record_put_group(&w, &group);
	count = w.used - PAUSES_MAX * sizeof(MORE) - 1;
	bytes[count]++;
	writer_bytes(&w, MORE, sizeof(MORE));
	bytes[section] = (uint8_t)((w.used - section - 2) >> 8);
	bytes[section + 1] = (uint8_t)(w.used - section - 2);
	assert_true(record_open(bytes, record_finish(&w), &r, &node));
	assert_true(record_take_device(&r, &device));
	assert_true(record_take_group(&r, &read_group));
	assert_memory_equal(&read_group.pauses, &group.pauses, sizeof(group.pauses));
}

/* What is in front of it is good, too: a group that is at rest in another state, with all flags
 * told otherwise. */
static void each_flag_comes_back(void **state)
{
	struct record_group other = {.name = "mail",
		.phase = ELECTION_STANDBY,
		.wants = true,
		.conflict = true,
		.unfit = true,
		.acknowledged = true};
	struct record_group listening = {.name = "web", .phase = ELECTION_LISTENING};
	struct record_device device;
	struct record_node node;
	struct record_group read_group;
	struct reader r;
	size_t size = write_with(&other);

	(void)state;
	assert_true(record_open(bytes, size, &r, &node));
	assert_true(record_take_device(&r, &device));
	assert_true(record_take_group(&r, &read_group));
	assert_true(read_group.wants && read_group.conflict && read_group.unfit);
	assert_true(read_group.acknowledged && !read_group.in_touch && !read_group.impaired);
	assert_true(is_taken(listening));
}

static void each_flag_of_a_peer_comes_back(void **state)
{
	struct record_peer p = {.peer = {.id = 1, .leaving = true}}, read_peer;
	struct record_node node;
	struct writer w;
	struct reader r;

	(void)state;
	record_begin(&w, bytes, sizeof(bytes), &NODE);
	record_put_peer(&w, &p);
	assert_true(record_open(bytes, record_finish(&w), &r, &node));
	assert_true(record_take_peer(&r, &read_peer));
	assert_true(read_peer.peer.leaving && !read_peer.peer.proven && !read_peer.peer.names_us);
	assert_true(!read_peer.was_live && !read_peer.was_hearing && !read_peer.deaf);
}

static void impossible_nodes_are_refused(void **state)
{
	static const struct record_node wrong[] = {
		{.id = 0, .nonce = 2},
		{.id = 1, .nonce = 0},
		{.id = 1, .nonce = 2, .peer_count = PEERS_MAX + 1},
		{.id = 1, .nonce = 2, .device_count = DEVICES_MAX + 1},
		{.id = 1, .nonce = 2, .sequence = UINT64_C(1) << 63},
		{.id = 1, .nonce = 2, .sequence = 1, .sequence_newer = 2},
		{.id = 1, .nonce = 2, .sequence_recent = 1},
		{.id = 1, .nonce = 2, .lease = {-1}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct record_node node;
		struct writer w;
		struct reader r;

		record_begin(&w, bytes, sizeof(bytes), &wrong[i]);
		assert_false(record_open(bytes, record_finish(&w), &r, &node));
	}
}

/* Reads all of it; what is taken is possible. */
static bool read_all(size_t size)
{
	struct record_device device;
	struct record_group group;
	struct record_entry entry;
	struct record_peer p;
	struct record_node node;
	struct reader r;

	if (!record_open(bytes, size, &r, &node) || !record_take_device(&r, &device))
		return false;
	assert_true(device.raised_at.ns >= 0 && strlen(device.name) < DEVICE_SIZE);
	if (!record_take_group(&r, &group))
		return false;
	assert_true(group.name[0] != '\0' && group.epoch <= group.epoch_seen);
	assert_true(group.phase <= ELECTION_ACTIVE && group.cause < ELECTION_CAUSES);
	assert_true(group.since.ns >= 0 && group.claim <= group.epoch);
	if (!record_take_peer(&r, &p))
		return false;
	assert_true(p.peer.id != 0 && p.peer.retired_next < PEER_RETIRED_MAX);
	assert_true(p.mac_count <= HEARTBEAT_MACS_MAX && !strchr(p.name, ' '));
	if (!record_take_entry(&r, &node, &entry))
		return false;
	assert_true(entry.group < node.group_count && entry.state <= 3);
	return record_is_read(&r);
}

/* With a hash that fits: it is refused, or what it says is possible. */
static void no_byte_makes_it_impossible(void **state)
{
	static const uint8_t others[] = {0, 1, ' ', 3, 127, 255};
	size_t size = write_with(&GROUP), refused = 0;

	(void)state;
	assert_true(read_all(size));
	for (size_t at = 16; at < size - 8; at++) {
		uint8_t kept = bytes[at];

		for (size_t i = 0; i < sizeof(others); i++) {
			bytes[at] = others[i];
			set_hash(size);
			refused += !read_all(size);
		}
		bytes[at] = kept;
	}
	assert_true(refused > 0);
	set_hash(size);
	assert_true(read_all(size));
}

/* Each part ends earlier than it says, or is missing. */
static void what_ends_early_is_refused(void **state)
{
	size_t whole = write_with(&GROUP);

	(void)state;
	for (size_t size = whole - 1; size >= RECORD_FRAME_SIZE; size--) {
		(void)write_with(&GROUP);
		for (size_t i = 0; i < 8; i++)
			bytes[8 + i] = (uint8_t)(size >> (8 * (7 - i)));
		set_hash(size);
		assert_false(read_all(size));
	}
	/* What is behind it belongs to nobody. */
	(void)write_with(&GROUP);
	bytes[15] = (uint8_t)(whole + 1);
	bytes[14] = (uint8_t)((whole + 1) >> 8);
	set_hash(whole + 1);
	assert_false(read_all(whole + 1));
	assert_false(record_is_read(&(struct reader){.failed = true}));
}

static void what_does_not_fit_is_not_written(void **state)
{
	struct writer w;

	(void)state;
	record_begin(&w, bytes, 100, &NODE);
	record_put_device(&w, &DEVICE);
	record_put_group(&w, &GROUP);
	assert_int_equal(record_finish(&w), 0);
	/* All but the hash. */
	record_begin(&w, bytes, write_with(&GROUP) - 1, &NODE);
	record_put_device(&w, &DEVICE);
	record_put_group(&w, &GROUP);
	assert_false(w.failed);
	record_begin(&w, bytes, w.used + 1, &NODE);
	record_put_device(&w, &DEVICE);
	record_put_group(&w, &GROUP);
	assert_false(w.failed);
	assert_int_equal(record_finish(&w), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_back_as_it_was),
		cmocka_unit_test(what_is_not_whole_is_refused),
		cmocka_unit_test(another_major_version_is_refused),
		cmocka_unit_test(an_older_minor_version_is_read),
		cmocka_unit_test(impossible_groups_are_refused),
		cmocka_unit_test(each_flag_comes_back),
		cmocka_unit_test(each_flag_of_a_peer_comes_back),
		cmocka_unit_test(impossible_nodes_are_refused),
		cmocka_unit_test(no_byte_makes_it_impossible),
		cmocka_unit_test(what_ends_early_is_refused),
		cmocka_unit_test(minor_version_0_is_taken),
		cmocka_unit_test(more_pauses_are_taken_than_there_is_room_for),
		cmocka_unit_test(what_does_not_fit_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
