/* SPDX-License-Identifier: ISC */
/*
 * channel: the messages between the engine (had) and the keeper, over a SOCK_SEQPACKET pair. A
 * closed list of verbs; only indices into the configuration that both parsed from the same bytes;
 * never a name, a path or an address from the engine. A message of the wrong size, an unknown verb
 * or an index out of range is refused whole.
 *
 * Layout, big-endian: verb (1), reserved 0 (1), index (2), second index (2), size of the payload
 * (2), number (8), payload. CHANNEL_HEADER_SIZE is 16.
 */
#ifndef HA_WIRE_CHANNEL_H
#define HA_WIRE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHANNEL_HEADER_SIZE 16
#define CHANNEL_PAYLOAD_MAX 2048
#define CHANNEL_MESSAGE_MAX (CHANNEL_HEADER_SIZE + CHANNEL_PAYLOAD_MAX)
#define CHANNEL_RUN_MAX     255 /* addresses behind the first one, of one ANNOUNCE */
#define CHANNEL_FRAME_MAX   128 /* bytes of a captured ARP or ND frame that are passed on */

#define CHANNEL_HELD_UNIT_NS 10000

enum channel_verb {
	/* engine to keeper */
	CHANNEL_READY = 1, /* the engine runs; tell the service manager */
	CHANNEL_HOLD,     /* index: group, number: epoch. Configure its addresses and announce them.
			     Answered by TARGETS..., then HELD or HOLD_FAILED; or by EXPIRED if the
			     lease has passed */
	CHANNEL_RELEASE,  /* index: group. Take its addresses down. Answered by RELEASED */
	CHANNEL_RESTORE,  /* index: address of a held group: somebody removed it, add and announce.
			     If that fails, REMOVED is told again */
	CHANNEL_ANNOUNCE, /* index: address of a held group, second: how many more of the group
			     behind it, at most CHANNEL_RUN_MAX. The broadcast set once more */
	CHANNEL_REQUEST, /* index: address of a held group, second: target. Ask it to acknowledge */
	CHANNEL_PROBE,   /* index: address of a group that is not held. RFC 5227 probe, or the NS of
			    duplicate address detection */
	CHANNEL_WILL,    /* payload: datagram to send if the engine dies */
	CHANNEL_PAUSED,  /* number: size of the record that was written. Everybody was told to be
			    patient; the engine ends, what it holds stays (R8) */
	CHANNEL_ASK, /* index: check, of kind arp or gateway. Ask the neighbours that it is about;
			perhaps answered by ANSWERED */
	CHANNEL_AFRESH, /* it begins afresh: nothing that is still held is taken up (R8) */
	/* keeper to engine */
	CHANNEL_HELD = 64, /* index: group, number: epoch of the HOLD; second: how long after it one
			      of its addresses was first announced, in CHANNEL_HELD_UNIT_NS; 0: it
			      was held already */
	CHANNEL_HOLD_FAILED, /* index: group, second: address index in the whole list, number:
				errno; nothing of the group stays configured */
	CHANNEL_RELEASED,    /* index: group */
	CHANNEL_EXPIRED,     /* index: group. The watchdog saw the lease pass and took it down */
	CHANNEL_REMOVED,     /* index: address of a held group that somebody else took away */
	CHANNEL_TARGET, /* index: address, second: target, payload: its IP_WIRE_SIZE bytes. Target 0
			   begins a new list for that address */
	CHANNEL_FRAME,  /* number: interface index, payload: an ARP or ND frame, not looked at */
	CHANNEL_STOP,   /* the service manager wants us to stop: resign, then exit 0 */
	CHANNEL_FENCE,  /* number: enum channel_fence, in force from now on, second: 1 if it closes
			   before the lease ends, else 0; told first of all */
	CHANNEL_PAUSE,  /* number: nanoseconds. Ask the others for so much patience, leave a record
			   and end (R8). Answered by PAUSED */
	CHANNEL_RETIRE, /* index: group. The next engine will not have it: hand it over (R5) */
	CHANNEL_RESUME, /* no PAUSE and no RETIRE any more */
	CHANNEL_ANSWERED, /* index: check. One of its neighbours has answered */
	CHANNEL_BEGIN, /* the very first. number: size of the record to take up; 0: begin afresh */
	CHANNEL_RENEWED, /* number: the instant, in nanoseconds, at which the fence in the kernel
			    has closed for certain unless it is renewed once more. Of a fence that
			    the keeper renews, as long as something is held */
};

/* What keeps this node from serving when its lease has passed. */
enum channel_fence {
	CHANNEL_FENCE_WATCHDOG, /* the keeper alone */
	/* The kernel as well, whatever has become of keeper and engine: */
	CHANNEL_FENCE_BPF,      /* it reads the lease itself */
	CHANNEL_FENCE_NFTABLES, /* as the keeper has last passed the lease on */
	CHANNEL_FENCE_LIFETIME, /* likewise, in whole seconds */
};

struct channel_message {
	enum channel_verb verb;
	uint16_t index;
	uint16_t second;
	uint64_t number;
	uint16_t payload_size;
	uint8_t payload[CHANNEL_PAYLOAD_MAX];
};

/* Encodes @m into @bytes of CHANNEL_MESSAGE_MAX and returns the size to send. */
size_t channel_encode(const struct channel_message *m, uint8_t *bytes);

/* Decodes one message. False, with *@ret_message undefined, if the size is wrong for the verb, the
 * verb is unknown or the reserved byte is not 0. Indices are for the caller to check. */
bool channel_decode(const uint8_t *bytes, size_t size, struct channel_message *ret_message);

bool channel_verb_is_from_engine(enum channel_verb verb);
/* "bpf", "nftables", ...: as in the status and in ha.conf(5); NULL: there is none of this number.
 */
const char *channel_fence_name(uint64_t fence);
const char *channel_verb_name(enum channel_verb verb);

#endif
