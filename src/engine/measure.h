/* SPDX-License-Identifier: ISC */
/* measure: what is counted and timed. Nothing here is looked at by a rule. */
#ifndef HA_ENGINE_MEASURE_H
#define HA_ENGINE_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "wire/report.h"

struct engine;
struct group;
struct peer_record;

void measure_decision(struct engine *e, size_t group);
/* @announced: as the keeper told it, CHANNEL_HELD. */
void measure_held(struct engine *e, size_t group, uint16_t announced);
void measure_told(struct engine *e);
void measure_acknowledged(struct engine *e, size_t group);
void measure_release(struct engine *e, size_t group);
void measure_released(struct engine *e, size_t group);
/* Adds the cause and the durations of a change of state to its report. */
void measure_report(const struct group *g, ha_time now, struct report *r);
void measure_arrival(struct peer_record *p, ha_time heard_before);

#endif
