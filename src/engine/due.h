/* SPDX-License-Identifier: ISC */
/* due: when a group must be evaluated again although nothing happens. */
#ifndef HA_ENGINE_DUE_H
#define HA_ENGINE_DUE_H

#include "base/time.h"

struct engine;

/* Plans when those that this step has evaluated are due. */
void groups_plan(struct engine *e);
ha_time groups_deadline(const struct engine *e);

#endif
