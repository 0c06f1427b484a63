/* SPDX-License-Identifier: ISC */
/*
 * http URL [STATUS] [TEXT]: it answers with such a status, and such a text in the first part of its
 * answer. All of them share one multi handle of libcurl, whose sockets and timer are the loop's.
 * Each attempt makes a connection of its own: one that is kept would say nothing of a server that
 * takes no new ones.
 */
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/text.h"
#include "checker/checker.h"
#include "sys/fatal.h"

#define BODY_SIZE (16 * 1024) /* so much is searched for the text */

struct web {
	CURLM *multi;
	uv_timer_t timer;
	struct checker *checker;
};

struct request {
	CURL *easy;
	bool active;
	size_t length;
	char body[BODY_SIZE];
};

/* One of curl's sockets. */
struct watch {
	uv_poll_t poll;
	curl_socket_t socket;
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void judge(struct probe *p, CURLcode result)
{
	const struct conf_check *conf = p->conf;
	struct request *r = p->own;
	char why[VERDICT_TEXT_SIZE];
	struct text t = text_init(why, sizeof(why));
	long status = 0;

	(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	/* We end it when we have seen enough. */
	if (result != CURLE_OK && !(result == CURLE_WRITE_ERROR && r->length == BODY_SIZE))
		text_add(&t, "%s", curl_easy_strerror(result));
	else if (status < conf->status_low || status > conf->status_high)
		text_add(&t, "status %ld", status);
	else if (conf->text && !memmem(r->body, r->length, conf->text, strlen(conf->text)))
		text_add(&t, "its answer does not contain \"%s\"", conf->text);
	probe_answer(p, t.length > 0 ? why : NULL, false);
}

static void end_request(struct web *web, struct request *r)
{
	if (r->active)
		(void)curl_multi_remove_handle(web->multi, r->easy);
	r->active = false;
}

static void take_results(struct web *web)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(web->multi, &left)) != NULL) {
		CURLcode result = message->data.result;
		char *p = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &p);
		end_request(web, ((struct probe *)p)->own);
		judge((struct probe *)p, result);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct web *web = timer->data;
	int running;

	(void)curl_multi_socket_action(web->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_results(web);
}

static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct web *web = context;

	(void)multi;
	if (timeout_ms < 0)
		uv_timer_stop(&web->timer);
	else
		uv_timer_start(&web->timer, on_timer, (uint64_t)timeout_ms, 0);
	return 0;
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct web *web = poll->loop->data;
	int running, what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
			    (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0) |
			    (status < 0 ? CURL_CSELECT_ERR : 0);

	(void)curl_multi_socket_action(web->multi, watch->socket, what, &running);
	take_results(web);
}

static struct watch *add_watch(struct web *web, curl_socket_t socket)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch || uv_poll_init_socket(web->checker->loop, &watch->poll, socket) != 0)
		fatal("a socket of libcurl cannot be polled");
	watch->poll.data = watch;
	watch->socket = socket;
	(void)curl_multi_assign(web->multi, socket, watch);
	return watch;
}

static int set_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *own)
{
	struct web *web = context;
	struct watch *watch = own;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		(void)curl_multi_assign(web->multi, socket, NULL);
		if (watch)
			uv_close((uv_handle_t *)&watch->poll, on_closed);
		return 0;
	}
	if (!watch)
		watch = add_watch(web, socket);
	uv_poll_start(&watch->poll,
		(what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
		on_socket);
	return 0;
}

static size_t keep_body(char *bytes, size_t one, size_t size, void *context)
{
	struct request *r = context;
	size_t room = BODY_SIZE - r->length, kept = size < room ? size : room;

	(void)one;
	memcpy(r->body + r->length, bytes, kept);
	r->length += kept;
	return kept;
}

static void open_web(struct checker *c)
{
	struct web *web = calloc(1, sizeof(*web));

	if (!web || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 ||
		!(web->multi = curl_multi_init()) || uv_timer_init(c->loop, &web->timer) != 0)
		fatal("libcurl cannot be used");
	web->checker = c;
	web->timer.data = web;
	c->loop->data = web;
	c->http = web;
	(void)curl_multi_setopt(web->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	(void)curl_multi_setopt(web->multi, CURLMOPT_SOCKETDATA, web);
	(void)curl_multi_setopt(web->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	(void)curl_multi_setopt(web->multi, CURLMOPT_TIMERDATA, web);
}

static bool open_http(struct probe *p)
{
	struct request *r = p->own = calloc(1, sizeof(*r));

	if (!p->checker->http)
		open_web(p->checker);
	if (!r || !(r->easy = curl_easy_init()))
		fatal("out of memory");
	(void)curl_easy_setopt(r->easy, CURLOPT_URL, p->conf->target);
	(void)curl_easy_setopt(r->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(r->easy, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(r->easy, CURLOPT_USERAGENT, "ha/" HA_VERSION);
	(void)curl_easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(r->easy, CURLOPT_FRESH_CONNECT, 1L);
	(void)curl_easy_setopt(r->easy, CURLOPT_FORBID_REUSE, 1L);
	(void)curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, keep_body);
	(void)curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
	(void)curl_easy_setopt(r->easy, CURLOPT_PRIVATE, p);
	return true;
}

static void begin(struct probe *p)
{
	struct web *web = p->checker->http;
	struct request *r = p->own;

	r->length = 0;
	r->active = true;
	if (curl_multi_add_handle(web->multi, r->easy) != CURLM_OK)
		fatal("libcurl cannot be used");
}

static void abandon(struct probe *p)
{
	end_request(p->checker->http, p->own);
}

const struct probe_kind PROBE_HTTP = {.open = open_http, .begin = begin, .abandon = abandon};
