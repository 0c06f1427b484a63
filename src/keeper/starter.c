/* SPDX-License-Identifier: ISC */
#include "keeper/starter.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keeper/checker_process.h"
#include "keeper/engine_program.h"
#include "keeper/memory.h"
#include "sys/descriptors.h"
#include "sys/log.h"
#include "sys/syscalls.h"

#define PROCESS_NAME "ha-starter"
#define PATIENCE_MS  2000

/* Words of the keeper. The answer to a start is 0 with a pidfd, or -errno. */
enum word { WORD_START = 1, WORD_KILL, WORD_CHECK };

/* What the starter itself has. */
struct nest {
	int socket;
	int configuration, key, control, state, record; /* for every engine */
	const char *runtime_dir;
	struct account account;
	struct engine_program program;
	int engine; /* pidfd of the last one; -1: none */
	struct checker_process checker;
};

/* fork(), but the child is the keeper's. It shares nothing with us, as only clone(2) can say. */
static pid_t fork_for_keeper(int *ret_process)
{
	return (pid_t)syscall(
		SYS_clone, CLONE_PARENT | CLONE_PIDFD | SIGCHLD, NULL, ret_process, NULL, NULL);
}

static int start(struct nest *n, const int given[DESCRIPTORS_MAX])
{
	int checker = checker_process_start(&n->checker);
	const int handoff[HANDOFF_COUNT] = {
		[HANDOFF_CHANNEL - HANDOFF_FIRST] = given[0],
		[HANDOFF_CONFIGURATION - HANDOFF_FIRST] = n->configuration,
		[HANDOFF_KEY - HANDOFF_FIRST] = n->key,
		[HANDOFF_LEASE - HANDOFF_FIRST] = given[1],
		[HANDOFF_CONTROL - HANDOFF_FIRST] = n->control,
		[HANDOFF_STATE - HANDOFF_FIRST] = n->state,
		[HANDOFF_CHECKER - HANDOFF_FIRST] = checker,
		[HANDOFF_RECORD - HANDOFF_FIRST] = n->record,
	};
	int process = -1;
	pid_t pid = fork_for_keeper(&process);

	if (pid == 0) {
		engine_program_become(
			&n->program, handoff, HANDOFF_COUNT, n->runtime_dir, &n->account);
		_exit(ENGINE_CANNOT_EXECUTE);
	}
	/* The engine's alone: its checker waits for its end. */
	descriptors_close(&checker, 1);
	if (pid < 0)
		return -errno;
	descriptors_close(&n->engine, 1);
	n->engine = process;
	return 0;
}

/* Whoever reads the text of a file for the first time has no privileges. */
_Noreturn static void check_text(const struct nest *n, int text)
{
	struct configuration c = {0};
	enum configuration_result result = CONFIGURATION_REFUSED;

	(void)setpgid(0, 0);
	if (privileges_drop_all(&n->account) == 0)
		result = configuration_read(text, false, &c);
	_exit(result == CONFIGURATION_GOOD ? EXIT_SUCCESS : EXIT_FAILURE);
}

static int check(const struct nest *n, int text, int *ret_process)
{
	pid_t pid = fork_for_keeper(ret_process);

	if (pid == 0)
		check_text(n, text);
	return pid < 0 ? -errno : 0;
}

/* Sees to the checker meanwhile. */
static bool wait_for_word(struct nest *n)
{
	for (;;) {
		struct pollfd ready[] = {{.fd = n->socket, .events = POLLIN},
			{.fd = n->checker.process, .events = POLLIN}};
		int count = poll(ready, 2, checker_process_wait_ms(&n->checker));

		if (count < 0 && errno != EINTR)
			return false;
		if (count > 0 && ready[0].revents != 0)
			return true;
		checker_process_review(&n->checker);
	}
}

static void serve(struct nest *n)
{
	int given[DESCRIPTORS_MAX];
	int32_t word;

	while (wait_for_word(n) && descriptors_receive(n->socket, &word, given) == 0) {
		int process = -1;
		int r = word == WORD_START   ? start(n, given)
			: word == WORD_CHECK ? check(n, given[0], &process)
					     : 0;

		/* They are the engine's alone: the keeper waits for the end of the channel. */
		descriptors_close(given, DESCRIPTORS_MAX);
		if (word == WORD_START)
			(void)descriptors_send(n->socket, r, &n->engine, r == 0 ? 1 : 0);
		else if (word == WORD_CHECK)
			(void)descriptors_send(n->socket, r, &process, r == 0 ? 1 : 0);
		else if (word == WORD_KILL && n->engine >= 0)
			(void)pidfd_send_signal(n->engine, SIGKILL, NULL, 0);
		descriptors_close(&process, 1);
	}
}

