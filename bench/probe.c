/* SPDX-License-Identifier: ISC */
/*
 * probe: the instruments of the benchmarks. All times are CLOCK_MONOTONIC, in nanoseconds.
 *
 *   probe serve PORT NAME           answers each UDP request from the address that it came to, with
 *                                   the request's bytes and NAME; and a request on each TCP
 *                                   connection with NAME, which it then closes
 *   probe ask ADDRESS PORT RATE     sends RATE requests a second until SIGTERM, then prints a line
 *                                   "SENT ANSWERED NAME" for each; "SENT 0 -" for a lost one
 *   probe connect ADDRESS PORT RATE the same with a new TCP connection for each, from connecting to
 *                                   the end of the answer; "SENT 0 refused" for one that was reset
 *   probe arp DEVICE ADDRESS        asks for the address by ARP every millisecond until SIGTERM,
 *                                   then prints a line "ANSWERED HARDWARE-ADDRESS" for each answer
 *
 * It runs with real-time priority, so that what it measures is not its own waiting for a processor.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S    1000000000
#define NS_PER_MS   1000000LL
#define PRIORITY    90     /* above whatever else runs on a shared machine; it needs little */
#define RECORDS_MAX 200000 /* 100 s of ARP answers of two hosts */
#define NAME_SIZE   16
#define ROOM        (16 * 1024 * 1024)
#define LATE_MS     300 /* an answer that comes later counts as lost */
#define TCP_LATE_MS                                                                                \
	3500 /* the same, where the kernel sends again what was lost, after 1 s and 3 s */

struct record {
	int64_t sent; /* 0 in an answer to ARP */
	int64_t answered;
	char name[NAME_SIZE];
	uint8_t mac[ETH_ALEN];
	int connection; /* that is still open; 0: none */
};

struct instrument {
	int socket;
	struct sockaddr_in6 target; /* IPv4 as ::ffff:a.b.c.d */
	struct sockaddr_ll everybody;
	struct ether_arp question;
	size_t count, open; /* records; connections that are open */
	struct record *records;
	void (*ask)(struct instrument *probe);
	void (*hear)(struct instrument *probe);
};

static void fail(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void take_priority(void)
{
	struct sched_param real_time = {.sched_priority = PRIORITY};

	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
		fail("mlockall");
	if (sched_setscheduler(0, SCHED_FIFO, &real_time) != 0)
		fail("real-time priority");
}

/* What waits while the machine stands still must not count as lost. */
static void take_room(int socket)
{
	int size = ROOM;

	if (setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		fail("room for what waits");
}

static struct in_addr parse_v4(const char *address)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, address, &v4) != 1) {
		errno = EINVAL;
		fail(address);
	}
	return v4;
}

static struct sockaddr_in6 parse_target(const char *address, const char *port)
{
	struct sockaddr_in6 target = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)strtoul(port, NULL, 10))};
	struct in_addr v4;

	if (strchr(address, ':')) {
		if (inet_pton(AF_INET6, address, &target.sin6_addr) == 1)
			return target;
		errno = EINVAL;
		fail(address);
	}
	v4 = parse_v4(address);
	target.sin6_addr.s6_addr[10] = target.sin6_addr.s6_addr[11] = 0xff;
	memcpy(&target.sin6_addr.s6_addr[12], &v4, sizeof(v4));
	return target;
}

/* --- serve */

static void answer_one(int socket, const char *name)
{
	char request[64], control[256];
	struct sockaddr_in6 client;
	struct iovec parts[2] = {
		{request, sizeof(request)}, {(void *)(uintptr_t)name, strlen(name)}};
	struct msghdr message = {.msg_name = &client,
		.msg_namelen = sizeof(client),
		.msg_iov = parts,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t size = recvmsg(socket, &message, 0);

	if (size < 0)
		return;
	/* The packet information that came with the request makes the answer leave from there. */
	parts[0].iov_len = (size_t)size;
	message.msg_iovlen = 2;
	(void)sendmsg(socket, &message, 0); /* the address may have left: the client counts it */
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		fail("epoll");
}

static void take_connections(int epoll, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		watch(epoll, fd);
}

/* It closes first, so that what is left of the connection is ours to keep. */
static void answer_connection(int fd, const char *name)
{
	char request[64];
	ssize_t size = recv(fd, request, sizeof(request), 0);

	if (size < 0 && errno == EAGAIN)
		return;
	if (size > 0)
		(void)send(fd, name, strlen(name), MSG_NOSIGNAL);
	(void)close(fd);
}

static int open_server(int type, const char *port)
{
	struct sockaddr_in6 any = parse_target("::", port);
	int on = 1, off = 0, fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
		bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0)
		fail("socket of the server");
	return fd;
}

