/* SPDX-License-Identifier: ISC */
#include "daemon/handoff.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fatal.h"
#include "wire/channel.h"
#include "wire/handoff.h"

static void require_descriptors(void)
{
	for (int fd = HANDOFF_CHANNEL; fd <= HANDOFF_RECORD; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
			fatal("descriptor %d is missing: had is started by `ha run`, not by hand",
				fd);
}

/* The whole file behind @fd, from its beginning; *@ret_size bytes, owned by the caller. */
static uint8_t *read_whole(int fd, size_t *ret_size)
{
	struct stat st;
	uint8_t *bytes;

	if (fstat(fd, &st) != 0 || st.st_size < 0 || st.st_size > CONF_TEXT_MAX)
		fatal("descriptor %d cannot be read: %s", fd, strerror(errno));
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		fatal("out of memory");
	if (pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size)
		fatal("descriptor %d is shorter than it says", fd);
	*ret_size = (size_t)st.st_size;
	close(fd);
	return bytes;
}

static struct conf *take_configuration(void)
{
	static struct conf_diagnostics diagnostics;
	char hostname[HOST_NAME_MAX + 1] = "";
	struct conf *conf = calloc(1, sizeof(*conf));
	size_t size;
	uint8_t *text = read_whole(HANDOFF_CONFIGURATION, &size);

	(void)gethostname(hostname, sizeof(hostname) - 1);
	if (!conf)
		fatal("out of memory");
	if (!conf_parse((const char *)text, size, hostname, conf, &diagnostics))
		fatal("configuration, line %u: %s", diagnostics.list[0].line,
			diagnostics.list[0].message);
	free(text);
	return conf;
}

static struct heartbeat_key take_key(void)
{
	struct heartbeat_key key = {0};
	size_t size;
	uint8_t *secret = read_whole(HANDOFF_KEY, &size);

	if (size % CONF_KEY_SIZE != 0 || size > (size_t)2 * CONF_KEY_SIZE)
		fatal("the key has %zu bytes instead of %d", size, CONF_KEY_SIZE);
	if (size != 0)
		heartbeat_key_init(&key, secret, CONF_KEY_SIZE);
	if (size > CONF_KEY_SIZE)
		heartbeat_key_accept(&key, secret + CONF_KEY_SIZE, CONF_KEY_SIZE);
	explicit_bzero(secret, size);
	free(secret);
	return key;
}

static struct lease_page *take_lease(size_t group_count)
{
	void *page = mmap(NULL, lease_size(group_count), PROT_READ | PROT_WRITE, MAP_SHARED,
		HANDOFF_LEASE, 0);

	if (page == MAP_FAILED)
		fatal("the lease page cannot be mapped: %s", strerror(errno));
	close(HANDOFF_LEASE);
	return page;
}

void handoff_take(struct handoff_values *ret_values)
{
	require_descriptors();
	ret_values->conf = take_configuration();
	ret_values->key = take_key();
	ret_values->lease = take_lease(ret_values->conf->group_count);
}

size_t handoff_wait(void)
{
	struct pollfd channel = {.fd = HANDOFF_CHANNEL, .events = POLLIN};
	uint8_t bytes[CHANNEL_MESSAGE_MAX];
	struct channel_message m;
	ssize_t size;

	do {
		(void)poll(&channel, 1, -1);
		size = recv(HANDOFF_CHANNEL, bytes, sizeof(bytes), MSG_DONTWAIT);
	} while (size < 0 && (errno == EAGAIN || errno == EINTR));
	if (size <= 0)
		exit(EXIT_SUCCESS); /* it has thought better of it */
	if (!channel_decode(bytes, (size_t)size, &m) || m.verb != CHANNEL_BEGIN)
		fatal("the keeper speaks another language; were both installed together?");
	return m.number <= HANDOFF_RECORD_SIZE ? (size_t)m.number : 0;
}
