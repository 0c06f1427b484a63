/* SPDX-License-Identifier: ISC */
/* listen: the address that the exporter serves: "127.0.0.1:9955", "[::1]:9955"; ":9955" is every
 * address. */
#ifndef HA_CLI_EXPORTER_LISTEN_H
#define HA_CLI_EXPORTER_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>

#define LISTEN_DEFAULT "127.0.0.1:9955"

struct listen_address {
	struct sockaddr_storage address;
	socklen_t size;
	bool loopback; /* only this host reaches it */
};

/* ADDRESS:PORT, [ADDRESS6]:PORT or :PORT. False if @text is none of these. */
bool listen_parse(const char *text, struct listen_address *ret_address);
/* The listening socket, or -errno. */
int listen_open(const struct listen_address *address);

#endif
