/* SPDX-License-Identifier: ISC */
/*
 * verdict: what the process that carries out health checks (ha-checker) tells the engine, over a
 * SOCK_SEQPACKET pair. It goes one way only: what is to be checked stands in the configuration that
 * both parsed from the same bytes, and checks are named by their index.
 *
 * Layout, big-endian: kind (1), verdict (1), index (2), value (2), reserved 0 (2), answered (8),
 * hold until (8), text (the rest).
 */
#ifndef HA_WIRE_VERDICT_H
#define HA_WIRE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "core/check.h"

#define VERDICT_HEADER_SIZE 24
#define VERDICT_TEXT_SIZE   96 /* with its terminating zero */
#define VERDICT_MESSAGE_MAX (VERDICT_HEADER_SIZE + VERDICT_TEXT_SIZE)

enum verdict_kind {
	VERDICT_ALIVE = 1, /* nothing is new */
	VERDICT_CHECK,     /* what it makes of one check, at every change and now and then */
};

struct verdict {
	enum verdict_kind kind;
	uint16_t index;
	enum check_verdict verdict;
	uint16_t value;     /* the worth that it has read, where it reads one */
	ha_time answered;   /* TIME_ORIGIN: not yet */
	ha_time hold_until; /* damped: is good, but passes only then; TIME_ORIGIN: is not */
	char text[VERDICT_TEXT_SIZE]; /* why it fails, a clause for people */
};

/* Encodes @v into @bytes of VERDICT_MESSAGE_MAX and returns the size to send. */
size_t verdict_encode(const struct verdict *v, uint8_t *bytes);

/* Decodes one message; what no terminal should get in its text is replaced. False, with
 * *@ret_verdict undefined, if it is none. The index is for the caller to check. */
bool verdict_decode(const uint8_t *bytes, size_t size, struct verdict *ret_verdict);

/* "unknown", "passing", "failing". */
const char *check_verdict_name(enum check_verdict verdict);

#endif
