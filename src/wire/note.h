/* SPDX-License-Identifier: ISC */
/*
 * note: what a keeper that makes room for another one leaves in the runtime folder (rule R8): which
 * groups stay configured, until when, and behind it the engine's record (record.h), which it does
 * not look at. Numbers are big-endian: magic (4), version (2), flags (2), boot id (16), saved (8),
 * lease (8), number of groups (4), size of the record (4); then each group's name with its length
 * (1) in front; then the record.
 */
#ifndef HA_WIRE_NOTE_H
#define HA_WIRE_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/time.h"

#define NOTE_BOOT_SIZE   16
#define NOTE_HEADER_SIZE 48

struct note {
	uint8_t boot[NOTE_BOOT_SIZE]; /* the host's boot id: instants are of one boot only */
	ha_time saved, lease;
	bool mortal; /* the addresses have a lifetime in the kernel */
	uint32_t group_count, record_size;
	/* decoded: into the bytes that were given; see note_group() */
	const uint8_t *groups, *record;
};

/* The header; returns NOTE_HEADER_SIZE. The names and the record follow it. */
size_t note_encode(const struct note *n, uint8_t bytes[NOTE_HEADER_SIZE]);

/* A name with its length in front, terminated for nobody; returns its size. */
size_t note_encode_group(const char *name, uint8_t bytes[NAME_SIZE]);

/* False, with *@ret_note undefined, unless it is whole and every name is one. */
bool note_decode(const uint8_t *bytes, size_t size, struct note *ret_note);

/* Whether @name is one of its groups. */
bool note_has_group(const struct note *n, const char *name);

#endif
