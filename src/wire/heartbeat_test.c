/* SPDX-License-Identifier: ISC */
#include "base/id.h"
#include "wire/heartbeat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define CLUSTER 0x0a0b0c0du

static const struct heartbeat_key NO_KEY = {.present = false};
static struct heartbeat_key key, other_key;
static struct heartbeat sent, received;
static uint8_t bytes[HEARTBEAT_SIZE_MAX + 64];
static size_t size;

static int set_up(void **state)
{
	(void)state;
	heartbeat_key_init(&key, (const uint8_t *)"a secret of many bytes", 22);
	heartbeat_key_init(&other_key, (const uint8_t *)"another secret", 14);
	memset(&sent, 0, sizeof(sent));
	sent.id = 0x0102030405060708;
	sent.nonce = 0x1112131415161718;
	sent.sequence = 0x2122232425262728;
	sent.interval_us = 100000;
	sent.tolerance_us = 350000;
	assert_true(ip_parse("10.0.0.9", &sent.address));
	text_copy(sent.name, sizeof(sent.name), "alpha");
	sent.heard_count = 1;
	sent.heard[0] = (struct heartbeat_heard){.id = 0x3132333435363738,
		.nonce = 0x4142434445464748,
		.sequence = 0x51525354,
		.age_ms = 7};
	sent.group_count = 1;
	sent.groups[0] = (struct heartbeat_group){.id = 0x61626364,
		.worth = 200,
		.state = STATE_ACTIVE,
		.flags = HEARTBEAT_GROUP_ELIGIBLE,
		.grantee = 0,
		.epoch = 9};
	return 0;
}

static void encode(const struct heartbeat_key *with)
{
	memset(bytes, 0xee, sizeof(bytes));
	size = heartbeat_encode(&sent, CLUSTER, with, bytes);
}

/* Behind the counts of its lists nothing is written: zeroed, so that it can be compared. */
static enum heartbeat_drop decode(const struct heartbeat_key *with)
{
	memset(&received, 0, sizeof(received));
	return heartbeat_decode(bytes, size, HEARTBEAT_HOP_LIMIT, CLUSTER, with, &received);
}

/* docs/protocol.md 2.3 to 2.5, written out by hand: without a key, so that it can be read. */
#define NAME_END  (HEARTBEAT_HEADER_SIZE + 4 + 5)
#define HEARD_END (NAME_END + 4 + 24)
static const uint8_t GOLDEN[] = {
	'H', 'A', 1, 1,                                 /* magic, version 1.1 */
	0, 123, 0, 0,                                   /* length, flags, no authentication */
	0x0a, 0x0b, 0x0c, 0x0d,                         /* cluster tag */
	0, 0, 0, 0,                                     /* key id */
	1, 2, 3, 4, 5, 6, 7, 8,                         /* node id */
	0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, /* boot nonce */
	0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, /* sequence number */
	0, 1, 0x86, 0xa0,                               /* interval 100000 us */
	0, 5, 0x57, 0x30,                               /* tolerance 350000 us */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 9, /* real address */
	0, 1, 0, 5, 'a', 'l', 'p', 'h', 'a',                   /* NAME */
	0, 2, 0, 24,                                           /* HEARD: one node */
	0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38,        /* id */
	0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,        /* boot nonce */
	0x51, 0x52, 0x53, 0x54, 0, 0, 0, 7,                    /* sequence number, age 7 ms */
	0, 3, 0, 18,                                           /* GROUPS: one group */
	0x61, 0x62, 0x63, 0x64, 0, 200,                        /* id, worth */
	2, 1, 0, 0,             /* ACTIVE, ELIGIBLE, granted to HEARD[0], reserved */
	0, 0, 0, 0, 0, 0, 0, 9, /* epoch */
};

