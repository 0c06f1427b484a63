/* SPDX-License-Identifier: ISC */
#include "cli/demo/lan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"

#define BATCH_PATH "/run/ha-demo.ip"
#define BATCH_SIZE 2048

/* Writes @text into the file @path; false if that is not possible. */
static bool write_text(const char *path, const char *text, int flags)
{
	int descriptor = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);
	bool good;

	if (descriptor < 0)
		return false;
	good = write(descriptor, text, strlen(text)) == (ssize_t)strlen(text);
	return close(descriptor) == 0 && good;
}

/* Runs iproute2 over @commands, in the namespace of @host or (NULL) here. */
static int configure(const struct command *command, const char *host, const char *commands)
{
	const char *const here[] = {"ip", "-batch", BATCH_PATH, NULL};
	const char *const there[] = {"ip", "-netns", host, "-batch", BATCH_PATH, NULL};
	int status, error;
	pid_t child;

	if (!write_text(BATCH_PATH, commands, O_CREAT | O_TRUNC))
		return command_failed(command, "cannot write %s: %s", BATCH_PATH, strerror(errno));
	error = posix_spawnp(
		&child, "ip", NULL, NULL, (char *const *)(host ? there : here), environ);
	if (error)
		return command_failed(
			command, "cannot run ip: %s; install iproute2", strerror(error));
	if (waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return EXIT_DONE;
	return command_failed(command, "cannot build the LAN: ip did not do what was asked");
}

/* Duplicate address detection would cost a second at each start; bridges must not hand frames to a
 * packet filter. What the kernel does not have needs no setting. */
static void tune_here(void)
{
	static const char *const SETTINGS[][2] = {
		{"/proc/sys/net/ipv6/conf/default/disable_ipv6", "0"},
		{"/proc/sys/net/ipv6/conf/all/disable_ipv6", "0"},
		{"/proc/sys/net/ipv6/conf/default/accept_dad", "0"},
		{"/proc/sys/net/ipv6/conf/all/accept_dad", "0"},
		{"/proc/sys/net/bridge/bridge-nf-call-iptables", "0"},
		{"/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0"},
		{"/proc/sys/net/bridge/bridge-nf-call-arptables", "0"},
	};

	for (size_t i = 0; i < sizeof(SETTINGS) / sizeof(SETTINGS[0]); i++)
		(void)write_text(SETTINGS[i][0], SETTINGS[i][1], 0);
}

static int build_switch(const struct command *command)
{
	char buffer[BATCH_SIZE];
	struct text text = text_init(buffer, sizeof(buffer));

	tune_here();
	text_add(&text, "link set lo up\nlink add switch type bridge mcast_snooping 0\n"
			"link set switch up\n");
	for (int i = 0; i < HOSTS; i++)
		text_add(&text, "netns add %s\n", CAST[i].name);
	return configure(command, NULL, buffer);
}

static int open_namespace(const struct command *command, const char *path, int *ret_descriptor)
{
	*ret_descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_descriptor >= 0)
		return EXIT_DONE;
	return command_failed(command, "cannot open the namespace %s: %s", path, strerror(errno));
}

static int build_host(const struct command *command, struct lan *lan, int host)
{
	char path[PATH_SIZE], buffer[BATCH_SIZE];
	struct text text = text_init(path, sizeof(path));
	const struct host *h = &CAST[host];
	int status;

	text_add(&text, "/run/netns/%s", h->name);
	status = open_namespace(command, path, &lan->host[host]);
	if (status != EXIT_DONE)
		return status;
	lan_enter(lan, host);
	tune_here();
	lan_leave(lan);
	text = text_init(buffer, sizeof(buffer));
	text_add(&text,
		"link add %s type veth peer name eth0 netns %s\nlink set %s master switch up\n",
		h->name, h->name, h->name);
	status = configure(command, NULL, buffer);
	if (status != EXIT_DONE)
		return status;
	text = text_init(buffer, sizeof(buffer));
	text_add(&text,
		"link set lo up\nlink set eth0 up\naddr add %s/%s dev eth0\n"
		"addr add %s/%s dev eth0 nodad\n",
		h->v4, CAST_LENGTH_V4, h->v6, CAST_LENGTH_V6);
	return configure(command, h->name, buffer);
}

int lan_build(const struct command *command, struct lan *ret_lan)
{
	int status;

	if (access("/proc/sys/net/ipv6", F_OK) != 0)
		return command_failed(
			command, "this kernel runs without IPv6, which the demo shows too");
	status = open_namespace(command, "/proc/self/ns/net", &ret_lan->here);
	if (status == EXIT_DONE)
		status = build_switch(command);
	for (int i = 0; status == EXIT_DONE && i < HOSTS; i++)
		status = build_host(command, ret_lan, i);
	return status;
}

void lan_enter(const struct lan *lan, int host)
{
	int r = setns(lan->host[host], CLONE_NEWNET);

	assert(r == 0);
	(void)r;
}

void lan_leave(const struct lan *lan)
{
	int r = setns(lan->here, CLONE_NEWNET);

	assert(r == 0);
	(void)r;
}

void lan_set_cable(const struct lan *lan, int host, bool plugged)
{
	int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq port = {.ifr_flags = 0};
	int r;

	(void)lan;
	(void)text_copy(port.ifr_name, sizeof(port.ifr_name), CAST[host].name);
	r = ioctl(descriptor, SIOCGIFFLAGS, &port);
	assert(r == 0);
	if (plugged)
		port.ifr_flags |= IFF_UP;
	else
		port.ifr_flags &= (short)~IFF_UP;
	r = ioctl(descriptor, SIOCSIFFLAGS, &port);
	assert(r == 0);
	(void)close(descriptor);
}

static int bind_v4(int descriptor, const char *address, unsigned short port)
{
	const struct sockaddr_in name = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = inet_addr(address)};
	const int on = 1;

	if (setsockopt(descriptor, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) != 0)
		return -1;
	return bind(descriptor, (const struct sockaddr *)&name, sizeof(name));
}

static int bind_v6(int descriptor, const char *address, unsigned short port)
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const int on = 1;

	(void)inet_pton(AF_INET6, address, &name.sin6_addr);
	if (setsockopt(descriptor, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on)) != 0 ||
		setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return -1;
	return bind(descriptor, (const struct sockaddr *)&name, sizeof(name));
}

int lan_socket(const struct lan *lan, int host, const char *address, unsigned short port)
{
	const bool v6 = strchr(address, ':') != NULL;
	int descriptor, r;

	lan_enter(lan, host);
	descriptor = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	lan_leave(lan);
	if (descriptor < 0)
		return -errno;
	r = v6 ? bind_v6(descriptor, address, port) : bind_v4(descriptor, address, port);
	if (r != 0) {
		r = -errno;
		(void)close(descriptor);
		return r;
	}
	return descriptor;
}
