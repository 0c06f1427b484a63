/* SPDX-License-Identifier: ISC */
#include "keeper/engine_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/application.h"
#include "keeper/memory.h"
#include "sys/descriptors.h"
#include "sys/log.h"

#define CHANNEL_BUFFER_SIZE (4 * 1024 * 1024)

/* Big enough for all that is owed to an engine that does not read for a while. */
static void enlarge(int channel)
{
	int size = CHANNEL_BUFFER_SIZE;

	if (setsockopt(channel, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(channel, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static int open_channel(int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return -errno;
	enlarge(ends[0]);
	return 0;
}

/* Whatever an engine before left in it is over, but what it is to go on with (R8). */
static struct lease_page *map_lease(int memory, size_t size, ha_time until)
{
	struct lease_page *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);

	if (page == MAP_FAILED)
		return NULL;
	lease_store(page, until);
	memset(page->groups, 0, size - sizeof(*page));
	return page;
}

/* The kernel's fence reads one lease for all engines; without it each has one of its own, which
 * none before it can write. */
static int open_lease(int fence, size_t size)
{
	int lease;

	if (fence < 0)
		return memory_sealed("ha-lease", "", 0, size, true);
	lease = fcntl(fence, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return lease < 0 ? -errno : lease;
}

bool engine_start(const struct starter *starter, int fence, size_t group_count, ha_time until,
	struct engine_process *ret_process)
{
	struct engine_process p = {.starter = starter,
		.process = -1,
		.channel = -1,
		.lease_size = lease_size(group_count)};
	int lease = open_lease(fence, p.lease_size);
	int ends[2] = {-1, -1};
	int r = lease < 0 ? lease : open_channel(ends);

	if (r == 0)
		p.lease = map_lease(lease, p.lease_size, until);
	if (r == 0 && !p.lease)
		r = -ENOMEM;
	if (r == 0)
		r = p.process = starter_start(starter, ends[1], lease);
	p.channel = ends[0];
	descriptors_close((const int[]){lease, ends[1]}, 2);
	if (r < 0) {
		engine_close(&p);
		log_error("cannot start the engine: %s", strerror(-r));
		return false;
	}
	*ret_process = p;
	return true;
}

bool engine_adopt(int channel, int fence, const struct configuration *configuration,
	const uint8_t *key, struct engine_process *ret_process)
{
	struct engine_process p = {.process = -1,
		.channel = channel,
		.lease_size = lease_size(configuration->conf->group_count)};
	int lease = open_lease(fence, p.lease_size);
	int r = lease < 0 ? lease : application_check(channel, &p.process);

	if (r == 0)
		p.lease = map_lease(lease, p.lease_size, TIME_ORIGIN);
	if (r == 0 && !p.lease)
		r = -ENOMEM;
	enlarge(channel);
	if (r == 0)
		r = application_greet(channel, lease, configuration, key);
	descriptors_close(&lease, 1);
	if (r < 0) {
		engine_close(&p);
		log_error("cannot serve the program that started this keeper: %s", strerror(-r));
		return false;
	}
	*ret_process = p;
	return true;
}

bool engine_has_ended(const struct engine_process *p, int patience_ms)
{
	struct pollfd ended = {.fd = p->process, .events = POLLIN};

	return poll(&ended, 1, patience_ms) == 1;
}

void engine_end_lease(const struct engine_process *p)
{
	lease_store(p->lease, TIME_ORIGIN);
}

struct engine_end engine_wait(const struct engine_process *p, int patience_ms)
{
	(void)engine_has_ended(p, patience_ms);
	return engine_end_of(p->process);
}

struct engine_end engine_end_of(int process)
{
	siginfo_t info = {0};

	if (waitid(P_PIDFD, (id_t)process, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return (struct engine_end){0};
	return (struct engine_end){
		.known = true, .exited = info.si_code == CLD_EXITED, .number = info.si_status};
}

void engine_kill(const struct engine_process *p)
{
	if (p->starter)
		starter_kill(p->starter);
}

void engine_close(struct engine_process *p)
{
	descriptors_close((const int[]){p->process, p->channel}, 2);
	if (p->lease)
		(void)munmap((void *)p->lease, p->lease_size);
	*p = (struct engine_process){.process = -1, .channel = -1};
}
