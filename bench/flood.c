/* SPDX-License-Identifier: ISC */
/*
 * flood: how long one UDP packet takes from the sender through a pair of virtual devices into the
 * receiver's socket, all of it on the processor of the sender: what runs in between, a fence too,
 * is part of it. Prints nanoseconds of processor time, so that other processes do not count.
 *
 *   flood sink PORT              takes what comes to any address, and drops it
 *   flood send ADDRESS PORT N    N packets of 64 bytes
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static struct sockaddr_in place(const char *address, const char *port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};

	(void)inet_pton(AF_INET, address, &a.sin_addr);
	return a;
}

/* A full buffer: the kernel drops the packet where it would queue it. */
static int sink(const char *port)
{
	struct sockaddr_in any = place("0.0.0.0", port);
	int s = socket(AF_INET, SOCK_DGRAM, 0), least = 1;

	(void)setsockopt(s, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
	if (bind(s, (struct sockaddr *)&any, sizeof(any)) < 0)
		return 1;
	(void)puts("ready");
	(void)fflush(stdout);
	return pause();
}

static int flood(const char *address, const char *port, long count)
{
	struct sockaddr_in to = place(address, port);
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	char bytes[64] = {0};
	struct iovec part = {bytes, sizeof(bytes)};
	struct mmsghdr list[BATCH];
	int64_t begun;
	long sent = 0;

	memset(list, 0, sizeof(list));
	for (size_t i = 0; i < BATCH; i++)
		list[i].msg_hdr = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
	if (connect(s, (struct sockaddr *)&to, sizeof(to)) < 0)
		return 1;
	begun = now_ns();
	while (sent < count) {
		int n = sendmmsg(s, list, BATCH, 0);

		if (n <= 0)
			return 1;
		sent += n;
	}
	(void)printf("%.1f\n", (double)(now_ns() - begun) / (double)sent);
	return 0;
}

int main(int count, char **words)
{
	if (count == 3 && strcmp(words[1], "sink") == 0)
		return sink(words[2]);
	if (count == 5 && strcmp(words[1], "send") == 0)
		return flood(words[2], words[3], strtol(words[4], NULL, 10));
	return 2;
}
