/* SPDX-License-Identifier: ISC */
/*
 * cast: who plays in the demo: three servers and a client on one LAN, and the two addresses that
 * the servers share.
 */
#ifndef HA_CLI_DEMO_CAST_H
#define HA_CLI_DEMO_CAST_H

#include "cli/style.h"

enum { ALPHA, BETA, GAMMA, CLIENT };

#define SERVERS 3 /* alpha, beta, gamma */
#define HOSTS   4 /* and the client */
#define NOBODY  (-1)

enum { IPV4, IPV6, FAMILIES };

struct host {
	const char *name;
	const char *v4, *v6; /* real addresses, without prefix length */
	const char *worth;   /* NULL: no server */
};

extern const struct host CAST[HOSTS];

#define CAST_SHARED_V4 "192.168.1.100"
#define CAST_SHARED_V6 "fd00::100"
#define CAST_LENGTH_V4 "24"
#define CAST_LENGTH_V6 "64"
#define CAST_RUNTIME_DIR                                                                           \
	"/run/ha-demo" /* with "/NAME": of each server; in a /run of the demo's own */

#endif
