/* SPDX-License-Identifier: ISC */
#include "keeper/engine_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/log.h"
#include "sys/scheduling.h"
#include "wire/handoff.h"

#define ENGINE_NAME         "had"
#define CHANNEL_BUFFER_SIZE (4 * 1024 * 1024)
#define HANDOFF_FIRST       HANDOFF_CHANNEL
#define HANDOFF_COUNT       5
#define HANDOFF_BEYOND      (HANDOFF_FIRST + HANDOFF_COUNT)
#define ENVIRONMENT_SIZE    256
#define CANNOT_EXECUTE      127 /* as shells say it */

/* A memory file of @size bytes, of which the first are @bytes, that cannot change its size, and not
 * its content unless @writable. Its descriptor or -errno. */
static int sealed_memory(
	const char *name, const void *bytes, size_t bytes_size, size_t size, bool writable)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | (writable ? 0 : F_SEAL_WRITE);
	int memory = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int error;

	if (memory < 0)
		return -errno;
	if (ftruncate(memory, (off_t)size) == 0 &&
		pwrite(memory, bytes, bytes_size, 0) == (ssize_t)bytes_size &&
		fcntl(memory, F_ADD_SEALS, seals) == 0)
		return memory;
	error = errno;
	(void)close(memory);
	return -error;
}

