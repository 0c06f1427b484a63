/* SPDX-License-Identifier: ISC */
/*
 * many: the instruments for many addresses. All times are in nanoseconds.
 *
 *   many watch DEVICE MAC FIRST COUNT   notes when each of COUNT addresses from FIRST on is first
 *                                       announced by MAC, until SIGTERM; then prints
 *                                       "NUMBER TIME" for each, by the kernel's clock
 *   many floor DEVICE FIRST COUNT FORM  configures and announces them with the bare calls to the
 *                                       kernel, in batches of 100: FORM is route or address
 *
 * The floor does what must be done, and nothing else: it decides nothing, watches nothing, and
 * nobody could stop it in the middle. It has the real-time priority of ha's keeper.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH         100
#define BATCH_V6      1000 /* before the kernel gets to joining their groups */
#define MESSAGE_MAX   128
#define PRIORITY      10
#define BUFFER_SIZE   (256 << 20)
#define NEIGHBOUR_NOW 136 /* neighbour advertisement */

struct addresses {
	int family;
	uint8_t first[16];
	size_t size; /* 4 or 16 */
	uint32_t count;
	uint32_t device;
	uint8_t mac[ETH_ALEN];
};

static void fail(const char *what)
{
	fprintf(stderr, "many: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* FIRST + @number, in network order. */
static void nth(const struct addresses *a, uint32_t number, uint8_t *bytes)
{
	uint32_t low;

	memcpy(bytes, a->first, a->size);
	memcpy(&low, bytes + a->size - 4, 4);
	low = htonl(ntohl(low) + number);
	memcpy(bytes + a->size - 4, &low, 4);
}

static struct addresses parse(const char *device, const char *first, const char *count)
{
	struct addresses a = {.family = strchr(first, ':') ? AF_INET6 : AF_INET,
		.count = (uint32_t)strtoul(count, NULL, 10),
		.device = if_nametoindex(device)};
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	a.size = a.family == AF_INET6 ? 16 : 4;
	strncpy(request.ifr_name, device, IFNAMSIZ - 1);
	if (inet_pton(a.family, first, a.first) != 1 || a.device == 0 || fd < 0 ||
		ioctl(fd, SIOCGIFHWADDR, &request) != 0)
		fail(device);
	memcpy(a.mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	close(fd);
	return a;
}

/* --- watch */

static void note(const struct addresses *a, const uint8_t *address, int64_t at, int64_t *times)
{
	uint32_t own, low;

	if (memcmp(address, a->first, a->size - 4) != 0)
		return;
	memcpy(&own, a->first + a->size - 4, 4);
	memcpy(&low, address + a->size - 4, 4);
	low = ntohl(low) - ntohl(own);
	if (low < a->count && times[low] == 0)
		times[low] = at;
}

static int64_t stamp_of(struct msghdr *m)
{
	struct timespec at = {0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS)
			memcpy(&at, CMSG_DATA(c), sizeof(at));
	return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

/* One frame of the queue; false if there is none. Whatever names the address as the sender's. */
static bool read_one(int fd, const struct addresses *a, const uint8_t *mac, int64_t *times)
{
	uint8_t frame[128];
	char control[128];
	struct iovec part = {frame, sizeof(frame)};
	struct msghdr m = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t size = recvmsg(fd, &m, MSG_DONTWAIT);
	const size_t target = ETH_HLEN + sizeof(struct ip6_hdr) + 8;

	if (size < 0)
		return false;
	if (memcmp(frame + ETH_ALEN, mac, ETH_ALEN) != 0)
		return true;
	if (a->family == AF_INET && size >= ETH_HLEN + 28)
		note(a, frame + ETH_HLEN + 14, stamp_of(&m), times);
	else if (a->family == AF_INET6 && (size_t)size >= target + 16 &&
		 frame[ETH_HLEN + 6] == IPPROTO_ICMPV6 && frame[target - 8] == NEIGHBOUR_NOW)
		note(a, frame + target, stamp_of(&m), times);
	return true;
}

static void watch(const struct addresses *a, const char *mac_text)
{
	uint16_t protocol = a->family == AF_INET ? ETH_P_ARP : ETH_P_IPV6;
	struct sockaddr_ll here = {.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)a->device};
	int64_t *times = calloc(a->count, sizeof(*times));
	int on = 1, room = BUFFER_SIZE, caught;
	uint8_t mac[ETH_ALEN];
	sigset_t set;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (sscanf(mac_text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
		    &mac[4], &mac[5]) != 6)
		fail(mac_text);
	if (fd < 0 || !times || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
		bind(fd, (struct sockaddr *)&here, sizeof(here)))
		fail("socket of the watcher");
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("ready");
	fflush(stdout);
	sigwait(&set, &caught); /* it takes no time from those whom it watches */
	while (read_one(fd, a, mac, times))
		continue;
	for (uint32_t i = 0; i < a->count; i++)
		if (times[i] != 0)
			printf("%u %lld\n", i, (long long)times[i]);
	free(times);
}

/* --- floor */

struct batch {
	size_t used;
	uint8_t bytes[BATCH_V6 * MESSAGE_MAX];
};

static void *begin(struct batch *b, uint16_t type, bool last, const void *header, size_t size)
{
	struct nlmsghdr *h = (void *)(b->bytes + b->used);

	memset(h, 0, MESSAGE_MAX);
	h->nlmsg_type = type;
	h->nlmsg_flags =
		(uint16_t)(NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE | (last ? NLM_F_ACK : 0));
	h->nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	memcpy(NLMSG_DATA(h), header, size);
	return h;
}

static void attribute(struct nlmsghdr *h, uint16_t type, const void *value, size_t size)
{
	struct rtattr *a = (void *)((uint8_t *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), value, size);
	h->nlmsg_len = (uint32_t)(NLMSG_ALIGN(h->nlmsg_len) + RTA_ALIGN(a->rta_len));
}

static void add(struct batch *b, const struct addresses *a, uint32_t number, bool route, bool last)
{
	const struct ifaddrmsg address = {.ifa_family = (uint8_t)a->family,
		.ifa_prefixlen = (uint8_t)(a->size * 8),
		.ifa_index = a->device};
	const struct rtmsg local = {.rtm_family = AF_INET,
		.rtm_dst_len = 32,
		.rtm_table = RT_TABLE_LOCAL,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_HOST,
		.rtm_type = RTN_LOCAL};
	uint32_t flags = IFA_F_NODAD | IFA_F_NOPREFIXROUTE;
	struct nlmsghdr *h;
	uint8_t bytes[16];

	nth(a, number, bytes);
	if (route) {
		h = begin(b, RTM_NEWROUTE, last, &local, sizeof(local));
		attribute(h, RTA_DST, bytes, a->size);
		attribute(h, RTA_OIF, &a->device, sizeof(a->device));
	} else {
		h = begin(b, RTM_NEWADDR, last, &address, sizeof(address));
		attribute(h, IFA_LOCAL, bytes, a->size);
		attribute(h, IFA_ADDRESS, bytes, a->size);
		attribute(h, IFA_FLAGS, &flags, sizeof(flags));
	}
	b->used += NLMSG_ALIGN(h->nlmsg_len);
}

static void configure(int fd, const struct addresses *a, uint32_t from, uint32_t count, bool route)
{
	static struct batch b;
	uint8_t answer[4096];
	const struct nlmsghdr *h = (void *)answer;

	b.used = 0;
	for (uint32_t i = 0; i < count; i++)
		add(&b, a, from + i, route, i + 1 == count);
	if (send(fd, b.bytes, b.used, 0) < 0 || recv(fd, answer, sizeof(answer), 0) < 0)
		fail("netlink");
	if (h->nlmsg_type != NLMSG_ERROR || ((const struct nlmsgerr *)NLMSG_DATA(h))->error != 0) {
		errno = h->nlmsg_type == NLMSG_ERROR
				? -((const struct nlmsgerr *)NLMSG_DATA(h))->error
				: EPROTO;
		fail("an address");
	}
}

static void send_arp(int fd, const struct addresses *a, uint32_t number, bool reply)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = (int)a->device,
		.sll_halen = ETH_ALEN};
	uint8_t frame[42] = {0};

	memset(frame, 0xff, ETH_ALEN);
	memset(to.sll_addr, 0xff, ETH_ALEN);
	memcpy(frame + 6, a->mac, ETH_ALEN);
	memcpy(frame + 12, "\x08\x06\0\1\x08\0\6\4\0\1", 10);
	frame[21] = reply ? ARPOP_REPLY : ARPOP_REQUEST;
	memcpy(frame + 22, a->mac, ETH_ALEN);
	nth(a, number, frame + 28);
	if (reply)
		memcpy(frame + 32, a->mac, ETH_ALEN);
	nth(a, number, frame + 38);
	(void)sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to));
}

