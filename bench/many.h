/* SPDX-License-Identifier: ISC */
/* many: the list of addresses that many_watch and many_floor are told of: LEAD and, up to COUNT in
 * all, those from FIRST on. */
#ifndef HA_BENCH_MANY_H
#define HA_BENCH_MANY_H

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADVERTISEMENT 136

struct addresses {
	int family;
	uint8_t lead[16], first[16];
	size_t size; /* 4 or 16 */
	uint32_t count;
	uint32_t device;
	uint8_t mac[ETH_ALEN];
};

static inline void fail(const char *what)
{
	fprintf(stderr, "many: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* LEAD is 0; in network order. */
static inline void nth(const struct addresses *a, uint32_t number, uint8_t *bytes)
{
	uint32_t low;

	memcpy(bytes, number == 0 ? a->lead : a->first, a->size);
	if (number == 0)
		return;
	memcpy(&low, bytes + a->size - 4, 4);
	low = htonl(ntohl(low) + number - 1);
	memcpy(bytes + a->size - 4, &low, 4);
}

static inline struct addresses parse(const char *device, char **list)
{
	struct addresses a = {.family = strchr(list[0], ':') ? AF_INET6 : AF_INET,
		.count = (uint32_t)strtoul(list[2], NULL, 10),
		.device = if_nametoindex(device)};
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	a.size = a.family == AF_INET6 ? 16 : 4;
	strncpy(request.ifr_name, device, IFNAMSIZ - 1);
	if (inet_pton(a.family, list[0], a.lead) != 1 ||
		inet_pton(a.family, list[1], a.first) != 1 || a.device == 0 || fd < 0 ||
		ioctl(fd, SIOCGIFHWADDR, &request) != 0)
		fail(device);
	memcpy(a.mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	close(fd);
	return a;
}

/* A COUNT or more: it is none of them. */
static inline uint32_t number_of(const struct addresses *a, const uint8_t *address)
{
	uint32_t own, low;

	if (memcmp(address, a->lead, a->size) == 0)
		return 0;
	if (memcmp(address, a->first, a->size - 4) != 0)
		return UINT32_MAX;
	memcpy(&own, a->first + a->size - 4, 4);
	memcpy(&low, address + a->size - 4, 4);
	low = ntohl(low) - ntohl(own);
	return low < a->count ? low + 1 : UINT32_MAX;
}

#endif
