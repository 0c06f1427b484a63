/* SPDX-License-Identifier: ISC */
/* tell: what an engine reports, here or in the daemon, as events of the application. */
#ifndef HA_API_TELL_H
#define HA_API_TELL_H

#include "api/node.h"
#include "wire/report.h"

int tell_level(enum report_level level);
void tell_report(ha_node *n, const struct report *r, int64_t wall_ms);
/* The state of @group that was, or is about to be, told last. */
enum ha_state tell_last_state(const ha_node *n, size_t group);

#endif
