/* SPDX-License-Identifier: ISC */
/*
 * many_floor: what many addresses cost with the bare calls to the kernel.
 *
 *   many_floor DEVICE LEAD FIRST COUNT FORM GROUPS GATEWAY
 *
 * Configures and announces them when a timer tells it to, and prints for how many nanoseconds it
 * was at the first one. FORM is route or address, GROUPS one or each (a group for each).
 *
 * It asks of the kernel what ha's keeper asks of it, in the same batches (the first address alone),
 * by the same calls, with the same frames: each form of announcement, and the question to the
 * gateway from every address from which ha asks; IPv6 addresses are announced when the kernel tells
 * that they answer. It does nothing else: it decides nothing, is told nothing, watches nothing,
 * answers nobody, and nobody could stop it in the middle: it has no fence. It has the real-time
 * priority of ha's keeper, and its memory is locked.
 */
#include "many.h"

#include <linux/if_addr.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>

#define BATCH        100
#define GROWTH       4    /* of batches, from one address on */
#define BATCH_V6     1000 /* before the kernel gets to joining their groups */
#define MESSAGE_MAX  128
#define PRIORITY     10
#define ASKING       64 /* so many addresses ask the gateway */
#define BUFFER_SIZE  (16 << 20)
#define SOLICITATION 135
#define PAUSE_NS     300000000 /* before the timer, so that all is idle */

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

struct floor {
	const struct addresses *addresses;
	bool route, each; /* GROUPS */
	uint8_t gateway[16];
	uint32_t asked; /* so many addresses are through with asking */
	int netlink, packets, monitor;
};

static void send_frame(const struct floor *f, const uint8_t *frame, size_t size)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(f->addresses->family == AF_INET ? ETH_P_ARP : ETH_P_IPV6),
		.sll_ifindex = (int)f->addresses->device,
		.sll_halen = ETH_ALEN};

	memcpy(to.sll_addr, frame, ETH_ALEN);
	(void)sendto(f->packets, frame, size, 0, (struct sockaddr *)&to, sizeof(to));
}

