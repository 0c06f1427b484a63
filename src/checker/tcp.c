/* SPDX-License-Identifier: ISC */
/* tcp HOST:PORT: a connection can be made. It is reset at once, so that none of the host's ports
 * are kept waiting. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "checker/checker.h"
#include "sys/clock.h"
#include "sys/fatal.h"

/* A name is asked for again when nothing has answered at its address for so long. */
#define RESOLVE_AGAIN_NS (30 * NS_PER_S)

struct tcp {
	struct sockaddr_storage address;
	bool resolved, resolving, numeric;
	ha_time resolved_at;
	uv_getaddrinfo_t question;
	struct attempt *attempt; /* under way; NULL: none */
};

/* Its memory outlives the attempt until the loop has closed it. */
struct attempt {
	struct probe *probe; /* NULL: nobody waits for it any more */
	uv_tcp_t socket;
	uv_connect_t connect;
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void end_attempt(struct tcp *tcp)
{
	struct attempt *a = tcp->attempt;

	if (!a)
		return;
	tcp->attempt = NULL;
	a->probe = NULL;
	if (uv_tcp_close_reset(&a->socket, on_closed) != 0)
		uv_close((uv_handle_t *)&a->socket, on_closed);
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct attempt *a = connect->handle->data;
	struct probe *p = a->probe;

	if (!p)
		return; /* it was abandoned */
	end_attempt(p->own);
	if (status == 0)
		probe_answer(p, NULL, false);
	else
		probe_fail_uv(p, status);
}

static void connect_to(struct probe *p)
{
	struct tcp *tcp = p->own;
	struct attempt *a = calloc(1, sizeof(*a));
	int r;

	if (!a || uv_tcp_init(p->checker->loop, &a->socket) != 0)
		fatal("out of memory");
	a->probe = p;
	a->socket.data = a;
	tcp->attempt = a;
	r = uv_tcp_connect(
		&a->connect, &a->socket, (const struct sockaddr *)&tcp->address, on_connected);
	if (r == 0)
		return;
	end_attempt(tcp);
	probe_fail_uv(p, r);
}

static void on_resolved(uv_getaddrinfo_t *question, int status, struct addrinfo *found)
{
	struct probe *p = question->data;
	struct tcp *tcp = p->own;

	tcp->resolving = false;
	if (status == 0) {
		memcpy(&tcp->address, found->ai_addr, found->ai_addrlen);
		tcp->resolved = true;
		tcp->resolved_at = clock_now();
	}
	uv_freeaddrinfo(found);
	if (!p->under_way)
		return; /* its time was over; the next attempt uses it */
	if (status == 0)
		connect_to(p);
	else
		probe_fail_uv(p, status);
}

static void resolve(struct probe *p)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};
	struct tcp *tcp = p->own;
	char port[8];
	struct text t = text_init(port, sizeof(port));
	int r;

	if (tcp->resolving)
		return; /* its answer is awaited */
	text_add(&t, "%u", p->conf->port);
	tcp->question.data = p;
	tcp->resolving = true;
	r = uv_getaddrinfo(
		p->checker->loop, &tcp->question, on_resolved, p->conf->target, port, &hints);
	if (r == 0)
		return;
	tcp->resolving = false;
	probe_fail_uv(p, r);
}

static bool open_tcp(struct probe *p)
{
	struct tcp *tcp = p->own = calloc(1, sizeof(*tcp));
	const char *host = p->conf->target;

	if (!tcp)
		fatal("out of memory");
	tcp->numeric = uv_ip4_addr(host, p->conf->port, (struct sockaddr_in *)&tcp->address) == 0 ||
		       uv_ip6_addr(host, p->conf->port, (struct sockaddr_in6 *)&tcp->address) == 0;
	tcp->resolved = tcp->numeric;
	return true;
}

static void begin(struct probe *p)
{
	struct tcp *tcp = p->own;

	if (!tcp->numeric && p->check.verdict == CHECK_FAILING &&
		time_between(tcp->resolved_at, clock_now()) > RESOLVE_AGAIN_NS)
		tcp->resolved = false;
	if (tcp->resolved)
		connect_to(p);
	else
		resolve(p);
}

static void abandon(struct probe *p)
{
	end_attempt(p->own);
}

const struct probe_kind PROBE_TCP = {.open = open_tcp, .begin = begin, .abandon = abandon};
