/* SPDX-License-Identifier: ISC */
/*
 * verbs: the table of what an engine may ask for: what the index of each message means, and in
 * which state of its group it is allowed. What does not fit is counted, logged once a second at
 * most, and ignored.
 */
#ifndef HA_KEEPER_VERBS_H
#define HA_KEEPER_VERBS_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

#define VERBS_REFUSED_LOG_NS NS_PER_S /* between two lines about what was refused */

struct session;

/* Does what a message from the engine says, or refuses it. */
void verbs_carry_out(struct session *s, const uint8_t *bytes, size_t size);

#endif
