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
#define EXTENSION_HEADER_SIZE 4
#define FENCE_SIZE            4
#define HEARD_SIZE            24
#define GROUP_SIZE            18
/* The octet of the state holds four more flags above it. */
#define STATE_BITS 4
#define STATE_MASK 0x0f

/* A faster or slower heartbeat than these is a mistake, not a choice (RFC 9568 erratum 8301 shows
 * what an unchecked interval of 0 does). */
#define INTERVAL_MIN_US  1000u
#define TOLERANCE_MAX_US 3600000000u

static_assert(HEARTBEAT_HEADER_SIZE + EXTENSION_HEADER_SIZE * EXTENSION_LAST + NAME_SIZE +
			      FENCE_SIZE + MAC_SIZE * HEARTBEAT_MACS_MAX + HEARD_SIZE * PEERS_MAX +
			      GROUP_SIZE * GROUPS_MAX + HEARTBEAT_TAG_SIZE <=
		      HEARTBEAT_SIZE_MAX,
	"a full heartbeat fits one datagram");

void heartbeat_key_init(struct heartbeat_key *key, const uint8_t *secret, size_t size)
{
	struct sha256_ctx hash;
	uint8_t digest[4];

	*key = (struct heartbeat_key){.present = true};
	hmac_sha256_set_key(&key->context, size, secret);
	sha256_init(&hash);
	sha256_update(&hash, size, secret);
	sha256_digest(&hash, sizeof(digest), digest);
	key->id = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
		  digest[3];
}

static void compute_tag(const struct heartbeat_key *key, const uint8_t *bytes, size_t size,
	uint8_t tag[HEARTBEAT_TAG_SIZE])
{
	struct hmac_sha256_ctx context = key->context;

	hmac_sha256_update(&context, size, bytes);
	hmac_sha256_digest(&context, HEARTBEAT_TAG_SIZE, tag);
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

size_t heartbeat_encode(const struct heartbeat *h, uint32_t cluster_tag,
	const struct heartbeat_key *key, uint8_t *bytes)
{
	struct writer w = writer_init(bytes, HEARTBEAT_SIZE_MAX);
	size_t name_length = strlen(h->name);

	assert(h->heard_count <= PEERS_MAX && h->group_count <= GROUPS_MAX);
	encode_header(&w, h, cluster_tag, key);
	encode_extension(&w, EXTENSION_NAME, name_length);
	writer_bytes(&w, h->name, name_length);
	if (h->mac_count > 0 || h->fence_margin_us > 0)
		encode_fence(&w, h);
	encode_extension(&w, EXTENSION_HEARD, (size_t)h->heard_count * HEARD_SIZE);
	for (size_t i = 0; i < h->heard_count; i++) {
		writer_u64(&w, h->heard[i].id);
		writer_u64(&w, h->heard[i].nonce);
		writer_u32(&w, h->heard[i].sequence);
		writer_u32(&w, h->heard[i].age_ms);
	}
	encode_extension(&w, EXTENSION_GROUPS, (size_t)h->group_count * GROUP_SIZE);
	for (size_t i = 0; i < h->group_count; i++) {
		writer_u32(&w, h->groups[i].id);
		writer_u16(&w, h->groups[i].worth);
		writer_u8(&w,
			(uint8_t)(h->groups[i].state | (h->groups[i].flags >> 8) << STATE_BITS));
		writer_u8(&w, (uint8_t)h->groups[i].flags);
		writer_u8(&w, h->groups[i].grantee);
		writer_u8(&w, h->groups[i].renewed);
		writer_u64(&w, h->groups[i].epoch);
	}
	assert(!w.failed); /* the limits leave room: see the static assertion */
	size_t size = w.used + (key->present ? HEARTBEAT_TAG_SIZE : 0);
	assert(size <= HEARTBEAT_SIZE_MAX);
	bytes[4] = (uint8_t)(size >> 8);
	bytes[5] = (uint8_t)size;
	if (key->present)
		compute_tag(key, bytes, w.used, bytes + w.used);
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

static enum heartbeat_drop check_tag(const uint8_t *bytes, size_t size, const struct header *header,
	const struct heartbeat_key *key)
{
	uint8_t tag[HEARTBEAT_TAG_SIZE];

	if (!key->present)
		return header->authentication == AUTHENTICATION_NONE ? HEARTBEAT_ACCEPTED
								     : HEARTBEAT_DROP_UNKNOWN_KEY;
	if (header->authentication == AUTHENTICATION_NONE)
		return HEARTBEAT_DROP_UNAUTHENTICATED;
	if (header->authentication != AUTHENTICATION_HMAC_SHA256_128 || header->key_id != key->id)
		return HEARTBEAT_DROP_UNKNOWN_KEY;
	if (size < HEARTBEAT_HEADER_SIZE + HEARTBEAT_TAG_SIZE)
		return HEARTBEAT_DROP_MALFORMED;
	compute_tag(key, bytes, size - HEARTBEAT_TAG_SIZE, tag);
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

	if (r.left % GROUP_SIZE != 0 || count > GROUPS_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct heartbeat_group *g = &h->groups[i];
		unsigned state;

		g->id = reader_u32(&r);
		g->worth = reader_u16(&r);
		state = reader_u8(&r);
		g->state = state & STATE_MASK;
		g->flags = (uint16_t)((reader_u8(&r) | state >> STATE_BITS << 8) &
				      HEARTBEAT_GROUP_FLAGS);
		g->grantee = reader_u8(&r);
		g->renewed = reader_u8(&r);
		g->epoch = reader_u64(&r);
		if (g->id == 0 || g->state < STATE_STANDBY || g->state > STATE_SHUTDOWN)
			return false;
	}
	h->group_count = (uint8_t)count;
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
	default: return true; /* of a later minor version: skipped */
	}
}

/* Whether a known type comes for the second time; @seen holds a bit for each. */
static bool is_repeated(uint16_t type, unsigned *seen)
{
	unsigned bit = type <= EXTENSION_LAST ? 1u << type : 0;
	bool repeated = *seen & bit;

	*seen |= bit;
	return repeated && type != 0; /* 0 is not known */
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
	return h->name[0] != '\0';
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
	memset(h, 0, sizeof(*h));
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
