/* SPDX-License-Identifier: ISC */
/*
 * node: all that one engine knows, private to this folder; each part of it is in the header that
 * says what is done with it. engine.c dispatches events; peers.c hears datagrams; groups.c runs the
 * elections, which inputs.c tells what they need; addresses.c announces, probes and watches over
 * the shared addresses; suspicion.c asks those who fell silent; paths.c tells the heartbeat
 * interfaces apart; beat.c speaks; news.c, steps.c, explain.c, next.c, snapshot.c and views.c tell
 * people; measure.c counts and times.
 */
#ifndef HA_ENGINE_NODE_H
#define HA_ENGINE_NODE_H

#include "base/deadlines.h"
#include "engine/addresses.h"
#include "engine/attention.h"
#include "engine/beat.h"
#include "engine/devices.h"
#include "engine/engine.h"
#include "engine/groups.h"
#include "engine/original.h"
#include "engine/own.h"
#include "engine/pause.h"
#include "engine/peers.h"
#include "engine/requests.h"

struct engine {
	const struct conf *conf;
	struct engine_identity identity;
	struct heartbeat_key key;
	ha_time now;    /* of the current step */
	ha_time before; /* of the one before it */
	ha_time deadline;
	int64_t stalled_ns; /* R10: how long this node did not run, all in all */
	bool started, stopping, stopped;
	bool drained;      /* by request: holds nothing */
	bool drain_forced; /* also what nobody takes */
	struct pending pending[REQUESTS_MAX];
	bool adopted; /* R8: began with a record, and has not spoken yet */
	struct pause pause;
	bool fenced;     /* the kernel keeps us from serving after the lease */
	bool fence_told; /* by this engine's keeper */
	uint64_t fence;  /* enum channel_fence */
	/* speaking */
	uint64_t sequence;
	uint64_t sequence_recent, sequence_newer; /* a tolerance ago, and since */
	ha_time sequence_rotated;
	ha_time beat_at; /* the next regular one */
	ha_time beat_last;
	bool beat_soon;       /* one more, at once */
	ha_time answer_at;    /* the one that answers a newcomer; TIME_NEVER: none */
	ha_time answered;     /* when one last did */
	ha_time lease;        /* until when we may serve */
	ha_time lease_earned; /* by the last heartbeat; waits while the keeper releases */
	bool send_failing;
	int send_error;
	uint64_t standing_told; /* hash of what heartbeats without news leave out */
	unsigned briefs;        /* so many have left it out */
	bool untold;            /* something was decided that no heartbeat has told yet */
	uint64_t will_of;       /* hash of what the keeper's will was made from; 0: none */
	uint64_t sent, received;
	struct metrics metrics;
	bool suspects;        /* R11: some holder is not heard as it should be */
	ha_time suspicion_at; /* with many groups: when a review of all is due */
	/* hearing */
	size_t peer_count; /* of those in use; none is given back but to another peer */
	struct peer_record peers[PEERS_MAX];
	struct originals originals;
	uint64_t dropped[HEARTBEAT_DROP_REASONS];
	ha_time drop_told[HEARTBEAT_DROP_REASONS];
	/* holding */
	struct device devices[DEVICES_MAX];
	struct group *groups;
	size_t phases[ELECTION_SHUTDOWN + 1]; /* how many groups are in each */
	uint16_t release_first, release_last; /* of those under way, in the order of their begin */
	struct address *addresses;
	struct deadlines announcing; /* of addresses */
	struct attention attention;
	struct own_table own;
	uint32_t mark; /* table_mark() of this node */
	/* scratch, so that nothing large stands on the stack */
	struct heartbeat heartbeat;
	struct datagram_pair *datagrams; /* of this step; SENDS_MAX if changes travel, else one */
	uint8_t will[HEARTBEAT_SIZE_MAX];
};

#endif
