/* SPDX-License-Identifier: ISC */
/*
 * load: what bench/calm troubles a machine with. It ends by itself after SECONDS, or with its
 * parent, and leaves nothing behind.
 *
 *   load processor SECONDS                   one busy loop
 *   load memory SECONDS FOLDER MB            reads and writes so much, half of it a file
 *   load forks SECONDS COUNT                 starts so many programs at once, again and again
 *   load disk SECONDS FOLDER MB              writes a file so large and waits for the disk
 *   load packets SECONDS ADDRESS PORT RATE   so many UDP packets of 64 bytes a second
 *   load sink SECONDS PORT                   takes what comes, and drops it
 *   load timer SECONDS PRIORITY CORE         no load: wakes up every 5 ms; 0: not real-time
 *
 * Prints how often it did that: loops, sweeps, programs, megabytes, packets;
 * the last one by how many microseconds it woke up late at most.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH    128
#define MEGABYTE (INT64_C(1) << 20)
#define NS_PER_S INT64_C(1000000000)
#define TICK_NS  INT64_C(1000000)
#define TIMER_NS (5 * TICK_NS)

static int64_t end_ns;

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int is_over(void)
{
	return now_ns() >= end_ns;
}

static _Noreturn void fail(const char *what)
{
	perror(what);
	_exit(1);
}

/* A file without a name: it goes with this process. */
static int open_file(const char *folder)
{
	int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (file < 0)
		fail(folder);
	return file;
}

static long processor(void)
{
	volatile long loops = 0;

	while (!is_over())
		for (int i = 0; i < 100000; i++)
			loops = loops + 1;
	return loops;
}

static void touch(volatile char *memory, int64_t size)
{
	for (int64_t i = 0; i < size && !is_over(); i += 4096)
		memory[i]++;
}

static long memory(const char *folder, int64_t megabytes)
{
	int64_t half = megabytes * MEGABYTE / 2;
	int file = open_file(folder);
	char *anonymous, *mapped;
	long sweeps = 0;

	if (ftruncate(file, half) < 0)
		fail("ftruncate");
	anonymous = mmap(
		NULL, (size_t)half / 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mapped = mmap(NULL, (size_t)half, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (anonymous == MAP_FAILED || mapped == MAP_FAILED)
		fail("mmap");
	for (; !is_over(); sweeps++) {
		touch(anonymous, half / 2);
		touch(mapped, half);
	}
	return sweeps;
}

static long forks(long count)
{
	char *const words[] = {"true", NULL}, *const none[] = {NULL};
	long started = 0;

	while (!is_over()) {
		for (long i = 0; i < count; i++) {
			pid_t child = fork();

			if (child == 0) {
				(void)execve("/bin/true", words, none);
				_exit(1);
			}
			started += child > 0;
		}
		while (wait(NULL) > 0) {
		}
	}
	return started;
}

static long disk(const char *folder, int64_t megabytes)
{
	static char block[MEGABYTE];
	int file = open_file(folder);
	long written = 0;

	memset(block, 'x', sizeof(block));
	while (!is_over()) {
		if (pwrite(file, block, sizeof(block), written % megabytes * MEGABYTE) < 0)
			fail("pwrite");
		if (++written % 8 == 0 && fdatasync(file) < 0)
			fail("fdatasync");
	}
	return written;
}

static struct sockaddr_in place(const char *address, const char *port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};

	(void)inet_pton(AF_INET, address, &a.sin_addr);
	return a;
}

static int send_batch(int s, struct mmsghdr *list, int64_t owed)
{
	int sent = sendmmsg(s, list, owed < BATCH ? (unsigned)owed : BATCH, 0);

	if (sent <= 0 && errno != ECONNREFUSED) /* an answer to an earlier one */
		fail("sendmmsg");
	return sent > 0 ? sent : 0;
}

/* What is owed is sent once a millisecond; what could not be sent in time is not made up for. */
static long packets(const char *address, const char *port, int64_t rate)
{
	struct sockaddr_in to = place(address, port);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char bytes[64] = {0};
	struct iovec part = {bytes, sizeof(bytes)};
	struct mmsghdr list[BATCH];
	int64_t due = now_ns();
	long sent = 0;

	memset(list, 0, sizeof(list));
	for (size_t i = 0; i < BATCH; i++)
		list[i].msg_hdr = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
	if (connect(s, (struct sockaddr *)&to, sizeof(to)) < 0)
		fail(address);
	while (!is_over()) {
		int64_t late = now_ns() - due,
			owed = rate * (late < NS_PER_S ? late : TICK_NS) / NS_PER_S;
		struct timespec tick = {0, TICK_NS};

		due += late;
		while (owed > 0) {
			int n = send_batch(s, list, owed);

			owed -= n;
			sent += n;
		}
		(void)nanosleep(&tick, NULL);
	}
	return sent;
}

static long sink(const char *port)
{
	struct sockaddr_in any = place("0.0.0.0", port);
	struct timeval patience = {.tv_usec = 100000};
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char bytes[64];
	long taken = 0;

	(void)setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (bind(s, (struct sockaddr *)&any, sizeof(any)) < 0)
		fail("bind");
	while (!is_over())
		taken += recv(s, bytes, sizeof(bytes), 0) > 0;
	return taken;
}

/* What any program meets here that does nothing else. */
static long timer(int priority, int core)
{
	const struct sched_param parameters = {.sched_priority = priority};
	int64_t due = now_ns(), latest = 0;
	cpu_set_t cores;

	CPU_ZERO(&cores);
	CPU_SET(core, &cores);
	if (sched_setaffinity(0, sizeof(cores), &cores) < 0 || mlockall(MCL_CURRENT) < 0 ||
		(priority > 0 && sched_setscheduler(0, SCHED_FIFO, &parameters) < 0))
		fail("timer");
	while (!is_over()) {
		struct timespec at;
		int64_t late;

		due += TIMER_NS;
		at = (struct timespec){due / NS_PER_S, due % NS_PER_S};
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		late = now_ns() - due;
		latest = late > latest ? late : latest;
		due += late / TIMER_NS * TIMER_NS;
	}
	return latest / 1000;
}

static long run(int count, char **words)
{
	if (count == 3 && strcmp(words[1], "processor") == 0)
		return processor();
	if (count == 5 && strcmp(words[1], "memory") == 0)
		return memory(words[3], strtol(words[4], NULL, 10));
	if (count == 4 && strcmp(words[1], "forks") == 0)
		return forks(strtol(words[3], NULL, 10));
	if (count == 5 && strcmp(words[1], "disk") == 0)
		return disk(words[3], strtol(words[4], NULL, 10));
	if (count == 6 && strcmp(words[1], "packets") == 0)
		return packets(words[3], words[4], strtol(words[5], NULL, 10));
	if (count == 4 && strcmp(words[1], "sink") == 0)
		return sink(words[3]);
	if (count == 5 && strcmp(words[1], "timer") == 0)
		return timer(atoi(words[3]), atoi(words[4]));
	return -1;
}

int main(int count, char **words)
{
	double seconds = count > 2 ? strtod(words[2], NULL) : 0;
	long done;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Whatever hangs. */
	(void)alarm((unsigned)seconds + 30);
	end_ns = now_ns() + (int64_t)(seconds * (double)NS_PER_S);
	done = run(count, words);
	if (done < 0)
		return 2;
	(void)printf("%ld\n", done);
	return 0;
}
