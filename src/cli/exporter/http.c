/* SPDX-License-Identifier: ISC */
#include "cli/exporter/http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "cli/exporter/exposition.h"
#include "cli/exporter/prometheus.h"
#include "cli/page_css.h"
#include "cli/page_html.h"
#include "cli/page_js.h"

#define FRESH_MS 250 /* an answer of the daemon serves all who ask within this time */
#define IDLE_S   30  /* a connection on which nothing moves is closed */
/* So often a stream says that it is alive, and it shows whether its reader is. */
#define PULSE_MS        3000
#define CONNECTION_SIZE (16 * 1024)
#define STREAM_BLOCK    4096
#define HOST_SIZE       128

/* Nothing from elsewhere, and nowhere else to. */
#define POLICY                                                                                     \
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "            \
	"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* What is known of a request between two calls of libmicrohttpd. */
static char seen, waited;

static void add_headers(struct MHD_Response *response, const char *type)
{
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	(void)MHD_add_response_header(response, "Content-Security-Policy", POLICY);
	(void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	(void)MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
}

/* @bytes: static, or from malloc() and then taken. */
static struct MHD_Response *make(
	const void *bytes, size_t size, enum MHD_ResponseMemoryMode mode, const char *type)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(size, (void *)(uintptr_t)bytes, mode);

	if (response)
		add_headers(response, type);
	else if (mode == MHD_RESPMEM_MUST_FREE)
		free((void *)(uintptr_t)bytes);
	return response;
}

/* Queues and gives @response up; a connection without one is closed. */
static enum MHD_Result queue(
	struct MHD_Connection *connection, unsigned status, struct MHD_Response *response)
{
	enum MHD_Result r;

	if (!response)
		return MHD_NO;
	r = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *text)
{
	return queue(connection, status,
		make(text, strlen(text), MHD_RESPMEM_PERSISTENT, "text/plain; charset=utf-8"));
}

/* --- the daemon's answer */

static void replace(struct MHD_Response **slot, struct MHD_Response *response)
{
	if (*slot)
		MHD_destroy_response(*slot);
	*slot = response;
}

static struct MHD_Response *make_metrics(const json_t *status)
{
	size_t size = 0;
	char *text = prometheus_format(status, &size);

	return text ? make(text, size, MHD_RESPMEM_MUST_FREE, EXPOSITION_CONTENT_TYPE) : NULL;
}

static void on_status(void *context, const json_t *status, const char *line)
{
	static const char down[] = "{\"error\": \"the daemon does not answer\"}";
	struct http *h = context;

	h->up = status != NULL;
	h->asked = true;
	h->answered = uv_now(h->loop);
	replace(&h->status,
		status ? make(line, strlen(line), MHD_RESPMEM_MUST_COPY, "application/json")
		       : make(down, sizeof(down) - 1, MHD_RESPMEM_PERSISTENT, "application/json"));
	replace(&h->metrics, make_metrics(status));
	for (size_t i = 0; i < h->waiting_count; i++)
		MHD_resume_connection(h->waiting[i]);
	h->waiting_count = 0;
	(void)MHD_run(h->daemon);
}

/* Whether the answer may be given now; else the connection waits for it. */
static bool is_fresh(struct http *h, struct MHD_Connection *connection, void **state)
{
	if (*state == &waited || (h->asked && uv_now(h->loop) - h->answered < FRESH_MS))
		return true;
	if (h->waiting_count == HTTP_CONNECTIONS_MAX)
		return true;
	*state = &waited;
	h->waiting[h->waiting_count++] = connection;
	MHD_suspend_connection(connection);
	source_ask(&h->source);
	return false;
}

static enum MHD_Result answer_document(
	struct MHD_Connection *connection, struct MHD_Response *document, unsigned status)
{
	if (!document)
		return say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n");
	return MHD_queue_response(connection, status, document);
}

/* --- events */

static void wake(struct stream *s)
{
	if (s->used && s->suspended)
		MHD_resume_connection(s->connection);
	s->suspended = false;
}

static void on_event(void *context, const char *line)
{
	struct http *h = context;

	ring_add(&h->ring, line);
	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++)
		wake(&h->streams[i]);
	(void)MHD_run(h->daemon);
}

/* The next piece of a stream, whole events only. */
static ssize_t read_stream(void *context, uint64_t position, char *buffer, size_t size)
{
	struct stream *s = context;
	const char *line = ring_find(&s->http->ring, &s->next);
	int written = 0;

	(void)position;
	if (line)
		written = snprintf(
			buffer, size, "id: %llu\ndata: %s\n\n", (unsigned long long)s->next, line);
	else if (s->keep_alive)
		written = snprintf(buffer, size, ": still here\n\n");
	s->keep_alive = false;
	if (line)
		s->next++;
	if (written > 0 && (size_t)written < size)
		return written;
	s->suspended = true;
	MHD_suspend_connection(s->connection);
	return 0;
}

static void end_stream(void *context)
{
	struct stream *s = context;

	s->used = false;
}

static struct stream *free_stream(struct http *h)
{
	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++) {
		if (!h->streams[i].used)
			return &h->streams[i];
	}
	return NULL;
}

static enum MHD_Result answer_events(struct http *h, struct MHD_Connection *connection)
{
	const char *last =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Last-Event-ID");
	struct stream *s = free_stream(h);
	struct MHD_Response *response;

	if (!s)
		return say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "too many streams\n");
	*s = (struct stream){.http = h,
		.connection = connection,
		.used = true,
		.keep_alive = true, /* so that it begins at once */
		.next = last ? strtoull(last, NULL, 10) + 1 : 1};
	/* A block is as large as an event can be. */
	static_assert(STREAM_BLOCK > RING_LINE_MAX + 64, "an event fits");
	response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, s, end_stream);
	if (response)
		add_headers(response, "text/event-stream");
	else
		s->used = false;
	return queue(connection, MHD_HTTP_OK, response);
}

