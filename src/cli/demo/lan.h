/* SPDX-License-Identifier: ISC */
/*
 * lan: the demo's LAN: a bridge as the switch, in the network namespace that the demo runs in, and
 * a namespace for each host with a cable (a veth pair) to it. Scaffolding, built with iproute2.
 */
#ifndef HA_CLI_DEMO_LAN_H
#define HA_CLI_DEMO_LAN_H

#include <stdbool.h>

#include "cli/command.h"
#include "cli/demo/cast.h"

struct lan {
	int here;        /* the switch's namespace */
	int host[HOSTS]; /* each host's */
};

/* Builds it. EXIT_DONE, or EXIT_FAILED after a message. Nothing to take down: see isolate.h. */
int lan_build(const struct command *command, struct lan *ret_lan);

/* Goes into the namespace of @host, and back to the switch's. */
void lan_enter(const struct lan *lan, int host);
void lan_leave(const struct lan *lan);

/* Cuts or repairs the cable of @host at the switch. */
void lan_set_cable(const struct lan *lan, int host, bool plugged);

/* A UDP socket in @host's namespace, bound to @address (which need not be there yet) and @port;
 * -errno on failure. */
int lan_socket(const struct lan *lan, int host, const char *address, unsigned short port);

#endif
