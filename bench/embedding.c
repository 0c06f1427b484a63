/* SPDX-License-Identifier: ISC */
/*
 * embedding: a program with a node in it, and nothing else, for bench/killed.py.
 *
 *   embedding FILE RUNTIME-FOLDER KEEPER    the configuration of the node; its folder; ha-keeper
 */
#include <poll.h>
#include <stdio.h>

#include <ha/ha.h>

static void on_event(ha_node *node, const struct ha_event *event, void *context)
{
	(void)node;
	(void)context;
	puts(event->text);
	(void)fflush(stdout);
}

int main(int count, char **words)
{
	struct ha_options options = HA_OPTIONS_INIT;
	ha_node *node = ha_new();

	if (count != 4 || !node)
		return 2;
	options.file = words[1];
	options.runtime_dir = words[2];
	options.keeper = words[3];
	options.event = on_event;
	if (ha_open(node, &options) < 0) {
		fprintf(stderr, "%s\n", ha_error(node));
		return 1;
	}
	for (int over = 0; !over; over = ha_dispatch(node)) {
		struct pollfd ready = {.fd = ha_fd(node), .events = POLLIN};

		(void)poll(&ready, 1, -1);
	}
	ha_free(node);
	return 0;
}
