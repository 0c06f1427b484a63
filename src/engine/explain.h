/* SPDX-License-Identifier: ISC */
/* explain: why a group is in its state, in one sentence. */
#ifndef HA_ENGINE_EXPLAIN_H
#define HA_ENGINE_EXPLAIN_H

#include <stddef.h>
#include <stdint.h>

#include "engine/inputs.h"

#define DURATION_TEXT_SIZE 32

void explain_group(const struct engine *e, size_t group, char *buffer, size_t size);
void explain_cause(const struct engine *e, size_t group, char *buffer, size_t size);
void explain_ineligible(
	const struct engine *e, size_t group, enum ineligible why, char *buffer, size_t size);
/* Writes a duration as people do: "352 ms", "3.5 s". */
void explain_duration(int64_t duration_ns, char *buffer, size_t size);

#endif