static void test_golden_bytes(void **state)
{
	(void)state;
	encode(&NO_KEY);
	assert_int_equal(size, sizeof(GOLDEN));
	assert_memory_equal(bytes, GOLDEN, sizeof(GOLDEN));
	assert_int_equal(bytes[size], 0xee); /* nothing behind it is written */
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_ACCEPTED);
	assert_memory_equal(&received, &sent, sizeof(sent));
}

static void test_tag(void **state)
{
	struct hmac_sha256_ctx context;
	uint8_t tag[HEARTBEAT_TAG_SIZE];

	(void)state;
	encode(&key);
	assert_int_equal(size, sizeof(GOLDEN) + HEARTBEAT_TAG_SIZE);
	assert_int_equal(bytes[5], size);
	assert_int_equal(bytes[7], 1);
	hmac_sha256_set_key(&context, 22, (const uint8_t *)"a secret of many bytes");
	hmac_sha256_update(&context, sizeof(GOLDEN), bytes);
	hmac_sha256_digest(&context, sizeof(tag), tag);
	assert_memory_equal(bytes + sizeof(GOLDEN), tag, sizeof(tag));
	assert_int_equal(decode(&key), HEARTBEAT_ACCEPTED);
	assert_memory_equal(&received, &sent, sizeof(sent));
}

static void fill_tables(void)
{
	memset(sent.name, 'x', NAME_SIZE - 1);
	sent.heard_count = PEERS_MAX;
	for (size_t i = 0; i < PEERS_MAX; i++)
		sent.heard[i] = (struct heartbeat_heard){.id = UINT64_MAX - i,
			.nonce = i + 1,
			.sequence = (uint32_t)(i * 77),
			.age_ms = UINT32_MAX};
	sent.group_count = HEARTBEAT_GROUPS_MAX;
	for (size_t i = 0; i < HEARTBEAT_GROUPS_MAX; i++)
		sent.groups[i] = (struct heartbeat_group){.id = (uint32_t)(UINT32_MAX - i),
			.worth = (uint16_t)(UINT16_MAX - i),
			.state = (uint8_t)(1 + i % 3),
			.flags = (uint8_t)(i % 4),
			.grantee = i % 2 ? (uint8_t)(i / 2) : HEARTBEAT_GRANTEE_NONE,
			.epoch = UINT64_MAX - i};
}

static void test_full_tables(void **state)
{
	(void)state;
	fill_tables();
	sent.leaving = true;
	assert_true(ip_parse("2001:db8::1", &sent.address));
	for (int with_key = 0; with_key < 2; with_key++) {
		encode(with_key ? &key : &NO_KEY);
		assert_true(size <= HEARTBEAT_SIZE_MAX);
		assert_int_equal(decode(with_key ? &key : &NO_KEY), HEARTBEAT_ACCEPTED);
		assert_memory_equal(&received, &sent, sizeof(sent));
	}
}

static void test_empty_tables(void **state)
{
	(void)state;
	sent.heard_count = sent.group_count = 0;
	memset(sent.heard, 0, sizeof(sent.heard));
	memset(sent.groups, 0, sizeof(sent.groups));
	memset(&sent.address, 0, sizeof(sent.address)); /* it may have none */
	encode(&key);
	assert_int_equal(decode(&key), HEARTBEAT_ACCEPTED);
	assert_memory_equal(&received, &sent, sizeof(sent));
}

static void test_nothing_of_the_last_one_is_left(void **state)
{
	(void)state;
	memset(&received, 0x5a, sizeof(received));
	sent.heard_count = sent.group_count = 0;
	encode(&key);
	assert_int_equal(
		heartbeat_decode(bytes, size, HEARTBEAT_HOP_LIMIT, CLUSTER, &key, &received),
		HEARTBEAT_ACCEPTED);
	assert_memory_equal(&received, &sent, offsetof(struct heartbeat, heard));
	assert_memory_equal(&received.table, &sent.table, offsetof(struct table, changes));
}