static uint16_t checksum(const uint8_t *packet, size_t size)
{
	uint32_t sum = IPPROTO_ICMPV6 + (uint32_t)size;

	for (size_t i = 8; i < 40 + size; i += 2)
		sum += (uint32_t)(packet[i] << 8 | packet[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void send_advertisement(int fd, const struct addresses *a, const uint8_t *address)
{
	static const uint8_t to_all[] = {0x33, 0x33, 0, 0, 0, 1};
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IPV6),
		.sll_ifindex = (int)a->device,
		.sll_halen = ETH_ALEN};
	uint8_t frame[86] = {0}, *ip = frame + ETH_HLEN, *icmp = ip + 40;
	uint16_t sum;

	memcpy(to.sll_addr, to_all, ETH_ALEN);
	memcpy(frame, to_all, ETH_ALEN);
	memcpy(frame + 6, a->mac, ETH_ALEN);
	memcpy(frame + 12, "\x86\xdd\x60\0\0\0\0\x20\x3a\xff", 10);
	memcpy(ip + 8, address, 16);
	memcpy(ip + 24, "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	icmp[0] = NEIGHBOUR_NOW;
	icmp[4] = 0x20;
	memcpy(icmp + 8, address, 16);
	icmp[24] = 2;
	icmp[25] = 1;
	memcpy(icmp + 26, a->mac, ETH_ALEN);
	sum = htons(checksum(ip, 32));
	memcpy(icmp + 2, &sum, sizeof(sum));
	(void)sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to));
}

