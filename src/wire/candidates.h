/* SPDX-License-Identifier: ISC */
/*
 * candidates: the nodes that could take a group over now, as the control socket lists them:
 *
 * {"candidates": [{"name": "beta", "id": "10bcb79312b19a92", "address": "10.77.0.2", "worth":
 * 100}]}
 */
#ifndef HA_WIRE_CANDIDATES_H
#define HA_WIRE_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/ip.h"
#include "base/limits.h"

#define CANDIDATES_LINE_MAX 16384 /* longer than any list */

struct candidate {
	char name[NAME_SIZE];
	uint64_t id;
	struct ip address; /* IP_NONE: not known */
	uint16_t worth;
};

struct candidates {
	size_t count;
	struct candidate list[PEERS_MAX];
};

/* A new object, owned by the caller; NULL if memory ran out. */
json_t *candidates_to_json(const struct candidates *c);

/* False if @json is no such list, or too long a one. */
bool candidates_from_json(const json_t *json, struct candidates *ret_candidates);

#endif