static void test_envelope_is_checked_first(void **state)
{
	(void)state;
	encode(&key);
	assert_int_equal(heartbeat_decode(bytes, size, 254, CLUSTER, &key, &received),
		HEARTBEAT_DROP_HOP_LIMIT);
	assert_int_equal(heartbeat_decode(bytes, size, -1, CLUSTER, &key, &received),
		HEARTBEAT_DROP_HOP_LIMIT);
	assert_int_equal(heartbeat_decode(bytes, HEARTBEAT_SIZE_MAX + 1, HEARTBEAT_HOP_LIMIT,
				 CLUSTER, &key, &received),
		HEARTBEAT_DROP_OVERSIZED);
	assert_int_equal(
		heartbeat_decode(bytes, size, HEARTBEAT_HOP_LIMIT, CLUSTER + 1, &key, &received),
		HEARTBEAT_DROP_FOREIGN);
	bytes[0] ^= 1;
	assert_int_equal(decode(&key), HEARTBEAT_DROP_NOT_OURS);
}

static void test_versions(void **state)
{
	(void)state;
	encode(&NO_KEY);
	bytes[3] = 7; /* a newer minor version only adds */
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_ACCEPTED);
	bytes[2] = 2;
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_VERSION);
	bytes[2] = 0;
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_VERSION);
	size = 4; /* also one whose layout we cannot know */
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_VERSION);
}

static void test_keys(void **state)
{
	(void)state;
	encode(&NO_KEY);
	assert_int_equal(decode(&key), HEARTBEAT_DROP_UNAUTHENTICATED);
	encode(&key);
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_UNKNOWN_KEY);
	assert_int_equal(decode(&other_key), HEARTBEAT_DROP_UNKNOWN_KEY);
	bytes[7] = 2; /* an authentication of the future */
	assert_int_equal(decode(&key), HEARTBEAT_DROP_UNKNOWN_KEY);
	other_key.id = key.id; /* the tag itself decides */
	encode(&other_key);
	assert_int_equal(decode(&key), HEARTBEAT_DROP_FORGED);
}

/* clang-format off */
/* A datagram as version 1.0 sent it, and one of a version to come that has more to say: name alpha, group
 * web, ACTIVE with epoch 3 and worth 200, granted to the node 7; signed with the key 00 01 02 ... 1f. */
static const uint8_t VERSION_1_0[] = {
	0x48, 0x41, 0x01, 0x00, 0x00, 0x8b, 0x00, 0x01, 0xbd, 0xe4, 0xe1, 0x45,
	0x63, 0x0d, 0xcd, 0x29, 0x00, 0x6d, 0x61, 0x6c, 0x6c, 0x6f, 0x72, 0x79,
	0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x86, 0xa0, 0x00, 0x05, 0x57, 0x30,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff,
	0x0a, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x05, 0x61, 0x6c, 0x70, 0x68,
	0x61, 0x00, 0x02, 0x00, 0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00,
	0x09, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x03, 0x00, 0x12, 0x16, 0xd2, 0xff,
	0xe8, 0x00, 0xc8, 0x02, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x03, 0x2b, 0xb8, 0xbc, 0x30, 0x6c, 0x3c, 0xfb, 0x61, 0xbe,
	0xd7, 0xe8, 0x45, 0xc9, 0xd1, 0x28, 0x94,
};
static const uint8_t VERSION_1_9[] = {
	0x48, 0x41, 0x01, 0x09, 0x00, 0xa5, 0x00, 0x01, 0xbd, 0xe4, 0xe1, 0x45,
	0x63, 0x0d, 0xcd, 0x29, 0x00, 0x6d, 0x61, 0x6c, 0x6c, 0x6f, 0x72, 0x79,
	0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x86, 0xa0, 0x00, 0x05, 0x57, 0x30,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff,
	0x0a, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x05, 0x61, 0x6c, 0x70, 0x68,
	0x61, 0x00, 0x02, 0x00, 0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00,
	0x09, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x03, 0x00, 0x12, 0x16, 0xd2, 0xff,
	0xe8, 0x00, 0xc8, 0x02, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x03, 0x10, 0x92, 0x00, 0x12, 0x6f, 0x66, 0x20, 0x61, 0x20,
	0x6c, 0x61, 0x74, 0x65, 0x72, 0x20, 0x76, 0x65, 0x72, 0x73, 0x69, 0x6f,
	0x6e, 0x10, 0x93, 0x00, 0x00, 0x08, 0xc4, 0xc1, 0x7b, 0x9f, 0x0a, 0xa4,
	0x93, 0x5e, 0xcf, 0x15, 0xb1, 0x39, 0x1c, 0x47, 0x4b,
};
/* clang-format on */

