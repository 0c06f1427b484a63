/* SPDX-License-Identifier: ISC */
/* shrink: a smaller plan that fails as well. */
#ifndef HA_SIM_SHRINK_H
#define HA_SIM_SHRINK_H

#include "sim/plan.h"

/* Drops the faults of @p one by one and halves their spans, as long as it still fails. False if it
 * does not fail to begin with. */
bool shrink(struct plan *p);

#endif