static void on_pulse(uv_timer_t *timer)
{
	struct http *h = timer->data;

	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++) {
		h->streams[i].keep_alive = true;
		wake(&h->streams[i]);
	}
	(void)MHD_run(h->daemon);
}

/* --- requests */

/* The name in "Host: name:port" is this host's, or an address. Otherwise some page elsewhere has
 * its own name lead here, to read what only this host's users may read. */
static bool is_for_us(const struct http *h, struct MHD_Connection *connection)
{
	const char *given =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
	char host[HOST_SIZE];
	struct in_addr v4;

	if (!h->loopback || !given || given[0] == '[')
		return true;
	if (snprintf(host, sizeof(host), "%s", given) >= (int)sizeof(host))
		return false;
	host[strcspn(host, ":")] = '\0';
	return strcasecmp(host, "localhost") == 0 || inet_pton(AF_INET, host, &v4) == 1;
}

static enum MHD_Result answer_static(struct MHD_Connection *connection, const unsigned char *bytes,
	size_t size, const char *type)
{
	return queue(connection, MHD_HTTP_OK, make(bytes, size, MHD_RESPMEM_PERSISTENT, type));
}

static enum MHD_Result answer_dynamic(
	struct http *h, struct MHD_Connection *connection, const char *url, void **state)
{
	unsigned status;

	if (!is_fresh(h, connection, state))
		return MHD_YES;
	status = h->up ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
	if (strcmp(url, "/healthz") == 0)
		return say(connection, status, h->up ? "ok\n" : "the daemon does not answer\n");
	if (strcmp(url, "/metrics") == 0) /* that it is down is a metric */
		return answer_document(connection, h->metrics, MHD_HTTP_OK);
	return answer_document(connection, h->status, status);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *data_size, void **state)
{
	struct http *h = context;

	(void)version;
	(void)data;
	if (!*state) {
		*state = &seen;
		return MHD_YES;
	}
	if (*data_size > 0) { /* of no interest */
		*data_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "this is for reading only\n");
	if (!is_for_us(h, connection))
		return say(connection, MHD_HTTP_FORBIDDEN, "ask for localhost or an address\n");
	if (strcmp(url, "/") == 0)
		return answer_static(
			connection, PAGE_HTML, sizeof(PAGE_HTML), "text/html; charset=utf-8");
	if (strcmp(url, "/page.css") == 0)
		return answer_static(
			connection, PAGE_CSS, sizeof(PAGE_CSS), "text/css; charset=utf-8");
	if (strcmp(url, "/page.js") == 0)
		return answer_static(
			connection, PAGE_JS, sizeof(PAGE_JS), "text/javascript; charset=utf-8");
	if (strcmp(url, "/events") == 0)
		return answer_events(h, connection);
	if (strcmp(url, "/status.json") == 0 || strcmp(url, "/metrics") == 0 ||
		strcmp(url, "/healthz") == 0)
		return answer_dynamic(h, connection, url, state);
	return say(connection, MHD_HTTP_NOT_FOUND,
		"there are /, /status.json, /metrics, /events and /healthz\n");
}

/* --- the loop */

static void run(struct http *h)
{
	(void)MHD_run(h->daemon);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

/* Before the loop sleeps: until when it may. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct http *h = prepare->data;
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	if (MHD_get_timeout(h->daemon, &timeout_ms) == MHD_YES)
		(void)uv_timer_start(&h->timer, on_timer, timeout_ms, 0);
	else
		(void)uv_timer_stop(&h->timer);
}

static bool start_loop(struct http *h)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	h->poll.data = h->timer.data = h->pulse.data = h->prepare.data = h;
	return info && uv_poll_init(h->loop, &h->poll, info->epoll_fd) == 0 &&
	       uv_poll_start(&h->poll, UV_READABLE, on_ready) == 0 &&
	       uv_timer_init(h->loop, &h->timer) == 0 && uv_timer_init(h->loop, &h->pulse) == 0 &&
	       uv_timer_start(&h->pulse, on_pulse, PULSE_MS, PULSE_MS) == 0 &&
	       uv_prepare_init(h->loop, &h->prepare) == 0 &&
	       uv_prepare_start(&h->prepare, on_prepare) == 0;
}

bool http_open(
	struct http *h, uv_loop_t *loop, int listener, bool loopback, const char *socket_path)
{
	const struct source_owner owner = {.context = h, .status = on_status, .event = on_event};

	h->loop = loop;
	h->loopback = loopback;
	ring_init(&h->ring);
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		on_request, h, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_SIZE, MHD_OPTION_END);
	if (!h->daemon || !start_loop(h))
		return false;
	source_open(&h->source, loop, socket_path, &owner);
	return true;
}

void http_close(struct http *h)
{
	source_close(&h->source);
	uv_close((uv_handle_t *)&h->poll, NULL);
	uv_close((uv_handle_t *)&h->timer, NULL);
	uv_close((uv_handle_t *)&h->pulse, NULL);
	uv_close((uv_handle_t *)&h->prepare, NULL);
	for (size_t i = 0; i < h->waiting_count; i++)
		MHD_resume_connection(h->waiting[i]);
	h->waiting_count = 0;
	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++)
		wake(&h->streams[i]);
	MHD_stop_daemon(h->daemon);
	replace(&h->status, NULL);
	replace(&h->metrics, NULL);
	ring_done(&h->ring);
}