static void check_other_version(const uint8_t *datagram, size_t datagram_size)
{
	struct heartbeat_key secret_key;
	uint8_t secret[32];

	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)i;
	heartbeat_key_init(&secret_key, secret, sizeof(secret));
	assert_int_equal(heartbeat_decode(datagram, datagram_size, HEARTBEAT_HOP_LIMIT,
				 id_from_name("ha"), &secret_key, &received),
		HEARTBEAT_ACCEPTED);
	assert_string_equal(received.name, "alpha");
	assert_int_equal(received.interval_us, 100000);
	assert_int_equal(received.heard_count, 1);
	assert_int_equal(received.heard[0].nonce, 8);
	assert_int_equal(received.group_count, 1);
	assert_int_equal(received.groups[0].id, id_from_name("web"));
	assert_int_equal(received.groups[0].state, STATE_ACTIVE);
	assert_int_equal(received.groups[0].worth, 200);
	assert_int_equal(received.groups[0].epoch, 3);
	assert_int_equal(received.groups[0].grantee, 0);
}

static void test_other_versions_are_understood(void **state)
{
	(void)state;
	check_other_version(VERSION_1_0, sizeof(VERSION_1_0));
	check_other_version(VERSION_1_9, sizeof(VERSION_1_9));
}

/* While keys are changed, tags by both are good; nothing is signed with the other one. */
static void test_another_key_is_accepted(void **state)
{
	struct heartbeat_key both = key;
	uint8_t secret[32] = "another one";
	struct heartbeat_key other, third;

	(void)state;
	heartbeat_key_init(&other, secret, sizeof(secret));
	heartbeat_key_accept(&both, secret, sizeof(secret));
	encode(&key);
	assert_int_equal(decode(&both), HEARTBEAT_ACCEPTED);
	encode(&other);
	assert_int_equal(decode(&key), HEARTBEAT_DROP_UNKNOWN_KEY);
	assert_int_equal(decode(&both), HEARTBEAT_ACCEPTED);
	bytes[HEARTBEAT_HEADER_SIZE] ^= 1;
	assert_int_equal(decode(&both), HEARTBEAT_DROP_FORGED);
	secret[0] ^= 1;
	heartbeat_key_init(&third, secret, sizeof(secret));
	encode(&third);
	assert_int_equal(decode(&both), HEARTBEAT_DROP_UNKNOWN_KEY);
	encode(&both);
	assert_int_equal(decode(&key), HEARTBEAT_ACCEPTED);
	assert_int_equal(decode(&other), HEARTBEAT_DROP_UNKNOWN_KEY);
}

/* Cut at every length, without and with the length field saying so. */
static void test_truncation(void **state)
{
	(void)state;
	for (int with_key = 0; with_key < 2; with_key++) {
		const struct heartbeat_key *k = with_key ? &key : &NO_KEY;

		encode(k);
		for (size_t whole = size, cut = 0; cut < whole; cut++) {
			enum heartbeat_drop expected =
				cut < 4 ? HEARTBEAT_DROP_NOT_OURS : HEARTBEAT_DROP_MALFORMED;

			encode(k);
			size = cut;
			assert_int_equal(decode(k), expected);
			if (cut < HEARTBEAT_HEADER_SIZE)
				continue;
			bytes[4] = 0;
			bytes[5] = (uint8_t)cut;
			if (with_key && cut < HEARTBEAT_HEADER_SIZE + HEARTBEAT_TAG_SIZE)
				assert_int_equal(decode(k), HEARTBEAT_DROP_MALFORMED);
			/* Without a tag, nothing is missing where an extension ends. */
			bool is_whole = !with_key && (cut == NAME_END || cut == HEARD_END);
			assert_int_equal(decode(k) == HEARTBEAT_ACCEPTED, is_whole);
		}
	}
}