static void serve(const char *port, const char *name)
{
	int on = 1, udp = open_server(SOCK_DGRAM, port);
	int listener = open_server(SOCK_STREAM | SOCK_NONBLOCK, port);
	int epoll = epoll_create1(EPOLL_CLOEXEC), count;
	struct epoll_event ready[64];

	take_room(udp);
	/* The latter is for IPv4 as ::ffff:a.b.c.d. */
	if (setsockopt(udp, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) != 0 ||
		setsockopt(udp, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) != 0 ||
		listen(listener, SOMAXCONN) != 0 || epoll < 0)
		fail("socket of the server");
	watch(epoll, udp);
	watch(epoll, listener);
	while ((count = epoll_wait(epoll, ready, 64, -1)) > 0) {
		for (int i = 0; i < count; i++) {
			if (ready[i].data.fd == udp)
				answer_one(udp, name);
			else if (ready[i].data.fd == listener)
				take_connections(epoll, listener);
			else
				answer_connection(ready[i].data.fd, name);
		}
	}
}

/* --- ask */

static void ask_udp(struct instrument *probe)
{
	uint32_t number = (uint32_t)probe->count;

	if (probe->count == RECORDS_MAX)
		return;
	probe->records[probe->count++].sent = now_ns();
	/* One that cannot be sent is a request that is lost. */
	(void)sendto(probe->socket, &number, sizeof(number), MSG_DONTWAIT,
		(struct sockaddr *)&probe->target, sizeof(probe->target));
}

static void hear_udp(struct instrument *probe)
{
	struct {
		uint32_t number;
		char name[NAME_SIZE - 1];
	} __attribute__((packed)) answer = {0};
	struct sockaddr_in6 source;
	socklen_t length = sizeof(source);
	ssize_t size = recvfrom(probe->socket, &answer, sizeof(answer), MSG_DONTWAIT,
		(struct sockaddr *)&source, &length);

	if (size <= (ssize_t)sizeof(answer.number) || answer.number >= probe->count ||
		memcmp(&source.sin6_addr, &probe->target.sin6_addr, sizeof(source.sin6_addr)) != 0)
		return;
	probe->records[answer.number].answered = now_ns();
	memcpy(probe->records[answer.number].name, answer.name,
		(size_t)size - sizeof(answer.number));
}

static void open_udp(struct instrument *probe, const char *address, const char *port)
{
	probe->target = parse_target(address, port);
	probe->socket = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (probe->socket < 0)
		fail("socket of the client");
	take_room(probe->socket);
	probe->ask = ask_udp;
	probe->hear = hear_udp;
}

/* --- connect */

static void forget_connection(struct instrument *probe, struct record *r)
{
	(void)close(r->connection);
	r->connection = 0;
	probe->open--;
}

static void refuse(struct instrument *probe, struct record *r)
{
	r->answered = 0;
	strcpy(r->name, "refused");
	forget_connection(probe, r);
}

static void ask_tcp(struct instrument *probe)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u64 = probe->count};
	struct record *r = &probe->records[probe->count];
	int fd;

	if (probe->count == RECORDS_MAX)
		return;
	probe->count++;
	r->sent = now_ns();
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail("socket of the client");
	r->connection = fd;
	probe->open++;
	if ((connect(fd, (struct sockaddr *)&probe->target, sizeof(probe->target)) != 0 &&
		    errno != EINPROGRESS) ||
		epoll_ctl(probe->socket, EPOLL_CTL_ADD, fd, &event) != 0)
		refuse(probe, r);
}

