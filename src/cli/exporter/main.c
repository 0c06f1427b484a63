/* SPDX-License-Identifier: ISC */
/*
 * ha-exporter: metrics and a status page over HTTP. A program of its own, because a server of pages
 * has no place in a process that must be small, real-time and trusted: it has no privileges and
 * knows only what the control socket tells everybody. `ha exporter` starts it, with options that it
 * has checked.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "cli/exporter/confine.h"
#include "cli/exporter/http.h"
#include "cli/exporter/listen.h"
#include "sys/log.h"
#include "wire/control.h"

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	uv_stop(handle->loop);
}

static void catch_signal(uv_loop_t *loop, uv_signal_t *handle, int number)
{
	(void)uv_signal_init(loop, handle);
	(void)uv_signal_start(handle, on_signal, number);
}

static int serve(int listener, bool loopback, const char *socket_path)
{
	static struct http http;
	uv_loop_t *loop = uv_default_loop();
	uv_signal_t signals[2];

	if (!http_open(&http, loop, listener, loopback, socket_path)) {
		log_error("the web server cannot be started");
		return EXIT_FAILURE;
	}
	catch_signal(loop, &signals[0], SIGTERM);
	catch_signal(loop, &signals[1], SIGINT);
	confine_exporter();
	(void)uv_run(loop, UV_RUN_DEFAULT);
	http_close(&http);
	uv_close((uv_handle_t *)&signals[0], NULL);
	uv_close((uv_handle_t *)&signals[1], NULL);
	(void)uv_run(loop, UV_RUN_DEFAULT); /* until all handles are closed */
	(void)uv_loop_close(loop);
	return EXIT_SUCCESS;
}

int main(int count, char **arguments)
{
	struct listen_address address;
	char path[PATH_SIZE];
	int listener;

	log_open("ha-exporter");
	(void)signal(SIGPIPE, SIG_IGN);
	if (count != 3 || !listen_parse(arguments[1], &address) ||
		snprintf(path, sizeof(path), "%s/%s", arguments[2], CONTROL_SOCKET_NAME) >=
			(int)sizeof(path)) {
		log_error("usage: ha-exporter ADDRESS:PORT RUNTIME-DIR; it is started by `ha "
			  "exporter`");
		return 2;
	}
	listener = listen_open(&address);
	if (listener < 0) {
		log_error("cannot listen on %s: %s", arguments[1], strerror(-listener));
		return EXIT_FAILURE;
	}
	if (!confine_identity(path))
		return EXIT_FAILURE;
	log_notice("listens on http://%s/", arguments[1]);
	return serve(listener, address.loopback, path);
}
