/* SPDX-License-Identifier: ISC */
#include "wire/heartbeat.h"

#include <string.h>

#include <nettle/memops.h>
#include <nettle/sha2.h>

#include "base/assert.h"
#include "base/text.h"
#include "wire/bytes.h"

#define MAGIC                          0x4841 /* "HA" */
#define FLAG_LEAVING                   0x01
#define AUTHENTICATION_NONE            0
#define AUTHENTICATION_HMAC_SHA256_128 1

#define EXTENSION_NAME        1
#define EXTENSION_HEARD       2
#define EXTENSION_GROUPS      3
#define EXTENSION_FENCE       4
#define EXTENSION_LAST        EXTENSION_FENCE
#define EXTENSION_TABLE       16
#define EXTENSION_CHANGES     17
#define EXTENSION_REQUESTS    18
#define EXTENSION_HEADER_SIZE 4
#define FENCE_SIZE            4
#define HEARD_SIZE            24
#define GROUP_SIZE            18

/* A faster or slower heartbeat than these is a mistake, not a choice (RFC 9568 erratum 8301 shows
 * what an unchecked interval of 0 does). */
#define INTERVAL_MIN_US  1000u
#define TOLERANCE_MAX_US 3600000000u

static_assert(HEARTBEAT_HEADER_SIZE + EXTENSION_HEADER_SIZE * EXTENSION_LAST + NAME_SIZE +
			      FENCE_SIZE + MAC_SIZE * HEARTBEAT_MACS_MAX + HEARD_SIZE * PEERS_MAX +
			      GROUP_SIZE * HEARTBEAT_GROUPS_MAX + HEARTBEAT_TAG_SIZE <=
		      HEARTBEAT_SIZE_MAX,
	"a full heartbeat fits one datagram");

/* Its first bytes tell keys apart. */
static uint32_t key_id(const uint8_t *secret, size_t size)
{
	struct sha256_ctx hash;
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_init(&hash);
	sha256_update(&hash, size, secret);
	sha256_digest(&hash, sizeof(digest), digest);
	return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
	       digest[3];
}

void heartbeat_key_init(struct heartbeat_key *key, const uint8_t *secret, size_t size)
{
	*key = (struct heartbeat_key){.present = true, .id = key_id(secret, size)};
	hmac_sha256_set_key(&key->context, size, secret);
}

void heartbeat_key_accept(struct heartbeat_key *key, const uint8_t *secret, size_t size)
{
	assert(key->present);
	key->accepts_other = true;
	key->other_id = key_id(secret, size);
	hmac_sha256_set_key(&key->other, size, secret);
}

static void compute_tag(const struct hmac_sha256_ctx *key, const uint8_t *bytes, size_t size,
	uint8_t tag[HEARTBEAT_TAG_SIZE])
{
	struct hmac_sha256_ctx context = *key;

	hmac_sha256_update(&context, size, bytes);
	hmac_sha256_digest(&context, HEARTBEAT_TAG_SIZE, tag);
}

void heartbeat_clear(struct heartbeat *h)
{
	memset(h, 0, offsetof(struct heartbeat, heard));
	memset(&h->table, 0, offsetof(struct table, changes));
}

static void encode_header(struct writer *w, const struct heartbeat *h, uint32_t cluster_tag,
	const struct heartbeat_key *key)
{
	uint8_t address[IP_WIRE_SIZE];

	ip_to_wire(&h->address, address);
	writer_u16(w, MAGIC);
	writer_u8(w, HEARTBEAT_VERSION_MAJOR);
	writer_u8(w, HEARTBEAT_VERSION_MINOR);
	writer_u16(w, 0); /* the length, known at the end */
	writer_u8(w, h->leaving ? FLAG_LEAVING : 0);
	writer_u8(w, key->present ? AUTHENTICATION_HMAC_SHA256_128 : AUTHENTICATION_NONE);
	writer_u32(w, cluster_tag);
	writer_u32(w, key->present ? key->id : 0);
	writer_u64(w, h->id);
	writer_u64(w, h->nonce);
	writer_u64(w, h->sequence);
	writer_u32(w, h->interval_us);
	writer_u32(w, h->tolerance_us);
	writer_bytes(w, address, sizeof(address));
	assert(w->used == HEARTBEAT_HEADER_SIZE);
}

