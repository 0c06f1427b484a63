/* SPDX-License-Identifier: ISC */
/* notify: tell the service manager how we are, as sd_notify(3) does, without its library. */
#ifndef HA_KEEPER_NOTIFY_H
#define HA_KEEPER_NOTIFY_H

#include <stdint.h>

/* Sends @state ("READY=1") to the socket that NOTIFY_SOCKET names; nothing happens without one. */
void notify_send(const char *state);

/* How often the service manager wants to hear "WATCHDOG=1" at the latest [ms],
 * sd_watchdog_enabled(3); 0: it does not ask for that. */
uint64_t notify_watchdog_ms(void);

#endif