static void put_request(struct instrument *probe, struct record *r, uint64_t number)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};

	if (send(r->connection, &number, sizeof(number), MSG_NOSIGNAL) < 0 ||
		epoll_ctl(probe->socket, EPOLL_CTL_MOD, r->connection, &event) != 0)
		refuse(probe, r);
}

/* The answer, and then the end of the connection. */
static void take_answer(struct instrument *probe, struct record *r)
{
	char bytes[NAME_SIZE - 1];
	ssize_t size;

	while ((size = recv(r->connection, bytes, sizeof(bytes), 0)) > 0) {
		r->answered = now_ns();
		memcpy(r->name, bytes, (size_t)size);
	}
	if (size < 0 && errno == EAGAIN)
		return;
	if (size < 0 || r->answered == 0)
		refuse(probe, r);
	else
		forget_connection(probe, r);
}

static void hear_tcp(struct instrument *probe)
{
	struct epoll_event ready[64];
	int count = epoll_wait(probe->socket, ready, 64, 0);

	for (int i = 0; i < count; i++) {
		struct record *r = &probe->records[ready[i].data.u64];

		if ((ready[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
			take_answer(probe, r);
		else
			put_request(probe, r, ready[i].data.u64);
	}
}

static void open_tcp(struct instrument *probe, const char *address, const char *port)
{
	probe->target = parse_target(address, port);
	probe->socket = epoll_create1(EPOLL_CLOEXEC);
	if (probe->socket < 0)
		fail("connections of the client");
	probe->ask = ask_tcp;
	probe->hear = hear_tcp;
}

/* --- arp */

static void ask_arp(struct instrument *probe)
{
	(void)sendto(probe->socket, &probe->question, sizeof(probe->question), MSG_DONTWAIT,
		(struct sockaddr *)&probe->everybody, sizeof(probe->everybody));
}

static void hear_arp(struct instrument *probe)
{
	struct ether_arp answer;
	ssize_t size = recv(probe->socket, &answer, sizeof(answer), MSG_DONTWAIT);
	struct record *record = &probe->records[probe->count];

	if (size != sizeof(answer) || ntohs(answer.ea_hdr.ar_op) != ARPOP_REPLY ||
		memcmp(answer.arp_spa, probe->question.arp_tpa, sizeof(answer.arp_spa)) != 0 ||
		memcmp(answer.arp_tha, probe->question.arp_sha, sizeof(answer.arp_tha)) != 0 ||
		probe->count == RECORDS_MAX)
		return;
	record->answered = now_ns();
	memcpy(record->mac, answer.arp_sha, sizeof(record->mac));
	probe->count++;
}

static void fill_question(struct ether_arp *question, const char *device, struct in_addr address)
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strncpy(request.ifr_name, device, IFNAMSIZ - 1);
	question->ea_hdr = (struct arphdr){.ar_hrd = htons(ARPHRD_ETHER),
		.ar_pro = htons(ETHERTYPE_IP),
		.ar_hln = ETH_ALEN,
		.ar_pln = sizeof(address),
		.ar_op = htons(ARPOP_REQUEST)};
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) != 0)
		fail(device);
	memcpy(question->arp_sha, request.ifr_hwaddr.sa_data, ETH_ALEN);
	if (ioctl(fd, SIOCGIFADDR, &request) != 0)
		fail(device);
	memcpy(question->arp_spa, request.ifr_addr.sa_data + 2, sizeof(question->arp_spa));
	memcpy(question->arp_tpa, &address, sizeof(question->arp_tpa));
	close(fd);
}

static void open_arp(struct instrument *probe, const char *device, const char *address)
{
	struct sockaddr_ll *everybody = &probe->everybody;

	*everybody = (struct sockaddr_ll){.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = (int)if_nametoindex(device),
		.sll_halen = ETH_ALEN,
		.sll_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	fill_question(&probe->question, device, parse_v4(address));
	probe->socket = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ARP));
	if (probe->socket < 0 ||
		bind(probe->socket, (struct sockaddr *)everybody, sizeof(*everybody)) != 0)
		fail("socket for ARP");
	probe->ask = ask_arp;
	probe->hear = hear_arp;
}

