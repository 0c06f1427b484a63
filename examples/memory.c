/* SPDX-License-Identifier: ISC */
/* A policy of one's own: the server with the most free memory holds the address.
 * memory INTERFACE ADDRESS/LENGTH */
#include <stdio.h>
#include <stdlib.h>

#include <ha/ha.h>

/* In steps of 256 MB: a server that is a little better must not take the address away. */
static int free_memory(ha_node *node, const char *group, int configured, void *context)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kilobytes = 0;
	char line[128];

	(void)node, (void)group, (void)context;
	if (!file)
		return configured;
	while (fgets(line, sizeof(line), file) &&
		sscanf(line, "MemAvailable: %llu", &kilobytes) != 1)
		;
	fclose(file);
	return 1 + (int)(kilobytes >> 18);
}

static void on_event(ha_node *node, const struct ha_event *event, void *context)
{
	(void)node, (void)context;
	if (event->kind == HA_EVENT_STATE)
		printf("%s\n", event->text);
	fflush(stdout);
}

int main(int count, char **words)
{
	struct ha_options options = HA_OPTIONS_INIT;
	ha_node *node = ha_new();
	int r;

	if (count != 3 || !node)
		return 2;
	options.interface = words[1];
	options.address = words[2];
	options.event = on_event;
	options.worth_of = free_memory;
	options.keeper = getenv("HA_KEEPER");
	options.runtime_dir = getenv("HA_RUNTIME_DIR");
	options.name = getenv("HA_NAME");
	r = ha_open(node, &options);
	if (r == 0)
		r = ha_run(node);
	if (r < 0)
		fprintf(stderr, "%s\n", ha_error(node));
	ha_free(node);
	return r < 0;
}
