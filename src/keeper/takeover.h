/* SPDX-License-Identifier: ISC */
/*
 * takeover: a keeper goes on with what the keeper before has held (R8). What is there and still
 * configured stays untouched; then what is new comes; then what is not configured any more goes.
 */
#ifndef HA_KEEPER_TAKEOVER_H
#define HA_KEEPER_TAKEOVER_H

#include "keeper/keeper.h"

/* With the fence, the addresses and the announcer open. 0 or -errno. */
int takeover_begin(struct keeper *k);

#endif
