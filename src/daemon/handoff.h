/* SPDX-License-Identifier: ISC */
/* handoff: what the keeper handed over (wire/handoff.h). */
#ifndef HA_DAEMON_HANDOFF_H
#define HA_DAEMON_HANDOFF_H

#include <stddef.h>

#include "conf/conf.h"
#include "wire/heartbeat.h"
#include "wire/lease.h"

/* Parsed, mapped and checked. */
struct handoff_values {
	struct conf *conf; /* owned */
	struct heartbeat_key key;
	struct lease_page *lease;
};

/* Ends the process if anything is missing. */
void handoff_take(struct handoff_values *ret_values);
/* Waits until the keeper says that it is time: the engine before may still be at work. The size of
 * the record that it has left; 0: none. */
size_t handoff_wait(void);

#endif