/* With a key no bit may be changed on the way: each flip is refused. */
static void test_every_flipped_bit_is_refused(void **state)
{
	(void)state;
	encode(&key);
	for (size_t bit = 0; bit < size * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		if (decode(&key) == HEARTBEAT_ACCEPTED)
			fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	assert_int_equal(decode(&key), HEARTBEAT_ACCEPTED);
}

/* Without one nothing may crash: each byte takes each value. */
static void test_every_byte_value_is_survived(void **state)
{
	(void)state;
	encode(&NO_KEY);
	for (size_t i = 0; i < size; i++) {
		uint8_t before = bytes[i];

		for (unsigned value = 0; value < 256; value++) {
			bytes[i] = (uint8_t)value;
			if (decode(&NO_KEY) != HEARTBEAT_ACCEPTED)
				continue;
			assert_true(received.heard_count <= PEERS_MAX &&
				    received.group_count <= HEARTBEAT_GROUPS_MAX);
			assert_int_not_equal(received.name[0], '\0');
			assert_non_null(memchr(received.name, '\0', NAME_SIZE));
		}
		bytes[i] = before;
	}
}

/* Adds an extension at the end and corrects the length. */
static void append(uint16_t type, const void *content, size_t content_size)
{
	uint8_t header[4] = {(uint8_t)(type >> 8), (uint8_t)type, (uint8_t)(content_size >> 8),
		(uint8_t)content_size};

	memcpy(bytes + size, header, sizeof(header));
	if (content_size > 0)
		memcpy(bytes + size + sizeof(header), content, content_size);
	size += sizeof(header) + content_size;
	bytes[4] = (uint8_t)(size >> 8);
	bytes[5] = (uint8_t)size;
}

static void test_unknown_extensions_are_skipped(void **state)
{
	(void)state;
	encode(&NO_KEY);
	append(5, "anything", 8);
	append(0xffff, NULL, 0);
	append(0, "x", 1);
	append(5, "and again", 9);
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_ACCEPTED);
	assert_memory_equal(&received, &sent, sizeof(sent));
}

static void test_extensions_of_impossible_length(void **state)
{
	static const uint8_t zeros[64];

	(void)state;
	encode(&NO_KEY);
	append(4, "anything", 8);
	bytes[size - 9] = 9; /* one byte more than there is */
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED);

	set_up(state);
	sent.group_count = 0;
	encode(&NO_KEY);
	append(3, zeros, 17);
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED);
	encode(&NO_KEY);
	append(17, zeros, 8); /* no change from 0 to 0 */
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED);
	encode(&NO_KEY);
	append(17, "\0\0\0\0\0\0\0\1", 8); /* CHANGES without TABLE */
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED);

	encode(&NO_KEY);
	append(1, "beta", 4); /* a second name */
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED);
	encode(&NO_KEY);
	append(2, zeros, 24); /* a second list */
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED);
	sent.group_count = 0;
	encode(&NO_KEY);
	append(3, GOLDEN + HEARD_END + 4, 18); /* a second table, although the first is empty */
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED);
	encode(&NO_KEY);
	bytes[size++] = 0; /* less than an extension's header */
	bytes[5] = (uint8_t)size;
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED);
}

static void expect_malformed(const char *what)
{
	encode(&NO_KEY);
	if (decode(&NO_KEY) != HEARTBEAT_DROP_MALFORMED)
		fail_msg("accepted: %s", what);
	set_up(NULL);
}