/* Big enough for all that is owed to an engine that does not read for a while. */
static int open_channel(int ends[2])
{
	int size = CHANNEL_BUFFER_SIZE;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return -errno;
	if (setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

/* The program beside our own (a build folder), else the installed one. */
static void find_program(char path[PATH_SIZE])
{
	char self[PATH_SIZE];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct text t = text_init(path, PATH_SIZE);

	if (length > 0) {
		self[length] = '\0';
		*(strrchr(self, '/') + 1) = '\0';
		text_add(&t, "%s%s", self, ENGINE_NAME);
		if (access(path, X_OK) == 0)
			return;
		t = text_init(path, PATH_SIZE);
	}
	text_add(&t, "%s/%s", HA_LIBEXEC_DIR, ENGINE_NAME);
}

/* Puts descriptors[i] at HANDOFF_FIRST + i, and has everything above closed by exec. First out of
 * the way, so that none is overwritten before it was moved. */
static int arrange_descriptors(const int descriptors[HANDOFF_COUNT])
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int aside[HANDOFF_COUNT];

	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
		return -errno;
	for (int i = 0; i < HANDOFF_COUNT; i++) {
		aside[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, HANDOFF_BEYOND);
		if (aside[i] < 0)
			return -errno;
	}
	for (int i = 0; i < HANDOFF_COUNT; i++) {
		if (dup2(aside[i], HANDOFF_FIRST + i) < 0)
			return -errno;
	}
	return close_range(HANDOFF_BEYOND, ~0u, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

/* "NAME=value" of our own environment, or NULL. */
static char *inherited(const char *name, char buffer[ENVIRONMENT_SIZE])
{
	const char *value = getenv(name);
	struct text t = text_init(buffer, ENVIRONMENT_SIZE);

	if (!value || strlen(name) + strlen(value) + 2 > ENVIRONMENT_SIZE)
		return NULL;
	text_add(&t, "%s=%s", name, value);
	return buffer;
}

/* @program was opened while we still could: the folders above a build folder are often closed to
 * others. A script cannot be executed by descriptor, so the path comes first. */
static void execute(const char *path, int program, const char *runtime_dir)
{
	char path_variable[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char language[ENVIRONMENT_SIZE], journal[ENVIRONMENT_SIZE];
	char *const arguments[] = {
		(char *)ENGINE_NAME, (char *)"--runtime-dir", (char *)runtime_dir, NULL};
	char *environment[4] = {path_variable};
	size_t count = 1;

	if (inherited("LANG", language))
		environment[count++] = language;
	if (inherited("JOURNAL_STREAM", journal))
		environment[count++] = journal;
	(void)execve(path, arguments, environment);
	if (errno == EACCES && program >= 0)
		(void)fexecve(program, arguments, environment);
	log_error("cannot execute the engine %s: %s", path, strerror(errno));
}

/* The child's life before it is the engine. Its own process group: Ctrl-C in a terminal is for the
 * keeper, which then stops the engine politely. */
static void become_engine(const int descriptors[HANDOFF_COUNT], const char *runtime_dir,
	const struct account *account)
{
	char path[PATH_SIZE];
	int program, r;

	find_program(path);
	program = open(path, O_PATH | O_CLOEXEC);
	(void)setpgid(0, 0);
	(void)signal(SIGPIPE, SIG_DFL);
	if (program >= 0 && program < HANDOFF_BEYOND)
		program = fcntl(program, F_DUPFD_CLOEXEC, HANDOFF_BEYOND);
	r = arrange_descriptors(descriptors);
	/* Where it is not permitted the keeper has said so of itself. */
	if (account->realtime)
		(void)scheduling_make_realtime();
	if (r == 0)
		r = privileges_drop_all(account);
	if (r < 0) {
		log_error("cannot prepare the engine: %s", strerror(-r));
		return;
	}
	/* After the change of user, which clears it. Where the kernel refuses to deliver it to
	 * another user, the closed channel says the same. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	execute(path, program, runtime_dir);
}

static const struct lease_page *map_lease(int memory)
{
	void *page = mmap(NULL, LEASE_PAGE_SIZE, PROT_READ, MAP_SHARED, memory, 0);

	return page == MAP_FAILED ? NULL : page;
}

static void close_all(const int *descriptors, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (descriptors[i] >= 0)
			(void)close(descriptors[i]);
	}
}

static int fork_engine(const int descriptors[HANDOFF_COUNT], const struct runtime_dir *dir,
	const struct account *account, struct engine_process *p)
{
	p->pid = fork();
	if (p->pid < 0)
		return -errno;
	if (p->pid == 0) {
		become_engine(descriptors, dir->path, account);
		_exit(CANNOT_EXECUTE);
	}
	p->process = pidfd_open(p->pid, 0);
	return p->process < 0 ? -errno : 0;
}

bool engine_start(const struct configuration *configuration, const uint8_t *key,
	const struct runtime_dir *dir, const struct account *account, int control,
	struct engine_process *ret_process)
{
	struct engine_process p = {.process = -1, .channel = -1};
	int ends[2] = {-1, -1};
	int r = open_channel(ends);
	int handoff[HANDOFF_COUNT] = {
		[HANDOFF_CHANNEL - HANDOFF_FIRST] = ends[1],
		[HANDOFF_CONFIGURATION - HANDOFF_FIRST] = sealed_memory("ha-configuration",
			configuration->text, configuration->size, configuration->size, false),
		[HANDOFF_KEY - HANDOFF_FIRST] =
			sealed_memory("ha-key", key ? key : (const void *)"",
				key ? CONF_KEY_SIZE : 0, key ? CONF_KEY_SIZE : 0, false),
		[HANDOFF_LEASE - HANDOFF_FIRST] =
			sealed_memory("ha-lease", "", 0, LEASE_PAGE_SIZE, true),
		[HANDOFF_CONTROL - HANDOFF_FIRST] = control,
	};

	for (size_t i = 0; i < HANDOFF_COUNT; i++) {
		if (r == 0 && handoff[i] < 0)
			r = handoff[i];
	}
	if (r == 0) {
		p.channel = ends[0];
		p.lease = map_lease(handoff[HANDOFF_LEASE - HANDOFF_FIRST]);
		r = p.lease ? fork_engine(handoff, dir, account, &p) : -ENOMEM;
	}
	/* Each is the engine's alone now, above all the key. */
	close_all(handoff, HANDOFF_COUNT);
	if (r < 0) {
		close_all(ends, 1);
		log_error("cannot start the engine: %s", strerror(-r));
		return false;
	}
	*ret_process = p;
	return true;
}

struct engine_end engine_wait(const struct engine_process *p, int patience_ms)
{
	struct pollfd ended = {.fd = p->process, .events = POLLIN};
	siginfo_t info = {0};

	(void)poll(&ended, 1, patience_ms);
	if (waitid(P_PIDFD, (id_t)p->process, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return (struct engine_end){0};
	return (struct engine_end){
		.known = true, .exited = info.si_code == CLD_EXITED, .number = info.si_status};
}

void engine_kill(const struct engine_process *p)
{
	(void)pidfd_send_signal(p->process, SIGKILL, NULL, 0);
}
