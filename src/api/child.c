/* SPDX-License-Identifier: ISC */
#include "api/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "sys/descriptors.h"
#include "wire/handoff.h"

#define KEEPER_PROGRAM      HA_LIBEXEC_DIR "/ha-keeper"
#define DEFAULT_RUNTIME_DIR "/run/ha"
#define NUMBER_SIZE         16

/* Descriptors of the child: behind the standard ones, in this order. */
enum { CHILD_CONFIGURATION = 3, CHILD_CHANNEL = 4, CHILD_BEYOND = 5 };

/* What the program has done to its signals must not reach the keeper; and Ctrl-C in a terminal is
 * for the program, which then stops it. */
static int set_attributes(posix_spawnattr_t *a)
{
	sigset_t all, none;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	(void)posix_spawnattr_setpgroup(a, 0);
	(void)posix_spawnattr_setsigdefault(a, &all);
	(void)posix_spawnattr_setsigmask(a, &none);
	return -posix_spawnattr_setflags(
		a, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

/* First out of the way, so that none is overwritten before it was moved. */
static int set_descriptors(posix_spawn_file_actions_t *a, const int aside[3])
{
	int r = posix_spawn_file_actions_addopen(a, STDIN_FILENO, "/dev/null", O_RDWR, 0);

	if (r == 0)
		r = posix_spawn_file_actions_adddup2(a, STDIN_FILENO, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(a, aside[2], STDERR_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(a, aside[0], CHILD_CONFIGURATION);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(a, aside[1], CHILD_CHANNEL);
	return -r;
}

static int spawn(const struct child_start *start, const int given[3], pid_t *ret_pid)
{
	const char *program = start->program ? start->program : KEEPER_PROGRAM;
	const char *folder = start->runtime_dir ? start->runtime_dir : DEFAULT_RUNTIME_DIR;
	char configuration[NUMBER_SIZE], channel[NUMBER_SIZE];
	char *const arguments[] = {(char *)"ha-keeper", (char *)"--configuration", configuration,
		(char *)"--runtime-dir", (char *)folder, (char *)"--engine-fd", channel, NULL};
	/* Not the program's: NOTIFY_SOCKET, for one, is not the keeper's. */
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const environment[] = {path, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int aside[3] = {-1, -1, -1};
	int r = 0;

	(void)snprintf(configuration, sizeof(configuration), "%d", CHILD_CONFIGURATION);
	(void)snprintf(channel, sizeof(channel), "%d", CHILD_CHANNEL);
	for (int i = 0; i < 3 && r == 0; i++) {
		aside[i] = fcntl(given[i], F_DUPFD_CLOEXEC, CHILD_BEYOND);
		r = aside[i] < 0 ? -errno : 0;
	}
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawnattr_init(&attributes);
	if (r == 0)
		r = set_descriptors(&actions, aside);
	if (r == 0)
		r = set_attributes(&attributes);
	if (r == 0)
		r = -posix_spawn(ret_pid, program, &actions, &attributes, arguments, environment);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	descriptors_close(aside, 3);
	return r;
}

int child_start(const struct child_start *start, struct child *ret_child)
{
	struct child c = {.pid = -1, .process = -1, .channel = -1, .talk = -1};
	int ends[2] = {-1, -1}, talk[2] = {-1, -1};
	int r = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ||
		pipe2(talk, O_CLOEXEC | O_NONBLOCK) < 0)
		r = -errno;
	if (r == 0)
		r = spawn(start, (const int[]){start->configuration, ends[1], talk[1]}, &c.pid);
	if (r == 0)
		c.process = pidfd_open(c.pid, 0); /* -1: then it is gone already */
	c.channel = ends[0];
	c.talk = talk[0];
	descriptors_close((const int[]){ends[1], talk[1]}, 2);
	if (r < 0) {
		descriptors_close((const int[]){c.channel, c.talk}, 2);
		return r;
	}
	*ret_child = c;
	return 0;
}

/* Its last words, when it ends before it has greeted. */
static void keep_talk(struct child *c)
{
	ssize_t got = read(c->talk, c->talk_bytes, sizeof(c->talk_bytes) - 1);

	c->talk_size = got > 0 ? (size_t)got : 0;
	while (c->talk_size > 0 && c->talk_bytes[c->talk_size - 1] == '\n')
		c->talk_size--;
	c->talk_bytes[c->talk_size] = '\0';
}

static int await_word(struct child *c, int patience_ms, int32_t expected, int ret[DESCRIPTORS_MAX])
{
	struct pollfd answer = {.fd = c->channel, .events = POLLIN};
	int32_t word;
	int r = poll(&answer, 1, patience_ms);

	if (r < 0)
		return -errno;
	if (r == 0)
		return -ETIMEDOUT;
	r = descriptors_receive(c->channel, &word, ret);
	if (r == 0 && word != expected) {
		descriptors_close(ret, DESCRIPTORS_MAX);
		r = -EPROTO;
	}
	return r;
}

int child_await(struct child *c, int patience_ms, struct child_greeting *ret_greeting)
{
	int first[DESCRIPTORS_MAX], second[DESCRIPTORS_MAX];
	int r = await_word(c, patience_ms, GREETING_LEASE_AND_KEY, first);

	if (r == 0) {
		r = await_word(c, patience_ms, GREETING_CONFIGURATION, second);
		if (r < 0)
			descriptors_close(first, DESCRIPTORS_MAX);
	}
	if (r < 0) {
		keep_talk(c);
		return r == -ETIMEDOUT ? r : -EPIPE;
	}
	*ret_greeting = (struct child_greeting){
		.lease = first[0], .key = first[1], .configuration = second[0]};
	return 0;
}

bool child_lines(struct child *c, void (*line)(void *context, const char *text), void *context)
{
	for (;;) {
		size_t room = sizeof(c->talk_bytes) - c->talk_size;
		ssize_t got = read(c->talk, c->talk_bytes + c->talk_size, room);
		char *end;

		if (got <= 0)
			return got < 0 && (errno == EAGAIN || errno == EINTR);
		c->talk_size += (size_t)got;
		while ((end = memchr(c->talk_bytes, '\n', c->talk_size))) {
			size_t length = (size_t)(end - c->talk_bytes) + 1;

			*end = '\0';
			line(context, c->talk_bytes);
			c->talk_size -= length;
			memmove(c->talk_bytes, c->talk_bytes + length, c->talk_size);
		}
		if (c->talk_size == sizeof(c->talk_bytes))
			c->talk_size = 0; /* no line of ours is so long */
	}
}

/* A program that reaps whatever child ends has perhaps reaped this one. */
void child_finish(struct child *c, int patience_ms)
{
	struct pollfd ended = {.fd = c->process, .events = POLLIN};

	descriptors_close(&c->channel, 1);
	if (c->process >= 0 && poll(&ended, 1, patience_ms) >= 0)
		(void)waitid(P_PIDFD, (id_t)c->process, &(siginfo_t){0}, WEXITED | WNOHANG);
	else if (c->process < 0)
		(void)waitpid(c->pid, NULL, WNOHANG);
	descriptors_close((const int[]){c->process, c->talk}, 2);
	*c = (struct child){.pid = -1, .process = -1, .channel = -1, .talk = -1};
}
