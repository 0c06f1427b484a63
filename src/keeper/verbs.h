/* SPDX-License-Identifier: ISC */
/*
 * verbs: what an engine asks for, on its way to custody, and what custody lets pass, on its way to
 * addresses and announcements. What is refused is counted, logged once a second at most, and
 * ignored.
 */
#ifndef HA_KEEPER_VERBS_H
#define HA_KEEPER_VERBS_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

#define VERBS_REFUSED_LOG_NS NS_PER_S /* between two lines about what was refused */

struct session;
struct custody_effect;

/* Does what a message from the engine says, or refuses it. */
void verbs_hear(struct session *s, const uint8_t *bytes, size_t size);

/* For session.c: CUSTODY_PERFORM and CUSTODY_REFUSE. */
void verbs_perform(struct session *s, const struct custody_effect *e);
void verbs_refuse(struct session *s, const char *verb, const char *reason);

#endif