static void encode_extension(struct writer *w, uint16_t type, size_t size)
{
	writer_u16(w, type);
	writer_u16(w, (uint16_t)size);
}

static void encode_fence(struct writer *w, const struct heartbeat *h)
{
	assert(h->mac_count <= HEARTBEAT_MACS_MAX);
	encode_extension(w, EXTENSION_FENCE, FENCE_SIZE + (size_t)h->mac_count * MAC_SIZE);
	writer_u32(w, h->fence_margin_us);
	for (size_t i = 0; i < h->mac_count; i++)
		writer_bytes(w, h->macs[i], MAC_SIZE);
}

static void encode_groups(struct writer *w, const struct heartbeat *h)
{
	encode_extension(w, EXTENSION_GROUPS, (size_t)h->group_count * GROUP_SIZE);
	for (size_t i = 0; i < h->group_count; i++) {
		writer_u32(w, h->groups[i].id);
		writer_u16(w, h->groups[i].worth);
		heartbeat_put_state(w, h->groups[i].state, h->groups[i].flags);
		writer_u8(w, h->groups[i].grantee);
		writer_u8(w, h->groups[i].renewed);
		writer_u64(w, h->groups[i].epoch);
	}
}

static void encode_table(struct writer *w, const struct table *t)
{
	encode_extension(w, EXTENSION_TABLE, TABLE_VERSION_SIZE);
	table_encode_version(w, t);
	if (t->last > t->base) {
		encode_extension(w, EXTENSION_CHANGES, table_changes_size(t));
		table_encode_changes(w, t);
	}
}

static void encode_requests(struct writer *w, const struct table *t)
{
	encode_extension(w, EXTENSION_REQUESTS, table_requests_size(t));
	table_encode_requests(w, t);
}

size_t heartbeat_room(const struct heartbeat *h, size_t size)
{
	size_t used = HEARTBEAT_HEADER_SIZE + EXTENSION_HEADER_SIZE + strlen(h->name) +
		      EXTENSION_HEADER_SIZE + FENCE_SIZE + h->mac_count * (size_t)MAC_SIZE +
		      EXTENSION_HEADER_SIZE + (size_t)h->heard_count * HEARD_SIZE +
		      HEARTBEAT_TAG_SIZE;

	if (!h->no_groups)
		used += EXTENSION_HEADER_SIZE + (size_t)h->group_count * GROUP_SIZE;
	if (h->table.present)
		used += EXTENSION_HEADER_SIZE + TABLE_VERSION_SIZE + EXTENSION_HEADER_SIZE +
			table_changes_size(&h->table);
	used += EXTENSION_HEADER_SIZE + table_requests_size(&h->table);
	return used < size ? size - used : 0;
}