static void send_arp(
	const struct floor *f, const uint8_t *address, const uint8_t *target, bool reply)
{
	const uint8_t *mac = f->addresses->mac;
	uint8_t frame[42] = {0};

	memset(frame, 0xff, ETH_ALEN);
	memcpy(frame + 6, mac, ETH_ALEN);
	memcpy(frame + 12, "\x08\x06\0\1\x08\0\6\4\0\1", 10);
	frame[21] = reply ? ARPOP_REPLY : ARPOP_REQUEST;
	memcpy(frame + 22, mac, ETH_ALEN);
	memcpy(frame + 28, address, 4);
	if (reply)
		memcpy(frame + 32, mac, ETH_ALEN);
	memcpy(frame + 38, target, 4);
	send_frame(f, frame, sizeof(frame));
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

/* An advertisement of the address to all, or a solicitation of @target by it. */
static void send_nd(const struct floor *f, const uint8_t *address, const uint8_t *target)
{
	uint8_t frame[86] = {0}, *ip = frame + ETH_HLEN, *icmp = ip + 40;
	uint16_t sum;

	memcpy(ip + 24, "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	if (target) {
		memcpy(ip + 35, "\1\xff", 2);
		memcpy(ip + 37, target + 13, 3);
	}
	memcpy(frame, "\x33\x33", 2);
	memcpy(frame + 2, ip + 36, 4);
	memcpy(frame + 6, f->addresses->mac, ETH_ALEN);
	memcpy(frame + 12, "\x86\xdd\x60\0\0\0\0\x20\x3a\xff", 10);
	memcpy(ip + 8, address, 16);
	icmp[0] = target ? SOLICITATION : ADVERTISEMENT;
	icmp[4] = target ? 0 : 0x20;
	memcpy(icmp + 8, target ? target : address, 16);
	icmp[24] = target ? 1 : 2;
	icmp[25] = 1;
	memcpy(icmp + 26, f->addresses->mac, ETH_ALEN);
	sum = htons(checksum(ip, 32));
	memcpy(icmp + 2, &sum, sizeof(sum));
	send_frame(f, frame, sizeof(frame));
}

static void announce(const struct floor *f, const uint8_t *address)
{
	if (f->addresses->family == AF_INET6) {
		send_nd(f, address, NULL);
		return;
	}
	send_arp(f, address, address, false);
	send_arp(f, address, address, true);
}

/* Those below @end that have not asked the gateway yet. */
static void ask(struct floor *f, uint32_t end)
{
	uint32_t stride = (f->addresses->count + ASKING - 1) / ASKING;
	uint8_t address[16];

	for (; f->asked < end; f->asked++) {
		if (f->asked % stride != 0)
			continue;
		nth(f->addresses, f->asked, address);
		if (f->addresses->family == AF_INET6)
			send_nd(f, address, f->gateway);
		else
			send_arp(f, address, f->gateway, false);
	}
}

/* So many more, each when the kernel tells of it. */
static void announce_as_told(const struct floor *f, uint32_t count)
{
	const struct addresses *a = f->addresses;
	uint8_t notice[32768];

	for (uint32_t told = 0; told < count;) {
		ssize_t left = recv(f->monitor, notice, sizeof(notice), 0);

		if (left < 0)
			fail("notices");
		for (struct nlmsghdr *h = (void *)notice; NLMSG_OK(h, (size_t)left);
			h = NLMSG_NEXT(h, left)) {
			struct rtattr *t = IFA_RTA((struct ifaddrmsg *)NLMSG_DATA(h));

			if (h->nlmsg_type != RTM_NEWADDR || t->rta_len != RTA_LENGTH(16) ||
				number_of(a, RTA_DATA(t)) >= a->count)
				continue;
			announce(f, RTA_DATA(t));
			told++;
		}
	}
}

static void bring_up(struct floor *f, uint32_t from, uint32_t count)
{
	uint8_t address[16];

	configure(f->netlink, f->addresses, from, count, f->route);
	if (f->addresses->family == AF_INET6)
		announce_as_told(f, count);
	for (uint32_t i = from; f->addresses->family == AF_INET && i < from + count; i++) {
		nth(f->addresses, i, address);
		announce(f, address);
	}
	if (f->each)
		ask(f, from + count);
}

static uint32_t next_size(const struct addresses *a, uint32_t from, uint32_t size)
{
	uint32_t most = a->family == AF_INET6 ? BATCH_V6 : BATCH;

	size = a->family == AF_INET6 || size * GROWTH > most ? most : size * GROWTH;
	return size < a->count - from ? size : a->count - from;
}

/* The first one alone. */
static void bring_up_all(struct floor *f)
{
	struct timespec begin, end;
	uint32_t size = 1;

	clock_gettime(CLOCK_BOOTTIME, &begin);
	bring_up(f, 0, size);
	clock_gettime(CLOCK_BOOTTIME, &end);
	for (uint32_t from = size; from < f->addresses->count; from += size) {
		size = next_size(f->addresses, from, size);
		bring_up(f, from, size);
	}
	ask(f, f->addresses->count);
	printf("%lld\n",
		(long long)(end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec);
}

static int open_monitor(void)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	int group = RTNLGRP_IPV6_IFADDR, room = BUFFER_SIZE;
	int monitor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (monitor < 0 || bind(monitor, (struct sockaddr *)&self, sizeof(self)) ||
		setsockopt(monitor, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
		setsockopt(monitor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		fail("monitor");
	return monitor;
}

static void wait_for_timer(void)
{
	struct timespec due;
	uint64_t times;
	int timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);

	clock_gettime(CLOCK_REALTIME, &due);
	due.tv_nsec += PAUSE_NS;
	due.tv_sec += due.tv_nsec / 1000000000;
	due.tv_nsec %= 1000000000;
	if (timer < 0 ||
		timerfd_settime(timer, TFD_TIMER_ABSTIME, &(struct itimerspec){.it_value = due},
			NULL) < 0 ||
		read(timer, &times, sizeof(times)) != sizeof(times))
		fail("timer");
}

static void run_floor(
	const struct addresses *a, const char *form, const char *groups, const char *gateway)
{
	struct sched_param real_time = {.sched_priority = PRIORITY};
	struct floor f = {.addresses = a,
		.route = strcmp(form, "route") == 0,
		.each = strcmp(groups, "each") == 0,
		.netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
		.packets = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0),
		.monitor = open_monitor()};

	if (f.netlink < 0 || f.packets < 0 || inet_pton(a->family, gateway, f.gateway) != 1)
		fail("sockets");
	if (sched_setscheduler(0, SCHED_FIFO, &real_time) != 0)
		fail("real-time priority");
	if (mlockall(MCL_CURRENT) != 0)
		fail("memory");
	wait_for_timer();
	bring_up_all(&f);
}

int main(int argc, char **argv)
{
	struct addresses a;

	if (argc != 8) {
		fputs("Usage: many_floor DEVICE LEAD FIRST COUNT FORM GROUPS GATEWAY\n", stderr);
		return 2;
	}
	a = parse(argv[1], argv + 2);
	run_floor(&a, argv[5], argv[6], argv[7]);
	return 0;
}
