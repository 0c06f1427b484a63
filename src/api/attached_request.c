/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "api/attached.h"
#include "base/text.h"
#include "sys/descriptors.h"

/* A connection with @request on it, or -errno. */
static int ask_daemon(const struct attached *m, const struct control_request *request)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char line[CONTROL_REQUEST_MAX];
	size_t size = control_encode(request, line, sizeof(line));
	int error;

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&m->address, sizeof(m->address)) == 0 &&
		send(fd, line, size, MSG_NOSIGNAL) == (ssize_t)size)
		return fd;
	error = errno;
	descriptors_close(&fd, 1);
	return -error;
}

int attached_connect(struct attached *m)
{
	struct control_request request = {.command = CONTROL_ATTACH};
	int r;

	text_copy(request.group, sizeof(request.group), m->group);
	r = ask_daemon(m, &request);
	m->socket = r < 0 ? -1 : r;
	return r < 0 ? r : 0;
}

int attached_explain(ha_node *n, const struct attached *m, int error)
{
	switch (-error) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		return node_fail(n, -ENOENT,
			"no daemon listens on %s; start one with `ha run` or `systemctl start ha`",
			m->address.sun_path);
	case EACCES:
	case EPERM:
		return node_fail(n, -EACCES, "no permission to use %s; be a member of the group ha",
			m->address.sun_path);
	default:
		return node_fail(n, error, "cannot ask the daemon at %s: %s", m->address.sun_path,
			strerror(-error));
	}
}

static void take_outcome(ha_node *n, const json_t *json)
{
	const struct attached *m = n->mode_state;
	const char *name = json_string_value(json_object_get(json, "outcome"));
	const char *text = json_string_value(json_object_get(json, "text"));
	enum control_outcome outcome = CONTROL_FAILED;

	if (!text)
		text = json_string_value(json_object_get(json, "error"));
	if (name)
		(void)control_outcome_by_name(name, &outcome);
	node_answered(n, m->asked_for.group, outcome, text ? text : "the daemon has gone");
}

/* Begins @r, whose answer is awaited. 0 or -errno. */
static int ask(ha_node *n, const struct control_request *r)
{
	struct attached *m = n->mode_state;
	int fd;

	if (m->ask >= 0)
		return node_fail(n, -EBUSY, "an earlier request is not answered yet");
	fd = ask_daemon(m, r);
	if (fd < 0)
		return attached_explain(n, m, fd);
	m->ask = fd;
	m->answer_size = 0;
	m->asked_for = *r;
	return node_watch(n, fd);
}

/* Who could take the group is known now: the yield itself follows, to whom the program chooses. A
 * daemon that cannot tell decides itself. */
static void go_on_to_yield(ha_node *n, const json_t *json)
{
	const struct attached *m = n->mode_state;
	struct control_request r = {.command = CONTROL_YIELD};
	struct candidates candidates;

	text_copy(r.group, sizeof(r.group), m->asked_for.group);
	if (candidates_from_json(json, &candidates))
		node_choose(n, r.group, &candidates, r.to);
	if (ask(n, &r) < 0)
		node_answered(n, r.group, CONTROL_FAILED, ha_error(n));
}

static void take_answer(ha_node *n, const char *line)
{
	struct attached *m = n->mode_state;
	json_t *json = json_loads(line, 0, NULL);

	node_unwatch(n, m->ask);
	descriptors_close(&m->ask, 1);
	m->ask = -1;
	if (m->asked_for.command == CONTROL_CANDIDATES)
		go_on_to_yield(n, json);
	else
		take_outcome(n, json);
	json_decref(json);
}

void attached_hear_answer(ha_node *n)
{
	struct attached *m = n->mode_state;
	ssize_t got;

	if (m->ask < 0)
		return;
	got = recv(m->ask, m->answer + m->answer_size, sizeof(m->answer) - 1 - m->answer_size,
		MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	m->answer_size += got > 0 ? (size_t)got : 0;
	m->answer[m->answer_size] = '\0';
	if (got > 0 && !strchr(m->answer, '\n') && m->answer_size < sizeof(m->answer) - 1)
		return;
	take_answer(n, m->answer);
}

int attached_request(ha_node *n, const struct control_request *r)
{
	if (strpbrk(r->to, "\"\\\n"))
		return node_fail(n, -ENOENT, "that is not the name of a node");
	return ask(n, r);
}

int attached_yield(ha_node *n, const struct control_request *r)
{
	struct control_request candidates = *r;

	candidates.command = CONTROL_CANDIDATES;
	return attached_request(n, &candidates);
}
