/* SPDX-License-Identifier: ISC */
/*
 * groups: runs the elections: gives each its input, carries out what it decides, and looks after
 * what the engine itself knows of a group: what it hears, holds off and probes.
 */
#ifndef HA_ENGINE_GROUPS_H
#define HA_ENGINE_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/election.h"
#include "engine/inputs.h"
#include "engine/prepare.h"
#include "engine/releases.h"
#include "engine/settle.h"
#include "engine/suspicion.h"

struct group {
	struct election election;
	enum election_phase counted; /* in engine.phases */
	int64_t credited_ns;         /* of engine.stalled_ns, in what its election counts from */
	struct release release;      /* while it is being released */
	uint16_t devices;            /* a bit for each that has an address of it */
	bool was_held;               /* by anybody, when last looked at */
	struct engine_health health;
	struct steadiness steadiness;
	bool acknowledged;          /* R4: see sticky.h */
	enum node_state told_state; /* as last reported */
	uint64_t told_holder;       /* as last reported */
	ha_time held_last;          /* when somebody last held it */
	uint64_t told_epoch;
	enum ineligible told_ineligible;
	bool adopted;            /* R8: goes on where another engine has left it */
	bool unsure;             /* R8: and its keeper has not confirmed yet that it holds it */
	bool retired;            /* R8: the next engine will not have it */
	bool passes_back;        /* see passing.h */
	ha_time passes_on_until; /* likewise, after the release */
	bool in_touch; /* its devices and a heartbeat interface worked when last looked at */
	uint64_t transitions;
	ha_time state_since;
	/* The cause of the last change in the peer's terms, kept for the explanation. */
	char cause_peer[NAME_SIZE];
	int64_t cause_silence_ns;
	enum ineligible cause_ineligible;
	/* Held off. */
	enum ineligible hold_off;
	ha_time hold_off_until;
	uint16_t hold_off_address;
	int hold_off_error;
	/* RFC 5227: somebody else answers for an address of ours while we listen. */
	bool probing;
	bool conflict;
	ha_time probe_at;
	int64_t probe_every_ns;
	/* Timed, see measure.h. */
	ha_time decided_at, release_at;
	bool decision_told, decision_acknowledged;
	struct suspicion suspicion;
	struct preparation preparation;
};

void groups_start(struct engine *e);
void groups_evaluate(struct engine *e, struct effects *out);
void groups_step(struct engine *e, size_t group, enum election_event event, struct effects *out);
/* R1: what it knew is of no use any more: unless it holds the group, it listens and probes anew. */
void group_listen(struct engine *e, size_t group);
/* R10: groups that listen have not listened while the node did not run. */
void groups_credit_stall(struct engine *e, int64_t stall_ns);
/* Whether the keeper was asked to take a group down and has not said that it did. */
bool groups_are_shut_down(const struct engine *e);

#endif
