/* SPDX-License-Identifier: ISC */
/*
 * http: the exporter's pages, by libmicrohttpd in the caller's loop:
 *
 *   /              the status page, with /page.css and /page.js
 *   /status.json   what `ha status --all --json` prints
 *   /metrics       the same for Prometheus
 *   /events        events as they happen (server-sent events), the last ones first
 *   /healthz       200 if the daemon answers, else 503
 *
 * Read only: GET and HEAD. Connections, streams and memory are bounded; who reads slowly is waited
 * for by nobody: the daemon's answer is fetched once for all who ask within a moment.
 */
#ifndef HA_CLI_EXPORTER_HTTP_H
#define HA_CLI_EXPORTER_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <microhttpd.h>
#include <uv.h>

#include "cli/exporter/ring.h"
#include "cli/exporter/source.h"

#define HTTP_CONNECTIONS_MAX 64
#define HTTP_STREAMS_MAX     16

struct stream {
	struct http *http;
	struct MHD_Connection *connection;
	bool used, suspended, keep_alive;
	uint64_t next; /* the number of its next event */
};

struct http {
	uv_loop_t *loop;
	struct MHD_Daemon *daemon;
	struct source source;
	struct ring ring;
	bool loopback; /* then only names of this host are answered */
	uv_poll_t poll;
	uv_timer_t timer, pulse;
	uv_prepare_t prepare;
	/* The daemon's last answer, in the forms that are asked for; NULL: it gave none. */
	struct MHD_Response *status, *metrics;
	bool up;
	bool asked;        /* at all */
	uint64_t answered; /* uv_now() */
	struct MHD_Connection *waiting[HTTP_CONNECTIONS_MAX];
	size_t waiting_count;
	struct stream streams[HTTP_STREAMS_MAX];
};

/* Serves the listening socket @listener, which it takes. False if that cannot be done. */
bool http_open(
	struct http *h, uv_loop_t *loop, int listener, bool loopback, const char *socket_path);
void http_close(struct http *h);

#endif
