/* SPDX-License-Identifier: ISC */
/* strays: shared addresses where ours are not, which would still be answered for: a device that was
 * given another name took them along, or somebody else put them there. */
#ifndef HA_KEEPER_STRAYS_H
#define HA_KEEPER_STRAYS_H

#include "keeper/addresses.h"

/* Takes the addresses of all groups that are leaving off devices that are not theirs. */
void strays_remove(struct addresses *a);
/* Takes those of leaving groups that were put beside our local routes. */
void strays_remove_doubles(struct addresses *a);

#endif
