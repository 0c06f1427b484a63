/* SPDX-License-Identifier: ISC */
/* notify: tell the service manager how we are, as sd_notify(3) does, without its library. */
#ifndef HA_KEEPER_NOTIFY_H
#define HA_KEEPER_NOTIFY_H

/* Sends @state ("READY=1") to the socket that NOTIFY_SOCKET names; nothing happens without one. */
void notify_send(const char *state);

#endif
