/* SPDX-License-Identifier: ISC */
/* residence: what of the keeper stays in memory, whatever the host needs it for. */
#ifndef HA_KEEPER_RESIDENCE_H
#define HA_KEEPER_RESIDENCE_H

/* Locks all that is there now, as a keeper that is swapped out cannot take anything down; but for
 * libraries that are only needed to start, which leave. */
void residence_lock(void);

#endif
