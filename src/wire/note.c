/* SPDX-License-Identifier: ISC */
#include "wire/note.h"

#include <string.h>

#include "base/assert.h"
#include "wire/bytes.h"

#define MAGIC       0x48414e54 /* "HANT" */
#define VERSION     1
#define FLAG_MORTAL 1

size_t note_encode(const struct note *n, uint8_t bytes[NOTE_HEADER_SIZE])
{
	struct writer w = writer_init(bytes, NOTE_HEADER_SIZE);

	writer_u32(&w, MAGIC);
	writer_u16(&w, VERSION);
	writer_u16(&w, n->mortal ? FLAG_MORTAL : 0);
	writer_bytes(&w, n->boot, NOTE_BOOT_SIZE);
	writer_u64(&w, (uint64_t)n->saved.ns);
	writer_u64(&w, (uint64_t)n->lease.ns);
	writer_u32(&w, n->group_count);
	writer_u32(&w, n->record_size);
	assert(!w.failed && w.used == NOTE_HEADER_SIZE);
	return w.used;
}

size_t note_encode_group(const char *name, uint8_t bytes[NAME_SIZE])
{
	size_t length = strlen(name);

	assert(length < NAME_SIZE);
	bytes[0] = (uint8_t)length;
	memcpy(bytes + 1, name, length);
	return 1 + length;
}

static void skip_name(struct reader *r)
{
	size_t length = reader_u8(r);

	r->failed = r->failed || length == 0 || length >= NAME_SIZE;
	(void)reader_take(r, length);
}

bool note_decode(const uint8_t *bytes, size_t size, struct note *n)
{
	struct reader r = reader_init(bytes, size);

	if (reader_u32(&r) != MAGIC || reader_u16(&r) != VERSION)
		return false;
	n->mortal = reader_u16(&r) & FLAG_MORTAL;
	reader_bytes(&r, n->boot, NOTE_BOOT_SIZE);
	n->saved = (ha_time){(int64_t)reader_u64(&r)};
	n->lease = (ha_time){(int64_t)reader_u64(&r)};
	n->group_count = reader_u32(&r);
	n->record_size = reader_u32(&r);
	n->groups = r.at;
	for (uint32_t g = 0; g < n->group_count && !r.failed; g++)
		skip_name(&r);
	n->record = r.at;
	return !r.failed && r.left == n->record_size && n->saved.ns >= 0 &&
	       n->lease.ns >= n->saved.ns;
}

bool note_has_group(const struct note *n, const char *name)
{
	const uint8_t *at = n->groups;
	size_t length = strlen(name);

	for (uint32_t g = 0; g < n->group_count; g++) {
		if (at[0] == length && memcmp(at + 1, name, length) == 0)
			return true;
		at += 1 + at[0];
	}
	return false;
}
