/* SPDX-License-Identifier: ISC */
/*
 * inputs: what the election of a group is told: whether this node may hold it and what speaks
 * against that, how it ranks, and what its peers say.
 */
#ifndef HA_ENGINE_INPUTS_H
#define HA_ENGINE_INPUTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/election.h"
#include "core/rivals.h"
#include "engine/engine.h"

struct peer_record;

/* Why a group is not eligible on this node. The first that applies is told. */
enum ineligible {
	ELIGIBLE = 0,
	INELIGIBLE_STOPPING,
	INELIGIBLE_WORTH,
	INELIGIBLE_HEALTH, /* told by ENGINE_HEALTH */
	INELIGIBLE_NO_DEVICE,
	INELIGIBLE_DEVICE_DOWN,
	INELIGIBLE_NO_CARRIER,
	INELIGIBLE_NO_ADDRESS,  /* the heartbeat interface has no address of its own */
	INELIGIBLE_HOLD_FAILED, /* held off after the keeper could not configure it */
	INELIGIBLE_REMOVED,     /* held off after somebody took an address away too often */
	INELIGIBLE_NO_CARRIER_WHEN_RAISED, /* held off: a device that we bring up has no carrier */
	INELIGIBLE_ORIGINAL,               /* a node that runs the original program is worthier */
	INELIGIBLE_VETOED,                 /* held off: before-active said no */
	INELIGIBLE_CONFLICT,               /* a host outside the cluster answers for an address */
	INELIGIBLE_RETIRED,                /* R8: the next engine will not have it */
	INELIGIBLE_DRAINED,                /* by request, until another one */
#define INELIGIBLE_LAST INELIGIBLE_DRAINED
};

enum ineligible group_ineligible(const struct engine *e, size_t group);
/* The same but for what people want: whether it is well. */
enum ineligible group_unfit(const struct engine *e, size_t group);
void group_hold_off(struct engine *e, size_t group, enum ineligible why, int64_t duration_ns);
/* What @p says of a group as a rival of ours. */
struct election_rival group_rival(
	const struct engine *e, size_t group, const struct peer_record *p);
struct election_rank group_own_rank(const struct engine *e, size_t group);
/* R1: how long a group listens now. */
int64_t groups_listen_ns(const struct engine *e);
/* All of it; @rivals has room for PEERS_MAX. */
struct election_input group_input(
	const struct engine *e, size_t group, struct election_rival *rivals);

#endif