/* Signals are the keeper's business; the end of its socket tells of the keeper's end. */
_Noreturn static void be_starter(struct nest *n)
{
	int own[] = {n->socket, n->configuration, n->key, n->control, n->state, n->record,
		n->program.descriptor, n->checker.program.descriptor};
	int r;

	/* The keeper's lock, for one, must end with the keeper. */
	descriptors_keep_only(own, sizeof(own) / sizeof(own[0]));
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_NAME, PROCESS_NAME);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	r = privileges_keep_starting();
	if (r < 0) {
		log_error("cannot give up the starter's privileges: %s", strerror(-r));
		_exit(EXIT_SUCCESS);
	}
	/* Engines inherit it, and their hooks: it is for all of them. */
	r = syscalls_forbid_harmful();
	if (r < 0 && r != -ENOSYS)
		log_notice("the starter's system calls are not restricted: %s", strerror(-r));
	serve(n);
	_exit(EXIT_SUCCESS);
}

static int fork_starter(struct nest *n, int *ret_socket)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		(void)close(ends[0]);
		n->socket = ends[1];
		be_starter(n);
	}
	(void)close(ends[1]);
	*ret_socket = ends[0];
	return pid < 0 ? -errno : 0;
}

static bool wants_checker(const struct conf *conf)
{
	for (size_t i = 0; i < conf->check_count; i++)
		if (conf_check_is_carried_out_apart(conf->checks[i].kind))
			return true;
	return false;
}

bool starter_open(const struct configuration *configuration, const struct key_bytes *keys,
	const struct runtime_dir *dir, const struct account *account, int control, int state,
	int record, struct starter *ret_starter)
{
	struct nest n = {
		.configuration = memory_sealed("ha-configuration", configuration->text,
			configuration->size, configuration->size, false),
		.key = memory_sealed("ha-key", keys->bytes, keys->size, keys->size, false),
		.control = control,
		.state = state,
		.record = record,
		.runtime_dir = dir->path,
		.account = *account,
		.engine = -1,
	};
	int r = n.configuration < 0 ? n.configuration : n.key < 0 ? n.key : 0;

	engine_program_find("had", &n.program);
	n.checker = (struct checker_process){.wanted = wants_checker(configuration->conf),
		.configuration = n.configuration,
		.runtime_dir = dir->path,
		.account = *account,
		.socket = -1,
		.process = -1,
		.start_ns = INT64_MAX};
	n.checker.account.realtime = false; /* what is slow here may be slow */
	engine_program_find("ha-checker", &n.checker.program);
	if (r == 0)
		r = fork_starter(&n, &ret_starter->socket);
	/* They are the starter's alone now, above all the key. */
	descriptors_close((const int[]){n.configuration, n.key, n.control, n.state,
				  n.program.descriptor, n.checker.program.descriptor},
		6);
	if (r < 0)
		log_error("cannot start the engine's starter: %s", strerror(-r));
	return r == 0;
}

static int order(const struct starter *s, enum word word, const int *given, size_t count)
{
	struct pollfd answer = {.fd = s->socket, .events = POLLIN};
	int received[DESCRIPTORS_MAX];
	int32_t result;
	int r = descriptors_send(s->socket, word, given, count);

	if (r == 0 && poll(&answer, 1, PATIENCE_MS) != 1)
		r = -ETIMEDOUT;
	if (r == 0)
		r = descriptors_receive(s->socket, &result, received);
	if (r < 0)
		return r;
	if (result == 0 && received[0] >= 0)
		return received[0];
	return result < 0 ? result : -EPROTO;
}

int starter_start(const struct starter *s, int channel, int lease)
{
	return order(s, WORD_START, (const int[]){channel, lease}, 2);
}

int starter_check(const struct starter *s, int text)
{
	return order(s, WORD_CHECK, &text, 1);
}

void starter_kill(const struct starter *s)
{
	(void)descriptors_send(s->socket, WORD_KILL, NULL, 0);
}