static void test_impossible_values(void **state)
{
	(void)state;
	sent.id = 0;
	expect_malformed("node id 0");
	sent.nonce = 0;
	expect_malformed("boot nonce 0");
	sent.sequence = 0;
	expect_malformed("sequence number 0");
	sent.interval_us = 999;
	expect_malformed("an interval below 1 ms");
	sent.tolerance_us = sent.interval_us - 1;
	expect_malformed("a tolerance below the interval");
	sent.tolerance_us = 3600000001u;
	expect_malformed("a tolerance above an hour");
	assert_true(ip_parse("239.2.3.4", &sent.address));
	expect_malformed("a multicast address as real one");
	text_copy(sent.name, sizeof(sent.name), "al pha");
	expect_malformed("a blank in the name");
	text_copy(sent.name, sizeof(sent.name), "al\x1bpha");
	expect_malformed("an escape in the name");
	sent.name[0] = '\0';
	expect_malformed("an empty name");
	sent.groups[0].id = 0;
	expect_malformed("group id 0");
	sent.groups[0].state = 0;
	expect_malformed("state 0");
	sent.groups[0].state = 4;
	expect_malformed("state 4");
	sent.groups[0].grantee = 1;
	expect_malformed("a grantee that is not in the list");
	encode(&NO_KEY);
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_ACCEPTED);
}

static void test_a_name_is_required(void **state)
{
	(void)state;
	encode(&NO_KEY);
	bytes[HEARTBEAT_HEADER_SIZE + 1] = 9; /* the NAME extension becomes an unknown one */
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED);
}

/* One more than there is room for. */
static void test_tables_that_are_too_long(void **state)
{
	static uint8_t content[HEARTBEAT_SIZE_MAX];

	(void)state;
	memset(content, 1, sizeof(content));
	encode(&NO_KEY);
	bytes[HEARTBEAT_HEADER_SIZE + 1] = 9;
	append(1, content, NAME_SIZE - 1);
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED); /* of bytes that no name has */
	memset(content, 'x', sizeof(content));
	encode(&NO_KEY);
	bytes[HEARTBEAT_HEADER_SIZE + 1] = 9;
	append(1, content, NAME_SIZE - 1);
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_ACCEPTED);
	encode(&NO_KEY);
	bytes[HEARTBEAT_HEADER_SIZE + 1] = 9;
	append(1, content, NAME_SIZE);
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED);

	memset(content, 1, sizeof(content));
	for (size_t extra = 0; extra < 2; extra++) {
		encode(&NO_KEY);
		bytes[NAME_END + 1] = 9; /* HEARD, and with it whom the group is granted to */
		bytes[sizeof(GOLDEN) - 10] = HEARTBEAT_GRANTEE_NONE;
		append(2, content, (PEERS_MAX + extra) * 24);
		assert_int_equal(
			decode(&NO_KEY), extra ? HEARTBEAT_DROP_MALFORMED : HEARTBEAT_ACCEPTED);
		encode(&NO_KEY);
		bytes[HEARD_END + 1] = 9;
		for (size_t g = 0; g <= HEARTBEAT_GROUPS_MAX; g++)
			content[g * 18 + 8] = HEARTBEAT_GRANTEE_NONE;
		append(3, content, (HEARTBEAT_GROUPS_MAX + extra) * 18);
		assert_int_equal(
			decode(&NO_KEY), extra ? HEARTBEAT_DROP_MALFORMED : HEARTBEAT_ACCEPTED);
	}
	for (size_t size_heard = 1; size_heard < 24; size_heard++) {
		encode(&NO_KEY);
		bytes[NAME_END + 1] = 9;
		bytes[sizeof(GOLDEN) - 10] = HEARTBEAT_GRANTEE_NONE;
		append(2, content, size_heard);
		assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED);
	}
}

