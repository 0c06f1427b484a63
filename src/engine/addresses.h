/* SPDX-License-Identifier: ISC */
/*
 * addresses: the shared addresses while a group is held, given up or listened for: who is told of
 * them and acknowledges, and whether somebody else has one of them (RFC 5227).
 */
#ifndef HA_ENGINE_ADDRESSES_H
#define HA_ENGINE_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/time.h"
#include "core/announce.h"
#include "engine/engine.h"

struct channel_message;

#define REMOVALS_MAX CONF_REMOVALS_LIMIT_MAX /* remembered removals of one address */

struct address {
	struct announce announce;
	uint8_t target_count;
	struct ip targets[TARGETS_MAX];
	bool answered[TARGETS_MAX];
	ha_time removals[REMOVALS_MAX];
	uint8_t removal_next;
	ha_time conflict_at;    /* last answer of a stranger; TIME_ORIGIN: none */
	ha_time conflict_since; /* the first of an unbroken series of such answers */
	uint8_t conflict_mac[MAC_SIZE];
	ha_time defended_at; /* last time that we announced against a stranger's claim */
};

void addresses_taken(struct engine *e, size_t group);
/* R8: goes on announcing what another engine has announced. */
void addresses_resumed(struct engine *e, size_t group);
void addresses_released(struct engine *e, size_t group);
void addresses_announce(struct engine *e, size_t group, struct effects *out);
void addresses_due(struct engine *e, struct effects *out);
void addresses_removed(struct engine *e, size_t address, struct effects *out);
void addresses_target(struct engine *e, const struct channel_message *m);
void addresses_frame(struct engine *e, const struct channel_message *m, struct effects *out);
/* Whether they stay configured on nodes that do not hold the group (standby = warm). */
bool addresses_are_warm(const struct engine *e, size_t group);
/* How many neighbours are to acknowledge an address, and how many of them have. */
size_t addresses_targets(const struct engine *e, size_t address, size_t *ret_acknowledged);
ha_time addresses_deadline(const struct engine *e);

/* RFC 5227 probing while a group listens. */
void probes_start(struct engine *e, size_t group);
/* R8: somebody was found to answer for an address; asks whether he still does. */
void probes_resume(struct engine *e, size_t group);
void probes_due(struct engine *e, struct effects *out);
/* The first address of the group that a stranger answers for, or -1. */
int probes_conflict(const struct engine *e, size_t group);

#endif
