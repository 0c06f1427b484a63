/* SPDX-License-Identifier: ISC */
#include "keeper/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

#define US_PER_MS 1000

void notify_send(const char *state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	socklen_t size;
	int s;

	if (!path || (path[0] != '/' && path[0] != '@') ||
		!text_copy(address.sun_path, sizeof(address.sun_path), path))
		return;
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@') /* the abstract name space of Linux, unix(7) */
		address.sun_path[0] = '\0';
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		return;
	(void)sendto(s, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
	(void)close(s);
}

/* The number in our environment called @name; 0 if there is none. */
static uint64_t number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	uint64_t value = text ? strtoull(text, &end, 10) : 0;

	return text && *text >= '0' && *text <= '9' && *end == '\0' ? value : 0;
}

uint64_t notify_watchdog_ms(void)
{
	uint64_t wanted_of = number("WATCHDOG_PID");

	if (wanted_of != 0 && wanted_of != (uint64_t)getpid())
		return 0;
	return number("WATCHDOG_USEC") / US_PER_MS;
}
