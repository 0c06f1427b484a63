/* SPDX-License-Identifier: ISC */
/* fence_shape: what the kernel's half of the fence (fence.bpf.c) and the keeper's must agree on.
 * Included by both, so it includes nothing. */
#ifndef HA_KEEPER_FENCE_SHAPE_H
#define HA_KEEPER_FENCE_SHAPE_H

#define FENCE_KEY_WORDS 4 /* an address: IPv6, or IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2) */

/* Words of the lease's table: until when, then for each group enum lease_service, to whom what this
 * host has no part in is passed on, and until when (wire/lease.h). */
#define FENCE_LEASE_UNTIL  0
#define FENCE_LEASE_GROUPS 1
#define FENCE_GROUP_WORDS  3
#define FENCE_SERVICE      0
#define FENCE_OTHER        1
#define FENCE_PASSES       2

#define FENCE_IN_SERVICE 0
#define FENCE_GIVEN_UP   1
#define FENCE_HANDED_ON  2

/* What the keeper says of each group. */
#define FENCE_AWAY  0 /* not configured here */
#define FENCE_HELD  1 /* configured, and served while the lease lasts */
#define FENCE_AHEAD 2 /* configured for the day when it is held (standby = warm); never served */

#define FENCE_MAC_SIZE 6 /* of FENCE_OTHER; the device's index follows */

#endif