/* Each when the kernel tells of it. */
static void announce_as_told(int monitor, int fd, const struct addresses *a)
{
	uint8_t notice[32768];

	for (uint32_t told = 0; told < a->count;) {
		ssize_t left = recv(monitor, notice, sizeof(notice), 0);

		if (left < 0)
			fail("notices");
		for (struct nlmsghdr *h = (void *)notice; NLMSG_OK(h, (size_t)left);
			h = NLMSG_NEXT(h, left)) {
			struct rtattr *t = IFA_RTA((struct ifaddrmsg *)NLMSG_DATA(h));

			if (h->nlmsg_type != RTM_NEWADDR || t->rta_len != RTA_LENGTH(16) ||
				memcmp(RTA_DATA(t), a->first, 12) != 0)
				continue;
			send_advertisement(fd, a, RTA_DATA(t));
			told++;
		}
	}
}

static void floor_v6(int netlink, int packets, const struct addresses *a)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	int group = RTNLGRP_IPV6_IFADDR, room = BUFFER_SIZE;
	int monitor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (monitor < 0 || bind(monitor, (struct sockaddr *)&self, sizeof(self)) ||
		setsockopt(monitor, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
		setsockopt(monitor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		fail("monitor");
	for (uint32_t from = 0; from < a->count; from += BATCH_V6)
		configure(netlink, a, from, a->count - from < BATCH_V6 ? a->count - from : BATCH_V6,
			false);
	announce_as_told(monitor, packets, a);
}

static void floor_v4(int netlink, int packets, const struct addresses *a, bool route)
{
	for (uint32_t from = 0; from < a->count; from += BATCH) {
		uint32_t count = a->count - from < BATCH ? a->count - from : BATCH;

		configure(netlink, a, from, count, route);
		for (uint32_t i = from; i < from + count; i++) {
			send_arp(packets, a, i, false);
			send_arp(packets, a, i, true);
		}
	}
}

static void configure_all(const struct addresses *a, bool route)
{
	struct sched_param real_time = {.sched_priority = PRIORITY};
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int packets = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (netlink < 0 || packets < 0)
		fail("sockets");
	if (sched_setscheduler(0, SCHED_FIFO, &real_time) != 0)
		fail("real-time priority");
	if (a->family == AF_INET)
		floor_v4(netlink, packets, a, route);
	else
		floor_v6(netlink, packets, a);
}

int main(int argc, char **argv)
{
	struct addresses a;

	if (argc != 6 || (strcmp(argv[1], "watch") != 0 && strcmp(argv[1], "floor") != 0)) {
		fputs("Usage: many watch DEVICE MAC FIRST COUNT | floor DEVICE FIRST COUNT FORM\n",
			stderr);
		return 2;
	}
	if (strcmp(argv[1], "watch") == 0) {
		a = parse(argv[2], argv[4], argv[5]);
		watch(&a, argv[3]);
	} else {
		a = parse(argv[2], argv[3], argv[4]);
		configure_all(&a, strcmp(argv[5], "route") == 0);
	}
	return 0;
}
