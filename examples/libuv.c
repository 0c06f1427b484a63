/* SPDX-License-Identifier: ISC */
/* A node on a libuv loop of one's own, beside a timer: libuv INTERFACE ADDRESS/LENGTH */
#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

#include <ha/ha.h>
#include <ha/uv.h>

static struct ha_uv watch;
static uv_timer_t timer;

static void on_event(ha_node *node, const struct ha_event *event, void *context)
{
	(void)context;
	if (event->kind == HA_EVENT_STATE)
		printf("%s\n", event->text);
	fflush(stdout);
	if (event->kind != HA_EVENT_STOPPED)
		return;
	ha_uv_stop(&watch, NULL);
	ha_free(node);
	uv_close((uv_handle_t *)&timer, NULL); /* nothing is left: the loop ends */
}

static void on_timer(uv_timer_t *handle)
{
	ha_node *node = handle->data;

	if (ha_group_state(node, NULL) == HA_ACTIVE)
		printf("serving in epoch %llu\n", (unsigned long long)ha_group_epoch(node, NULL));
	fflush(stdout);
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	ha_stop(handle->data);
	uv_close((uv_handle_t *)handle, NULL);
}

int main(int count, char **words)
{
	struct ha_options options = HA_OPTIONS_INIT;
	ha_node *node = ha_new();
	uv_loop_t loop;
	uv_signal_t terminate;

	if (count != 3 || !node || uv_loop_init(&loop) != 0)
		return 2;
	options.interface = words[1];
	options.address = words[2];
	options.event = on_event;
	options.keeper = getenv("HA_KEEPER");
	options.runtime_dir = getenv("HA_RUNTIME_DIR");
	options.name = getenv("HA_NAME");
	if (ha_open(node, &options) < 0 || ha_uv_start(&watch, &loop, node) != 0) {
		fprintf(stderr, "%s\n", ha_error(node));
		ha_free(node);
		return 1;
	}
	uv_timer_init(&loop, &timer);
	uv_signal_init(&loop, &terminate);
	timer.data = terminate.data = node;
	uv_timer_start(&timer, on_timer, 100, 100);
	uv_signal_start(&terminate, on_signal, SIGTERM);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop) == 0 ? 0 : 1;
}
