/* SPDX-License-Identifier: ISC */
#include "cli/demo/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/time.h"
#include "sys/clock.h"

#define ECHO_PORT   7 /* RFC 862 */
#define CLIENT_PORT 40007
#define BURST_MAX   64 /* datagrams taken from one socket before the next one has its turn */

struct datagram {
	uint32_t sequence;
	int8_t server;
};

struct traffic {
	const struct command *command;
	int server[SERVERS][FAMILIES];
	int client[FAMILIES];
	struct probe_log *log;
};

static const char *const SHARED[FAMILIES] = {CAST_SHARED_V4, CAST_SHARED_V6};

static int open_sockets(struct traffic *t, const struct lan *lan)
{
	static const char *const ANY[FAMILIES] = {"0.0.0.0", "::"};
	int r = 0;

	for (int family = 0; family < FAMILIES && r >= 0; family++) {
		r = t->client[family] = lan_socket(lan, CLIENT, ANY[family], CLIENT_PORT);
		for (int i = 0; i < SERVERS && r >= 0; i++)
			r = t->server[i][family] = lan_socket(lan, i, SHARED[family], ECHO_PORT);
	}
	if (r >= 0)
		return EXIT_DONE;
	return command_failed(
		t->command, "cannot open the sockets of client and servers: %s", strerror(-r));
}

/* Answers what waits on @descriptor in the name of @server. */
static void answer(int descriptor, int server)
{
	for (int i = 0; i < BURST_MAX; i++) {
		struct sockaddr_storage from;
		socklen_t size = sizeof(from);
		struct datagram d;

		if (recvfrom(descriptor, &d, sizeof(d), 0, (struct sockaddr *)&from, &size) !=
			sizeof(d))
			return;
		d.server = (int8_t)server;
		(void)sendto(descriptor, &d, sizeof(d), 0, (const struct sockaddr *)&from, size);
	}
}

static void serve(const struct traffic *t)
{
	struct pollfd ready[SERVERS * FAMILIES];

	for (int i = 0; i < SERVERS * FAMILIES; i++)
		ready[i] = (struct pollfd){
			.fd = t->server[i / FAMILIES][i % FAMILIES], .events = POLLIN};
	while (poll(ready, SERVERS * FAMILIES, -1) >= 0 || errno == EINTR) {
		for (int i = 0; i < SERVERS * FAMILIES; i++) {
			if (ready[i].revents)
				answer(ready[i].fd, i / FAMILIES);
		}
	}
}

static socklen_t destination(int family, struct sockaddr_storage *ret_address)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(ECHO_PORT)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(ECHO_PORT)};

	if (family == IPV4) {
		(void)inet_pton(AF_INET, SHARED[family], &v4.sin_addr);
		memcpy(ret_address, &v4, sizeof(v4));
		return sizeof(v4);
	}
	(void)inet_pton(AF_INET6, SHARED[family], &v6.sin6_addr);
	memcpy(ret_address, &v6, sizeof(v6));
	return sizeof(v6);
}

static void ask(const struct traffic *t, int family)
{
	const uint32_t sequence = t->log->count[family];
	const struct datagram d = {.sequence = sequence, .server = NOBODY};
	struct sockaddr_storage to;
	socklen_t size = destination(family, &to);
	struct request *r;

	if (sequence == PROBE_REQUESTS_MAX)
		return;
	r = &t->log->requests[family][sequence];
	r->server = NOBODY;
	r->sent_ns = clock_now().ns;
	__atomic_store_n(&t->log->count[family], sequence + 1, __ATOMIC_RELEASE);
	/* One that cannot be sent, because nobody answers for the address, is one that is lost. */
	(void)sendto(t->client[family], &d, sizeof(d), 0, (const struct sockaddr *)&to, size);
}

static void take_answers(const struct traffic *t, int family)
{
	struct datagram d;

	while (recv(t->client[family], &d, sizeof(d), 0) == sizeof(d)) {
		struct request *r = &t->log->requests[family][d.sequence];

		if (d.sequence < t->log->count[family] &&
			clock_now().ns - r->sent_ns <= PROBE_PATIENCE_NS)
			__atomic_store_n(&r->server, d.server, __ATOMIC_RELEASE);
	}
}

static void request(const struct traffic *t)
{
	const struct itimerspec every = {
		.it_interval.tv_nsec = PROBE_INTERVAL_NS, .it_value.tv_nsec = PROBE_INTERVAL_NS};
	struct pollfd ready[FAMILIES + 1];
	uint64_t expired;

	for (int i = 0; i < FAMILIES; i++)
		ready[i] = (struct pollfd){.fd = t->client[i], .events = POLLIN};
	ready[FAMILIES] = (struct pollfd){
		.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), .events = POLLIN};
	(void)timerfd_settime(ready[FAMILIES].fd, 0, &every, NULL);
	while (poll(ready, FAMILIES + 1, -1) >= 0 || errno == EINTR) {
		for (int i = 0; i < FAMILIES; i++)
			take_answers(t, i);
		if (!(ready[FAMILIES].revents & POLLIN))
			continue;
		(void)!read(ready[FAMILIES].fd, &expired, sizeof(expired));
		for (int i = 0; i < FAMILIES; i++)
			ask(t, i);
	}
}

/* Runs @work for ever in a process that ends with this one. It runs before other processes where
 * that is allowed: what is measured is the servers, not how busy this machine is. */
static int start(const struct traffic *t, void (*work)(const struct traffic *t))
{
	const struct sched_param first = {.sched_priority = 1};
	const pid_t parent = getpid();
	pid_t child = fork();

	if (child < 0)
		return command_failed(t->command, "cannot fork: %s", strerror(errno));
	if (child > 0)
		return EXIT_DONE;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGINT, SIG_IGN);
	(void)sched_setscheduler(0, SCHED_FIFO, &first);
	if (getppid() == parent)
		work(t);
	_exit(EXIT_FAILED);
}

int probe_start(const struct command *command, const struct lan *lan, struct probe_log **ret_log)
{
	struct traffic t = {.command = command};
	int status = open_sockets(&t, lan);

	if (status != EXIT_DONE)
		return status;
	t.log = mmap(
		NULL, sizeof(*t.log), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t.log == MAP_FAILED)
		return command_failed(command, "out of memory");
	status = start(&t, serve);
	if (status == EXIT_DONE)
		status = start(&t, request);
	*ret_log = t.log;
	return status;
}

struct requests probe_requests(const struct probe_log *log, int family)
{
	return (struct requests){.first = log->requests[family],
		.count = __atomic_load_n(&log->count[family], __ATOMIC_ACQUIRE)};
}
