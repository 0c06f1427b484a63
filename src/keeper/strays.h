/* SPDX-License-Identifier: ISC */
/* strays: a device that was given another name took the addresses along, and they would still be
 * answered for. */
#ifndef HA_KEEPER_STRAYS_H
#define HA_KEEPER_STRAYS_H

#include "keeper/addresses.h"

/* Takes the addresses of all groups that are leaving off devices that are not theirs. */
void strays_remove(struct addresses *a);

#endif
