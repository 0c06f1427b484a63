/* SPDX-License-Identifier: ISC */
/*
 * loss: the engine is gone, or is of no use any more: what it held goes down, the others are told,
 * and a fresh one starts, unless it was told to stop or has made room for another keeper's.
 */
#ifndef HA_KEEPER_LOSS_H
#define HA_KEEPER_LOSS_H

#include "keeper/loop.h"

/* It has ended. The end of the channel and that of the process may both tell it, in one turn. */
void loss_of_engine(struct loop *l);

/* It still runs, but not as it should: it is ended. */
void loss_give_up(struct loop *l, const char *reason);

#endif