static void test_unknown_flags_are_ignored(void **state)
{
	(void)state;
	encode(&NO_KEY);
	bytes[6] = 0xfe;
	bytes[sizeof(GOLDEN) - 11] = 0x11;
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_ACCEPTED);
	assert_false(received.leaving);
	assert_int_equal(
		received.groups[0].flags, HEARTBEAT_GROUP_ELIGIBLE | HEARTBEAT_GROUP_IMPAIRED);
}

static void test_nothing_has_room_in_less_than_it_takes(void **state)
{
	(void)state;
	assert_true(heartbeat_room(&sent, HEARTBEAT_SIZE_MAX) > 0);
	assert_int_equal(heartbeat_room(&sent, 64), 0);
}

static void test_the_fence(void **state)
{
	static const uint8_t content[4 + 9 * MAC_SIZE] = {0, 0, 0x2a, 0xf8, 2, 0, 0, 0, 0, 7};
	const size_t possible[] = {4, 10, 4 + 8 * MAC_SIZE};
	const size_t impossible[] = {0, 3, 5, 6, 9, 12, 4 + 9 * MAC_SIZE};

	(void)state;
	sent.fence_margin_us = 11000;
	sent.mac_count = HEARTBEAT_MACS_MAX;
	for (size_t i = 0; i < HEARTBEAT_MACS_MAX; i++)
		memset(sent.macs[i], (int)i + 1, MAC_SIZE);
	encode(&NO_KEY);
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_ACCEPTED);
	assert_memory_equal(&received, &sent, sizeof(sent));

	sent.fence_margin_us = sent.mac_count = 0;
	for (size_t i = 0; i < sizeof(possible) / sizeof(possible[0]); i++) {
		encode(&NO_KEY);
		append(4, content, possible[i]);
		assert_int_equal(decode(&NO_KEY), HEARTBEAT_ACCEPTED);
		assert_int_equal(received.fence_margin_us, 11000);
		assert_int_equal(received.mac_count, possible[i] / MAC_SIZE);
	}
	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		encode(&NO_KEY);
		append(4, content, impossible[i]);
		assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED);
	}
	/* A margin as long as the tolerance would be no lease. */
	sent.tolerance_us = 11000;
	sent.interval_us = 5000;
	encode(&NO_KEY);
	append(4, content, 4);
	assert_int_equal(decode(&NO_KEY), HEARTBEAT_DROP_MALFORMED);
}

static void test_names(void **state)
{
	(void)state;
	for (enum heartbeat_drop a = HEARTBEAT_ACCEPTED; a < HEARTBEAT_DROP_REASONS; a++)
		for (enum heartbeat_drop b = HEARTBEAT_ACCEPTED; b < a; b++)
			assert_string_not_equal(heartbeat_drop_name(a), heartbeat_drop_name(b));
	assert_string_equal(heartbeat_drop_name(HEARTBEAT_DROP_HOP_LIMIT), "hop-limit");
	assert_string_equal(node_state_name(STATE_STANDBY), "STANDBY");
	assert_string_equal(node_state_name(STATE_ACTIVE), "ACTIVE");
	assert_string_equal(node_state_name(STATE_SHUTDOWN), "SHUTDOWN");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_golden_bytes),
		TEST(test_tag),
		TEST(test_full_tables),
		TEST(test_empty_tables),
		TEST(test_nothing_of_the_last_one_is_left),
		TEST(test_envelope_is_checked_first),
		TEST(test_versions),
		TEST(test_other_versions_are_understood),
		TEST(test_another_key_is_accepted),
		TEST(test_keys),
		TEST(test_truncation),
		TEST(test_every_flipped_bit_is_refused),
		TEST(test_every_byte_value_is_survived),
		TEST(test_unknown_extensions_are_skipped),
		TEST(test_extensions_of_impossible_length),
		TEST(test_impossible_values),
		TEST(test_a_name_is_required),
		TEST(test_tables_that_are_too_long),
		TEST(test_unknown_flags_are_ignored),
		TEST(test_nothing_has_room_in_less_than_it_takes),
		TEST(test_the_fence),
		TEST(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
