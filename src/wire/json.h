/* SPDX-License-Identifier: ISC */
/*
 * json: what the JSON codecs of this room share: strings that may hold anything (a peer's name came
 * from the network) on the way out, and checked members on the way in.
 */
#ifndef HA_WIRE_JSON_H
#define HA_WIRE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/ip.h"

/* A new JSON string of @text, owned by the caller; bytes that are not UTF-8 become '?', because a
 * strange name must not cost the whole answer. NULL if memory ran out. */
json_t *json_from_text(const char *text);

/* json_from_text(), or a JSON null for "". */
json_t *json_from_optional_text(const char *text);

/* A number of 64 bits that JSON readers keep exactly is below 2^63: larger ones are cut to that. */
json_t *json_from_count(uint64_t count);

/* 16 hexadecimal digits; an address as text, or a null for none. */
json_t *json_from_id(uint64_t id);
json_t *json_from_ip(const struct ip *ip);

/* Each reads member @key of @object. False, with *@ret untouched, if it is missing or of another
 * type. Texts that do not fit are cut; a null text is "". */
bool json_member_text(const json_t *object, const char *key, char *ret, size_t size);
bool json_member_flag(const json_t *object, const char *key, bool *ret);
bool json_member_integer(
	const json_t *object, const char *key, int64_t minimum, int64_t maximum, int64_t *ret);
bool json_member_real(const json_t *object, const char *key, double *ret);
bool json_member_id(const json_t *object, const char *key, uint64_t *ret);
bool json_member_ip(const json_t *object, const char *key, struct ip *ret); /* null: IP_NONE */

#endif
