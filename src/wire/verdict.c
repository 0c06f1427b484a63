/* SPDX-License-Identifier: ISC */
#include "wire/verdict.h"

#include <string.h>

#include "base/assert.h"
#include "wire/bytes.h"

size_t verdict_encode(const struct verdict *v, uint8_t *bytes)
{
	struct writer w = writer_init(bytes, VERDICT_MESSAGE_MAX);

	writer_u8(&w, (uint8_t)v->kind);
	writer_u8(&w, (uint8_t)v->verdict);
	writer_u16(&w, v->index);
	writer_u16(&w, v->value);
	writer_u16(&w, 0);
	writer_u64(&w, (uint64_t)v->answered.ns);
	writer_u64(&w, (uint64_t)v->hold_until.ns);
	writer_bytes(&w, (const uint8_t *)v->text, strnlen(v->text, VERDICT_TEXT_SIZE - 1));
	assert(!w.failed);
	return w.used;
}

/* Plain ASCII: it comes from a program or a server that may say anything. */
static void take_text(struct reader *r, char text[VERDICT_TEXT_SIZE])
{
	size_t size = r->left < VERDICT_TEXT_SIZE - 1 ? r->left : VERDICT_TEXT_SIZE - 1;
	const uint8_t *bytes = reader_take(r, size);

	for (size_t i = 0; i < size; i++)
		text[i] = bytes[i] >= ' ' && bytes[i] <= '~' ? (char)bytes[i] : '?';
	text[size] = '\0';
}

bool verdict_decode(const uint8_t *bytes, size_t size, struct verdict *ret_verdict)
{
	struct reader r = reader_init(bytes, size);
	struct verdict *v = ret_verdict;
	uint8_t kind = reader_u8(&r), verdict = reader_u8(&r);
	uint16_t reserved;

	v->index = reader_u16(&r);
	v->value = reader_u16(&r);
	reserved = reader_u16(&r);
	v->answered = (ha_time){(int64_t)reader_u64(&r)};
	v->hold_until = (ha_time){(int64_t)reader_u64(&r)};
	if (r.failed || size > VERDICT_MESSAGE_MAX || reserved != 0 || kind < VERDICT_ALIVE ||
		kind > VERDICT_CHECK || verdict > CHECK_FAILING || v->answered.ns < 0 ||
		v->hold_until.ns < 0)
		return false;
	v->kind = (enum verdict_kind)kind;
	v->verdict = (enum check_verdict)verdict;
	take_text(&r, v->text);
	return true;
}

const char *check_verdict_name(enum check_verdict verdict)
{
	switch (verdict) {
	case CHECK_UNKNOWN: return "unknown";
	case CHECK_PASSING: return "passing";
	case CHECK_FAILING: break;
	}
	return "failing";
}
