/* SPDX-License-Identifier: ISC */
/* A node in an epoll loop, which stops politely: epoll INTERFACE ADDRESS/LENGTH */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <ha/ha.h>

static void on_event(ha_node *node, const struct ha_event *event, void *context)
{
	(void)node, (void)context;
	if (event->kind == HA_EVENT_STATE || event->kind == HA_EVENT_STOPPED)
		printf("%s\n", event->text);
	fflush(stdout);
}

static int watch(int loop, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
}

static int run(ha_node *node, int signals)
{
	int loop = epoll_create1(EPOLL_CLOEXEC);
	int r = 0;

	if (loop < 0 || watch(loop, ha_fd(node)) < 0 || watch(loop, signals) < 0)
		return -1;
	while (r == 0) {
		struct epoll_event ready;

		if (epoll_wait(loop, &ready, 1, -1) != 1)
			continue;
		r = ready.data.fd == signals ? ha_stop(node) : 0;
		if (ready.data.fd == signals)
			(void)epoll_ctl(loop, EPOLL_CTL_DEL, signals, NULL);
		else
			r = ha_dispatch(node);
	}
	return r;
}

int main(int count, char **words)
{
	struct ha_options options = HA_OPTIONS_INIT;
	ha_node *node = ha_new();
	sigset_t terminate;
	int r;

	if (count != 3 || !node)
		return 2;
	sigemptyset(&terminate);
	sigaddset(&terminate, SIGTERM);
	sigprocmask(SIG_BLOCK, &terminate, NULL);
	options.interface = words[1];
	options.address = words[2];
	options.event = on_event;
	options.keeper = getenv("HA_KEEPER");
	options.runtime_dir = getenv("HA_RUNTIME_DIR");
	options.name = getenv("HA_NAME");
	r = ha_open(node, &options);
	if (r == 0)
		r = run(node, signalfd(-1, &terminate, SFD_CLOEXEC));
	if (r < 0)
		fprintf(stderr, "%s\n", ha_error(node));
	ha_free(node);
	return r < 0;
}
