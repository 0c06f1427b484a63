/* SPDX-License-Identifier: ISC */
#include "cli/exporter/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST_SIZE 64
#define BACKLOG   64

static bool parse_port(const char *text, in_port_t *ret_port)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || port == 0 || port > 65535)
		return false;
	*ret_port = htons((uint16_t)port);
	return true;
}

static bool parse_v4(const char *host, in_port_t port, struct listen_address *a)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a->address;

	v4->sin_family = AF_INET;
	v4->sin_port = port;
	a->size = sizeof(*v4);
	if (inet_pton(AF_INET, host, &v4->sin_addr) != 1)
		return false;
	a->loopback = (ntohl(v4->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
	return true;
}

static bool parse_v6(const char *host, in_port_t port, struct listen_address *a)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a->address;

	v6->sin6_family = AF_INET6;
	v6->sin6_port = port;
	a->size = sizeof(*v6);
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
		return false;
	a->loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	return true;
}

bool listen_parse(const char *text, struct listen_address *ret_address)
{
	struct listen_address a = {0};
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	char host[HOST_SIZE];
	in_port_t port;

	if (!colon || length >= sizeof(host) || !parse_port(colon + 1, &port))
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	*ret_address = a;
	if (length == 0)
		return parse_v6("::", port, ret_address);
	if (host[0] != '[')
		return parse_v4(host, port, ret_address);
	if (host[length - 1] != ']')
		return false;
	host[length - 1] = '\0';
	return parse_v6(host + 1, port, ret_address);
}

int listen_open(const struct listen_address *address)
{
	const int on = 1, off = 0;
	int listener =
		socket(address->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (listener < 0)
		return -errno;
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->address.ss_family == AF_INET6) /* "::" is for IPv4 as well */
		(void)setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(listener, (const struct sockaddr *)&address->address, address->size) == 0 &&
		listen(listener, BACKLOG) == 0)
		return listener;
	error = errno;
	(void)close(listener);
	return -error;
}
