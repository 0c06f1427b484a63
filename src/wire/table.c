/* SPDX-License-Identifier: ISC */
#include "wire/table.h"

#include "base/assert.h"
#include "base/id.h"
#include "wire/bytes.h"
#include "wire/heartbeat.h"

#define CHANGES_HEADER_SIZE 8
/* The octet of the state holds four more flags above it. */
#define STATE_BITS 4
#define STATE_MASK 0x0f

void table_encode_version(struct writer *w, const struct table *t)
{
	writer_u32(w, t->version);
	writer_u64(w, t->digest);
}

void heartbeat_put_state(struct writer *w, uint8_t state, uint16_t flags)
{
	writer_u8(w, (uint8_t)(state | (flags >> 8) << STATE_BITS));
	writer_u8(w, (uint8_t)flags);
}

bool heartbeat_take_state(struct reader *r, uint8_t *ret_state, uint16_t *ret_flags)
{
	unsigned state = reader_u8(r);

	*ret_state = state & STATE_MASK;
	*ret_flags = (uint16_t)((reader_u8(r) | state >> STATE_BITS << 8) & HEARTBEAT_GROUP_FLAGS);
	return *ret_state >= STATE_STANDBY && *ret_state <= STATE_SHUTDOWN;
}

static void encode_change(struct writer *w, const struct table_change *c)
{
	writer_u32(w, c->id);
	writer_u16(w, c->worth);
	heartbeat_put_state(w, c->state, c->flags);
	writer_u32(w, c->grantee);
	writer_u8(w, c->renewed);
	writer_u8(w, 0);
	writer_u64(w, c->epoch);
}

size_t table_changes_size(const struct table *t)
{
	assert(t->change_count <= TABLE_CHANGES_MAX);
	return CHANGES_HEADER_SIZE + (size_t)t->change_count * TABLE_CHANGE_SIZE;
}

void table_encode_changes(struct writer *w, const struct table *t)
{
	writer_u32(w, t->base);
	writer_u32(w, t->last);
	for (size_t i = 0; i < t->change_count; i++)
		encode_change(w, &t->changes[i]);
}

size_t table_requests_size(const struct table *t)
{
	assert(t->request_count <= TABLE_REQUESTS_MAX);
	return (size_t)t->request_count * TABLE_REQUEST_SIZE;
}

void table_encode_requests(struct writer *w, const struct table *t)
{
	for (size_t i = 0; i < t->request_count; i++) {
		writer_u64(w, t->requests[i].id);
		writer_u64(w, t->requests[i].nonce);
		writer_u32(w, t->requests[i].have);
	}
}

bool table_decode_version(struct reader *r, struct table *t)
{
	if (r->left != TABLE_VERSION_SIZE)
		return false;
	t->present = true;
	t->version = reader_u32(r);
	t->digest = reader_u64(r);
	return true;
}

bool table_decode_changes(struct reader *r, struct table *t)
{
	size_t count;

	t->base = reader_u32(r);
	t->last = reader_u32(r);
	count = r->left / TABLE_CHANGE_SIZE;
	if (r->failed || r->left % TABLE_CHANGE_SIZE != 0 || count > TABLE_CHANGES_MAX ||
		t->last <= t->base)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct table_change *c = &t->changes[i];
		bool possible;

		c->id = reader_u32(r);
		c->worth = reader_u16(r);
		possible = heartbeat_take_state(r, &c->state, &c->flags);
		c->grantee = reader_u32(r);
		c->renewed = reader_u8(r);
		(void)reader_u8(r);
		c->epoch = reader_u64(r);
		if (c->id == 0 || !possible)
			return false;
	}
	t->change_count = (uint8_t)count;
	return true;
}

bool table_decode_requests(struct reader *r, struct table *t)
{
	size_t count = r->left / TABLE_REQUEST_SIZE;

	if (r->left % TABLE_REQUEST_SIZE != 0 || count > TABLE_REQUESTS_MAX)
		return false;
	for (size_t i = 0; i < count; i++)
		t->requests[i] = (struct table_request){
			.id = reader_u64(r), .nonce = reader_u64(r), .have = reader_u32(r)};
	t->request_count = (uint8_t)count;
	return true;
}

uint64_t table_digest(const struct table_change *c)
{
	uint8_t bytes[TABLE_CHANGE_SIZE];
	struct writer w = writer_init(bytes, sizeof(bytes));

	encode_change(&w, c);
	return id_hash(ID_SEED, bytes, sizeof(bytes));
}

uint32_t table_mark(uint64_t id, uint64_t nonce)
{
	uint8_t bytes[2 * sizeof(uint64_t)];
	struct writer w = writer_init(bytes, sizeof(bytes));
	uint64_t hash;
	uint32_t mark;

	writer_u64(&w, id);
	writer_u64(&w, nonce);
	hash = id_hash(ID_SEED, bytes, sizeof(bytes));
	mark = (uint32_t)(hash ^ (hash >> 32));
	return mark != 0 ? mark : 1;
}
