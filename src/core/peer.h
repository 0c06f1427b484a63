/* SPDX-License-Identifier: ISC */
/*
 * peer: whether another node is alive, and whether what came in its name is news or a recording.
 * docs/protocol.md sections 4 (freshness) and 5 (liveness). Pure.
 *
 * A boot of a peer is known by its nonce. Within a boot the sequence number must grow. A boot is
 * *proven* once one of its packets has named our own nonce together with a recent sequence number
 * of ours: nobody can have recorded that before we sent it. Only a proven boot counts, and only a
 * proven packet may replace the boot of a live peer: replaying an old boot neither revives a dead
 * peer nor hides a live one. A proven boot that fell silent and was then displaced by an unproven
 * one (a new start, or a recording: that cannot be told) is remembered with its sequence number: it
 * may return, its recordings may not. It is retired for good when another boot is proven.
 */
#ifndef HA_CORE_PEER_H
#define HA_CORE_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define PEER_RETIRED_MAX                                                                           \
	4 /* earlier boots remembered, so that their packets are refused at once                   \
	   */

struct peer {
	uint64_t id;
	uint64_t nonce;
	uint64_t sequence;
	uint64_t retired[PEER_RETIRED_MAX];
	uint8_t retired_next;
	uint64_t earlier_nonce; /* the proven boot that an unproven one has displaced; 0: none */
	uint64_t earlier_sequence;
	bool proven;
	bool leaving;         /* it said that it stops */
	bool names_us;        /* its last packet named our current nonce with a recent echo */
	ha_time heard;        /* when its last accepted packet came */
	int64_t echo_age_ns;  /* how long before it that peer last heard us, by its own account */
	int64_t interval_ns;  /* as announced */
	int64_t tolerance_ns; /* as announced, bounded */
};

/* What a decoded heartbeat says that concerns liveness and freshness. */
struct peer_packet {
	uint64_t nonce;
	uint64_t sequence;
	int64_t interval_ns;
	int64_t tolerance_ns;
	bool leaving;
	bool names_us; /* its list of heard nodes holds our id with our current nonce */
	uint32_t echo; /* the low 32 bits of our sequence number in that list */
	int64_t echo_age_ns;
};

/* Our own sending, against which echoes are judged. */
struct peer_challenge {
	uint64_t recent; /* our sequence number of about one tolerance ago */
	uint64_t latest; /* our last one */
};

enum peer_verdict {
	PEER_ACCEPTED,
	PEER_NEW_BOOT,  /* accepted, and the peer has started anew: forget what it held */
	PEER_DUPLICATE, /* its last packet once more, by another path */
	PEER_REPLAYED,
	PEER_OLD_BOOT,
	PEER_UNPROVEN, /* a new boot of a live peer that proved nothing yet: not counted, but answer
			  it */
};

/* A peer of which the first packet is about to be heard. */
struct peer peer_init(uint64_t id);

/**
 * peer_hear - judge one authentic packet and take it in
 * @max_tolerance_ns: bound on the announced tolerance (rule R2)
 */
enum peer_verdict peer_hear(struct peer *p, ha_time now, const struct peer_packet *packet,
	const struct peer_challenge *challenge, int64_t max_tolerance_ns);

/* When the peer counts as gone if nothing more is heard. */
ha_time peer_silence_deadline(const struct peer *p);

/* Proven, not leaving, and heard within its own tolerance. */
bool peer_is_live(const struct peer *p, ha_time now);

/* Whether it had heard us within @tolerance_ns (ours) when it last spoke. A peer that has fallen
 * silent is not blamed for deafness: its silence is judged by peer_is_live(). */
bool peer_hears_us(const struct peer *p, int64_t tolerance_ns);

/* Rule R10: we did not run for @stall_ns; the peer's silence in that time is ours, not its own. */
void peer_credit_stall(struct peer *p, ha_time now, int64_t stall_ns);

#endif
