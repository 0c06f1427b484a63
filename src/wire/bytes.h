/* SPDX-License-Identifier: ISC */
/*
 * bytes: cursors over a byte range that cannot overrun. A writer or reader that would pass its end
 * sets `failed` and does nothing from then on, so that a codec checks once, at its end. Numbers are
 * big-endian.
 */
#ifndef HA_WIRE_BYTES_H
#define HA_WIRE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *at;
	size_t left;
	bool failed;
};

struct writer {
	uint8_t *start;
	size_t size;
	size_t used;
	bool failed;
};

static inline struct reader reader_init(const uint8_t *bytes, size_t size)
{
	return (struct reader){.at = bytes, .left = size};
}

/* The next @size bytes, or NULL (and failed) if there are fewer. */
static inline const uint8_t *reader_take(struct reader *r, size_t size)
{
	const uint8_t *at = r->at;

	if (r->failed || size > r->left) {
		r->failed = true;
		return NULL;
	}
	r->at += size;
	r->left -= size;
	return at;
}

static inline uint64_t reader_number(struct reader *r, size_t size)
{
	const uint8_t *at = reader_take(r, size);
	uint64_t number = 0;

	for (size_t i = 0; at && i < size; i++)
		number = number << 8 | at[i];
	return number;
}

static inline uint8_t reader_u8(struct reader *r)
{
	return (uint8_t)reader_number(r, 1);
}
static inline uint16_t reader_u16(struct reader *r)
{
	return (uint16_t)reader_number(r, 2);
}
/* Of these two a heartbeat has hundreds. */
static inline uint32_t reader_u32(struct reader *r)
{
	const uint8_t *at = reader_take(r, sizeof(uint32_t));
	uint32_t number = 0;

	if (at)
		memcpy(&number, at, sizeof(number));
	return be32toh(number);
}
static inline uint64_t reader_u64(struct reader *r)
{
	const uint8_t *at = reader_take(r, sizeof(uint64_t));
	uint64_t number = 0;

	if (at)
		memcpy(&number, at, sizeof(number));
	return be64toh(number);
}

static inline void reader_bytes(struct reader *r, uint8_t *destination, size_t size)
{
	const uint8_t *at = reader_take(r, size);

	if (at)
		memcpy(destination, at, size);
	else
		memset(destination, 0, size);
}

static inline struct writer writer_init(uint8_t *bytes, size_t size)
{
	return (struct writer){.start = bytes, .size = size};
}

static inline void writer_bytes(struct writer *w, const void *bytes, size_t size)
{
	if (w->failed || size > w->size - w->used) {
		w->failed = true;
		return;
	}
	memcpy(w->start + w->used, bytes, size);
	w->used += size;
}

static inline void writer_number(struct writer *w, uint64_t number, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
	writer_bytes(w, bytes, size);
}

static inline void writer_u8(struct writer *w, uint8_t n)
{
	writer_number(w, n, 1);
}
static inline void writer_u16(struct writer *w, uint16_t n)
{
	writer_number(w, n, 2);
}
static inline void writer_u32(struct writer *w, uint32_t n)
{
	writer_number(w, n, 4);
}
static inline void writer_u64(struct writer *w, uint64_t n)
{
	writer_number(w, n, 8);
}

#endif