size_t heartbeat_encode(const struct heartbeat *h, uint32_t cluster_tag,
	const struct heartbeat_key *key, uint8_t *bytes)
{
	struct writer w = writer_init(bytes, HEARTBEAT_SIZE_MAX);
	size_t name_length = strlen(h->name);

	assert(h->heard_count <= PEERS_MAX && h->group_count <= HEARTBEAT_GROUPS_MAX);
	encode_header(&w, h, cluster_tag, key);
	if (name_length > 0) {
		encode_extension(&w, EXTENSION_NAME, name_length);
		writer_bytes(&w, h->name, name_length);
	}
	if (h->mac_count > 0 || h->fence_margin_us > 0)
		encode_fence(&w, h);
	encode_extension(&w, EXTENSION_HEARD, (size_t)h->heard_count * HEARD_SIZE);
	for (size_t i = 0; i < h->heard_count; i++) {
		writer_u64(&w, h->heard[i].id);
		writer_u64(&w, h->heard[i].nonce);
		writer_u32(&w, h->heard[i].sequence);
		writer_u32(&w, h->heard[i].age_ms);
	}
	if (!h->no_groups)
		encode_groups(&w, h);
	if (h->table.present)
		encode_table(&w, &h->table);
	if (h->table.request_count > 0)
		encode_requests(&w, &h->table);
	assert(!w.failed); /* the limits leave room: see the static assertion */
	size_t size = w.used + (key->present ? HEARTBEAT_TAG_SIZE : 0);
	assert(size <= HEARTBEAT_SIZE_MAX);
	bytes[4] = (uint8_t)(size >> 8);
	bytes[5] = (uint8_t)size;
	if (key->present)
		compute_tag(&key->context, bytes, w.used, bytes + w.used);
	return size;
}

/* What the header says besides the fields of struct heartbeat. */
struct header {
	uint8_t major;
	uint16_t length;
	uint8_t authentication;
	uint32_t cluster_tag;
	uint32_t key_id;
};

static struct header decode_header(struct reader *r, struct heartbeat *h)
{
	struct header header;
	uint8_t address[IP_WIRE_SIZE];

	(void)reader_u16(r); /* the magic, looked at before */
	header.major = reader_u8(r);
	(void)reader_u8(r); /* a newer minor version only adds extensions */
	header.length = reader_u16(r);
	h->leaving = reader_u8(r) & FLAG_LEAVING;
	header.authentication = reader_u8(r);
	header.cluster_tag = reader_u32(r);
	header.key_id = reader_u32(r);
	h->id = reader_u64(r);
	h->nonce = reader_u64(r);
	h->sequence = reader_u64(r);
	h->interval_us = reader_u32(r);
	h->tolerance_us = reader_u32(r);
	reader_bytes(r, address, sizeof(address));
	h->address = ip_from_wire(address);
	return header;
}

/* NULL if it is none of ours. */
static const struct hmac_sha256_ctx *find_key(const struct heartbeat_key *key, uint32_t id)
{
	if (id == key->id)
		return &key->context;
	return key->accepts_other && id == key->other_id ? &key->other : NULL;
}

static enum heartbeat_drop check_tag(const uint8_t *bytes, size_t size, const struct header *header,
	const struct heartbeat_key *key)
{
	const struct hmac_sha256_ctx *signed_with = find_key(key, header->key_id);
	uint8_t tag[HEARTBEAT_TAG_SIZE];

	if (!key->present)
		return header->authentication == AUTHENTICATION_NONE ? HEARTBEAT_ACCEPTED
								     : HEARTBEAT_DROP_UNKNOWN_KEY;
	if (header->authentication == AUTHENTICATION_NONE)
		return HEARTBEAT_DROP_UNAUTHENTICATED;
	if (header->authentication != AUTHENTICATION_HMAC_SHA256_128 || !signed_with)
		return HEARTBEAT_DROP_UNKNOWN_KEY;
	if (size < HEARTBEAT_HEADER_SIZE + HEARTBEAT_TAG_SIZE)
		return HEARTBEAT_DROP_MALFORMED;
	compute_tag(signed_with, bytes, size - HEARTBEAT_TAG_SIZE, tag);
	if (!nettle_memeql_sec(tag, bytes + size - HEARTBEAT_TAG_SIZE, HEARTBEAT_TAG_SIZE))
		return HEARTBEAT_DROP_FORGED;
	return HEARTBEAT_ACCEPTED;
}

static bool header_is_possible(const struct heartbeat *h)
{
	return h->id != 0 && h->nonce != 0 && h->sequence != 0 &&
	       h->interval_us >= INTERVAL_MIN_US && h->tolerance_us >= h->interval_us &&
	       h->tolerance_us <= TOLERANCE_MAX_US && !ip_is_multicast(&h->address);
}

