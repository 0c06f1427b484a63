/* SPDX-License-Identifier: ISC */
/* fence_shape: what the kernel's half of the fence (fence.bpf.c) and the keeper's must agree on.
 * Included by both, so it includes nothing. */
#ifndef HA_KEEPER_FENCE_SHAPE_H
#define HA_KEEPER_FENCE_SHAPE_H

#define FENCE_KEY_WORDS 4 /* an address: IPv6, or IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2) */

/* Words of the lease's table: until when, then which groups were given up. */
#define FENCE_LEASE_UNTIL    0
#define FENCE_LEASE_RELEASED 1 /* of the first group */

#endif
