/* SPDX-License-Identifier: ISC */
/* several: two nodes in one program, each with its own cluster and address: several INTERFACE
 * ADDRESS ADDRESS. A line on standard input stops the first one, from within a callback of the
 * second's loop. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ha/ha.h>

static void on_event(ha_node *node, const struct ha_event *event, void *context)
{
	static const char *const STATES[] = {"STANDBY", "ACTIVE", "SHUTDOWN"};

	if (event->kind == HA_EVENT_STATE)
		printf("%s %s\n", (const char *)context, STATES[event->state]);
	fflush(stdout);
	if (event->kind == HA_EVENT_STOPPED)
		ha_free(node);
}

static ha_node *begin(
	const char *name, const char *interface, const char *address, const char *port)
{
	struct ha_options o = HA_OPTIONS_INIT;
	ha_node *node = ha_new();
	char folder[256];

	snprintf(folder, sizeof(folder), "%s-%s", getenv("HA_RUNTIME_DIR"), name);
	o.interface = interface;
	o.address = address;
	o.group = name;
	o.extra_node = port;
	o.runtime_dir = folder;
	o.keeper = getenv("HA_KEEPER");
	o.name = getenv("HA_NAME");
	o.event = on_event;
	o.context = (void *)name;
	if (node && ha_open(node, &o) == 0)
		return node;
	fprintf(stderr, "%s\n", ha_error(node));
	exit(1);
}

int main(int count, char **words)
{
	ha_node *first, *second;
	int listening = 1, running = 1;

	if (count != 4)
		return 2;
	first = begin("first", words[1], words[2], "port = 5001");
	second = begin("second", words[1], words[3], "port = 5002");
	for (;;) {
		struct pollfd ready[] = {{running ? ha_fd(first) : -1, POLLIN, 0},
			{ha_fd(second), POLLIN, 0}, {listening ? STDIN_FILENO : -1, POLLIN, 0}};
		char line[16];

		(void)poll(ready, 3, -1);
		if (ready[0].revents)
			running = ha_dispatch(first) == 0;
		if (ready[1].revents)
			(void)ha_dispatch(second);
		if (ready[2].revents && read(STDIN_FILENO, line, sizeof(line)) <= 0)
			listening = 0;
		else if (ready[2].revents)
			(void)ha_stop(first);
	}
}