/* Names reach logs and terminals: only what the configuration allows for one. */
static bool name_byte_is_good(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

static bool decode_name(struct reader r, struct heartbeat *h)
{
	size_t size = r.left;

	if (size == 0 || size >= NAME_SIZE)
		return false;
	for (size_t i = 0; i < size; i++)
		if (!name_byte_is_good(r.at[i]))
			return false;
	reader_bytes(&r, (uint8_t *)h->name, size);
	h->name[size] = '\0';
	return true;
}

static bool decode_heard(struct reader r, struct heartbeat *h)
{
	size_t count = r.left / HEARD_SIZE;

	if (r.left % HEARD_SIZE != 0 || count > PEERS_MAX)
		return false;
	for (size_t i = 0; i < count; i++)
		h->heard[i] = (struct heartbeat_heard){.id = reader_u64(&r),
			.nonce = reader_u64(&r),
			.sequence = reader_u32(&r),
			.age_ms = reader_u32(&r)};
	h->heard_count = (uint8_t)count;
	return true;
}

static bool decode_groups(struct reader r, struct heartbeat *h)
{
	size_t count = r.left / GROUP_SIZE;

	if (r.left % GROUP_SIZE != 0 || count > HEARTBEAT_GROUPS_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct heartbeat_group *g = &h->groups[i];
		bool possible;

		g->id = reader_u32(&r);
		g->worth = reader_u16(&r);
		possible = heartbeat_take_state(&r, &g->state, &g->flags);
		g->grantee = reader_u8(&r);
		g->renewed = reader_u8(&r);
		g->epoch = reader_u64(&r);
		if (g->id == 0 || !possible)
			return false;
	}
	h->group_count = (uint8_t)count;
	h->no_groups = false;
	return true;
}

static bool decode_fence(struct reader r, struct heartbeat *h)
{
	size_t count = r.left / MAC_SIZE;

	if (r.left % MAC_SIZE != FENCE_SIZE || count > HEARTBEAT_MACS_MAX)
		return false;
	h->fence_margin_us = reader_u32(&r);
	for (size_t i = 0; i < count; i++)
		reader_bytes(&r, h->macs[i], MAC_SIZE);
	h->mac_count = (uint8_t)count;
	return h->fence_margin_us < h->tolerance_us;
}

static bool decode_extension(uint16_t type, struct reader content, struct heartbeat *h)
{
	switch (type) {
	case EXTENSION_NAME: return decode_name(content, h);
	case EXTENSION_HEARD: return decode_heard(content, h);
	case EXTENSION_GROUPS: return decode_groups(content, h);
	case EXTENSION_FENCE: return decode_fence(content, h);
	case EXTENSION_TABLE: return table_decode_version(&content, &h->table);
	case EXTENSION_CHANGES: return table_decode_changes(&content, &h->table);
	case EXTENSION_REQUESTS: return table_decode_requests(&content, &h->table);
	default: return true; /* of a later minor version: skipped */
	}
}

/* Whether a known type comes for the second time; @seen holds a bit for each. */
static bool is_repeated(uint16_t type, unsigned *seen)
{
	unsigned bit = type <= EXTENSION_REQUESTS ? 1u << type : 0;
	bool repeated = *seen & bit;

	*seen |= bit;
	return repeated && (type - 1u < EXTENSION_LAST || type >= EXTENSION_TABLE);
}

static bool decode_extensions(struct reader *r, struct heartbeat *h)
{
	unsigned seen = 0;

	while (r->left > 0) {
		uint16_t type = reader_u16(r);
		uint16_t size = reader_u16(r);
		const uint8_t *content = reader_take(r, size);

		if (!content || is_repeated(type, &seen) ||
			!decode_extension(type, reader_init(content, size), h))
			return false;
	}
	for (size_t i = 0; i < h->group_count; i++)
		if (h->groups[i].grantee != HEARTBEAT_GRANTEE_NONE &&
			h->groups[i].grantee >= h->heard_count)
			return false;
	if (!h->table.present && (seen & 1u << EXTENSION_CHANGES))
		return false;
	return h->name[0] != '\0' || h->table.present;
}

enum heartbeat_drop heartbeat_decode(const uint8_t *bytes, size_t size, int hop_limit,
	uint32_t cluster_tag, const struct heartbeat_key *key, struct heartbeat *ret_heartbeat)
{
	struct heartbeat *h = ret_heartbeat;
	struct reader r = reader_init(bytes, size);

	if (hop_limit != HEARTBEAT_HOP_LIMIT)
		return HEARTBEAT_DROP_HOP_LIMIT;
	if (size > HEARTBEAT_SIZE_MAX)
		return HEARTBEAT_DROP_OVERSIZED;
	if (size < 4 || (bytes[0] << 8 | bytes[1]) != MAGIC)
		return HEARTBEAT_DROP_NOT_OURS;
	if (bytes[2] != HEARTBEAT_VERSION_MAJOR)
		return HEARTBEAT_DROP_VERSION;
	if (size < HEARTBEAT_HEADER_SIZE)
		return HEARTBEAT_DROP_MALFORMED;
	heartbeat_clear(h);
	h->no_groups = true;
	struct header header = decode_header(&r, h);
	if (header.length != size)
		return HEARTBEAT_DROP_MALFORMED;
	if (header.cluster_tag != cluster_tag)
		return HEARTBEAT_DROP_FOREIGN;
	enum heartbeat_drop drop = check_tag(bytes, size, &header, key);
	if (drop != HEARTBEAT_ACCEPTED)
		return drop;
	if (key->present)
		r.left -= HEARTBEAT_TAG_SIZE;
	if (!header_is_possible(h) || !decode_extensions(&r, h))
		return HEARTBEAT_DROP_MALFORMED;
	return HEARTBEAT_ACCEPTED;
}

const char *heartbeat_drop_name(enum heartbeat_drop drop)
{
	static const char *const names[HEARTBEAT_DROP_REASONS] = {
		[HEARTBEAT_ACCEPTED] = "accepted",
		[HEARTBEAT_DROP_HOP_LIMIT] = "hop-limit",
		[HEARTBEAT_DROP_OVERSIZED] = "oversized",
		[HEARTBEAT_DROP_MALFORMED] = "malformed",
		[HEARTBEAT_DROP_NOT_OURS] = "not-ours",
		[HEARTBEAT_DROP_VERSION] = "version",
		[HEARTBEAT_DROP_FOREIGN] = "foreign",
		[HEARTBEAT_DROP_UNAUTHENTICATED] = "unauthenticated",
		[HEARTBEAT_DROP_UNKNOWN_KEY] = "unknown-key",
		[HEARTBEAT_DROP_FORGED] = "forged",
		[HEARTBEAT_DROP_OWN] = "own",
		[HEARTBEAT_DROP_DUPLICATE_ID] = "duplicate-id",
		[HEARTBEAT_DROP_DUPLICATE] = "duplicate",
		[HEARTBEAT_DROP_REPLAYED] = "replayed",
		[HEARTBEAT_DROP_OLD_BOOT] = "old-boot",
		[HEARTBEAT_DROP_TABLE_FULL] = "table-full",
	};

	assert(drop < HEARTBEAT_DROP_REASONS);
	return names[drop];
}

const char *node_state_name(enum node_state state)
{
	switch (state) {
	case STATE_STANDBY: return "STANDBY";
	case STATE_ACTIVE: return "ACTIVE";
	case STATE_SHUTDOWN: return "SHUTDOWN";
	}
	return "-";
}
