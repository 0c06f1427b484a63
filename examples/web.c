/* SPDX-License-Identifier: ISC */
/* A web service that shares its address with its likes on other servers: web INTERFACE
 * ADDRESS/LENGTH cc web.c $(pkg-config --cflags --libs libha) -o web; run it as root on two
 * servers. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ha/ha.h>

static void on_event(ha_node *node, const struct ha_event *event, void *context)
{
	(void)node, (void)context;
	if (event->kind != HA_EVENT_NOTICE)
		printf("%s\n", event->text);
	fflush(stdout);
}

static void serve(int listener, const char *name)
{
	int client = accept(listener, NULL, NULL);

	if (client >= 0) {
		dprintf(client, "HTTP/1.0 200 OK\r\n\r\n%s\n", name);
		shutdown(client, SHUT_WR);
		close(client);
	}
}

int main(int count, char **words)
{
	struct sockaddr_in everywhere = {.sin_family = AF_INET, .sin_port = htons(8080)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct ha_options options = HA_OPTIONS_INIT;
	ha_node *node = ha_new();

	if (count != 3 || !node || bind(listener, (void *)&everywhere, sizeof(everywhere)) < 0 ||
		listen(listener, 64) < 0)
		return 2;
	options.interface = words[1];
	options.address = words[2];
	options.event = on_event;
	options.keeper = getenv("HA_KEEPER");           /* NULL: the installed one */
	options.runtime_dir = getenv("HA_RUNTIME_DIR"); /* NULL: /run/ha */
	options.name = getenv("HA_NAME");               /* NULL: the host's */
	if (ha_open(node, &options) < 0) {
		fprintf(stderr, "%s\n", ha_error(node));
		ha_free(node);
		return 1;
	}
	for (int stopped = 0; !stopped;) {
		struct pollfd ready[] = {{ha_fd(node), POLLIN, 0}, {listener, POLLIN, 0}};

		poll(ready, 2, -1);
		if (ready[0].revents)
			stopped = ha_dispatch(node);
		if (ready[1].revents)
			serve(listener, options.name ? options.name : "here");
	}
	ha_free(node);
	return 0;
}