/* --- both */

static int open_timer(int64_t every_ns)
{
	struct timespec every = {.tv_sec = every_ns / NS_PER_S, .tv_nsec = every_ns % NS_PER_S};
	struct itimerspec both = {.it_interval = every, .it_value = every};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0 || timerfd_settime(fd, 0, &both, NULL) != 0)
		fail("timer");
	return fd;
}

static int open_stop_signal(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		fail("signalfd");
	return fd;
}

/* Asks at the rate until SIGTERM; the answers to the last questions may then still come. */
static void run(struct instrument *probe, int64_t every_ns)
{
	struct pollfd wait[3] = {{.fd = probe->socket, .events = POLLIN},
		{.fd = open_timer(every_ns), .events = POLLIN},
		{.fd = open_stop_signal(), .events = POLLIN}};
	uint64_t expired;
	int64_t end;

	puts("ready");
	fflush(stdout);
	while (!(wait[2].revents & POLLIN)) {
		if (poll(wait, 3, -1) < 0)
			fail("poll");
		if (wait[0].revents)
			probe->hear(probe);
		/* Questions that this process came too late for are asked at once: none is left
		 * out. */
		if ((wait[1].revents & POLLIN) && read(wait[1].fd, &expired, sizeof(expired)) > 0)
			while (expired-- > 0)
				probe->ask(probe);
	}
	end = now_ns();
	while (now_ns() < end + LATE_MS * NS_PER_MS ||
		(probe->open > 0 && now_ns() < end + TCP_LATE_MS * NS_PER_MS))
		if (poll(wait, 1, LATE_MS) > 0)
			probe->hear(probe);
}

static void print_requests(const struct instrument *probe)
{
	for (size_t i = 0; i < probe->count; i++) {
		const struct record *r = &probe->records[i];

		printf("%lld %lld %s\n", (long long)r->sent, (long long)r->answered,
			r->name[0] != '\0' ? r->name : "-");
	}
}

static void print_owners(const struct instrument *probe)
{
	for (size_t i = 0; i < probe->count; i++) {
		const uint8_t *m = probe->records[i].mac;

		printf("%lld %02x:%02x:%02x:%02x:%02x:%02x\n",
			(long long)probe->records[i].answered, m[0], m[1], m[2], m[3], m[4], m[5]);
	}
}

int main(int argc, char **argv)
{
	struct instrument probe = {.records = calloc(RECORDS_MAX, sizeof(struct record))};
	const char *what = argc > 1 ? argv[1] : "";
	long rate;

	if (!probe.records)
		fail("memory");
	if (argc == 4 && strcmp(what, "serve") == 0) {
		take_priority();
		serve(argv[2], argv[3]);
	} else if (argc == 5 && strcmp(what, "ask") == 0 &&
		   (rate = strtol(argv[4], NULL, 10)) > 0) {
		take_priority();
		open_udp(&probe, argv[2], argv[3]);
		run(&probe, NS_PER_S / rate);
		print_requests(&probe);
	} else if (argc == 5 && strcmp(what, "connect") == 0 &&
		   (rate = strtol(argv[4], NULL, 10)) > 0) {
		take_priority();
		open_tcp(&probe, argv[2], argv[3]);
		run(&probe, NS_PER_S / rate);
		print_requests(&probe);
	} else if (argc == 4 && strcmp(what, "arp") == 0) {
		take_priority();
		open_arp(&probe, argv[2], argv[3]);
		run(&probe, NS_PER_S / 1000);
		print_owners(&probe);
	} else {
		fputs("Usage: probe serve PORT NAME | ask ADDRESS PORT RATE | connect ADDRESS PORT "
		      "RATE | arp DEVICE ADDRESS\n",
			stderr);
		return 2;
	}
	free(probe.records);
	return 0;
}
