/* SPDX-License-Identifier: ISC */
/* cause: the names of the causes of a change of state, for machines: counters, history, the log.
 * They may be added to, never renamed. */
#ifndef HA_CORE_CAUSE_H
#define HA_CORE_CAUSE_H

#include "core/election.h"

#define ELECTION_CAUSES_MAX 32 /* more than there are */

/* "holder-silent", "granted" ...; NULL after the last one. */
const char *election_cause_name(enum election_cause cause);

#endif
