/* SPDX-License-Identifier: ISC */
#include "keeper/application.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper/memory.h"
#include "sys/descriptors.h"
#include "sys/log.h"
#include "wire/handoff.h"

/* execve(2) says so of a program with capabilities or a set-user-id bit of its own. */
bool application_is_unprivileged(void)
{
	return getauxval(AT_SECURE) != 0;
}

bool application_may_start(void)
{
	if (!application_is_unprivileged())
		return true;
	log_error("an unprivileged program cannot start a keeper of its own: let it join the "
		  "daemon of this machine instead");
	return false;
}

static int take_parent(int *ret_process)
{
	pid_t parent = getppid();
	int process = pidfd_open(parent, 0);

	if (process < 0)
		return -errno;
	if (getppid() != parent) { /* it died meanwhile */
		(void)close(process);
		return -ESRCH;
	}
	*ret_process = process;
	return 0;
}

int application_check(int channel, int *ret_process)
{
	int type = 0;
	socklen_t size = sizeof(type);

	if (getsockopt(channel, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return -errno;
	if (type != SOCK_SEQPACKET)
		return -EPROTOTYPE;
	if (fcntl(channel, F_SETFD, FD_CLOEXEC) < 0 || fcntl(channel, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return take_parent(ret_process);
}

int application_greet(
	int channel, int lease, const struct configuration *configuration, const uint8_t *key)
{
	size_t key_size = key ? CONF_KEY_SIZE : 0;
	int secret =
		memory_sealed("ha-key", key ? key : (const void *)"", key_size, key_size, false);
	int text = memory_sealed("ha-configuration", configuration->text, configuration->size,
		configuration->size, false);
	int r = secret < 0 ? secret : text < 0 ? text : 0;

	if (r == 0)
		r = descriptors_send(
			channel, GREETING_LEASE_AND_KEY, (const int[]){lease, secret}, 2);
	if (r == 0)
		r = descriptors_send(channel, GREETING_CONFIGURATION, &text, 1);
	descriptors_close((const int[]){secret, text}, 2);
	return r;
}
