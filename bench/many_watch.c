/* SPDX-License-Identifier: ISC */
/*
 * many_watch: when each of many addresses is first announced. All times are in nanoseconds, of the
 * wall clock, by which the kernel stamps frames.
 *
 *   many_watch DEVICE MAC DEAD LEAD FIRST COUNT
 *
 * Watches until SIGTERM, then prints "heard TIME" of the last heartbeat of DEAD, and "NUMBER TIME"
 * for each address that MAC announced.
 */
#include "many.h"

#include <linux/if_packet.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#define BUFFER_SIZE    (256 << 20)
#define HEARTBEAT_PORT 5555

struct watch {
	const struct addresses *addresses;
	uint8_t mac[ETH_ALEN], dead[ETH_ALEN];
	int64_t heard;  /* the last heartbeat of the dead */
	int64_t *times; /* of the first announcement of each address; 0: none yet */
};

static void note(struct watch *w, const uint8_t *address, int64_t at)
{
	uint32_t number = number_of(w->addresses, address);

	if (number < w->addresses->count && w->times[number] == 0)
		w->times[number] = at;
}

static int64_t stamp_of(struct msghdr *m)
{
	struct timespec at = {0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS)
			memcpy(&at, CMSG_DATA(c), sizeof(at));
	return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static bool is_heartbeat(const uint8_t *frame, size_t size)
{
	static const uint8_t port[] = {HEARTBEAT_PORT >> 8, HEARTBEAT_PORT & 0xff};
	const size_t udp = ETH_HLEN + 20;

	return size >= udp + 8 && frame[12] == 8 && frame[13] == 0 &&
	       frame[ETH_HLEN + 9] == IPPROTO_UDP && memcmp(frame + udp + 2, port, 2) == 0;
}

/* Whatever names the address as the sender's. */
static void take(struct watch *w, const uint8_t *frame, size_t size, int64_t at)
{
	const size_t target = ETH_HLEN + sizeof(struct ip6_hdr) + 8;
	const uint8_t *source = frame + ETH_ALEN;
	int family = w->addresses->family;

	if (memcmp(source, w->dead, ETH_ALEN) == 0 && is_heartbeat(frame, size))
		w->heard = at;
	if (memcmp(source, w->mac, ETH_ALEN) != 0)
		return;
	if (family == AF_INET && frame[12] == 8 && frame[13] == 6 && size >= ETH_HLEN + 28)
		note(w, frame + ETH_HLEN + 14, at);
	else if (family == AF_INET6 && frame[12] == 0x86 && size >= target + 16 &&
		 frame[ETH_HLEN + 6] == IPPROTO_ICMPV6 && frame[target - 8] == ADVERTISEMENT)
		note(w, frame + target, at);
}

/* One frame of the queue; false if there is none. */
static bool read_one(int fd, struct watch *w)
{
	uint8_t frame[128];
	char control[128];
	struct iovec part = {frame, sizeof(frame)};
	struct msghdr m = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t size = recvmsg(fd, &m, MSG_DONTWAIT);

	if (size < ETH_HLEN)
		return size >= 0;
	take(w, frame, (size_t)size, stamp_of(&m));
	return true;
}

static void parse_mac(const char *text, uint8_t *m)
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &m[0], &m[1], &m[2], &m[3], &m[4],
		    &m[5]) != 6)
		fail(text);
}

static int open_ear(const struct addresses *a)
{
	struct sockaddr_ll here = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)a->device};
	int on = 1, room = BUFFER_SIZE;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
		bind(fd, (struct sockaddr *)&here, sizeof(here)))
		fail("socket of the watcher");
	return fd;
}

static void watch(const struct addresses *a, const char *mac, const char *dead)
{
	struct watch w = {.addresses = a, .times = calloc(a->count, sizeof(*w.times))};
	int fd = open_ear(a), caught;
	sigset_t set;

	if (!w.times)
		fail("memory");
	parse_mac(mac, w.mac);
	parse_mac(dead, w.dead);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("ready");
	fflush(stdout);
	sigwait(&set, &caught); /* it takes no time from those whom it watches */
	while (read_one(fd, &w))
		continue;
	printf("heard %lld\n", (long long)w.heard);
	for (uint32_t i = 0; i < a->count; i++)
		if (w.times[i] != 0)
			printf("%u %lld\n", i, (long long)w.times[i]);
	free(w.times);
}

int main(int argc, char **argv)
{
	struct addresses a;

	if (argc != 7) {
		fputs("Usage: many_watch DEVICE MAC DEAD LEAD FIRST COUNT\n", stderr);
		return 2;
	}
	a = parse(argv[1], argv + 4);
	watch(&a, argv[2], argv[3]);
	return 0;
}
