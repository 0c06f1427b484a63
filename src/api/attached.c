/* SPDX-License-Identifier: ISC */
/*
 * attached: a node whose engine is the daemon's. A line an interval says that this program lives
 * and what it makes of its group (wire/attach.h); the daemon tells what happens. A daemon that goes
 * is waited for.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "api/node.h"
#include "api/tell.h"
#include "base/text.h"
#include "conf/conf.h"
#include "sys/clock.h"
#include "sys/descriptors.h"
#include "sys/timer.h"
#include "wire/attach.h"
#include "wire/control.h"
#include "wire/status.h"

#define DEFAULT_RUNTIME_DIR "/run/ha"
#define OPEN_PATIENCE_MS    10000
#define RETRY_NS            (50 * NS_PER_MS)
#define GRACE_NS            NS_PER_S /* a daemon that is replaced is back long before */
#define ANSWER_NS           (200 * NS_PER_MS)
#define INPUT_MAX           (16 * 1024 * 1024) /* longer than any status */
#define INPUT_STEP          (64 * 1024)
#define ANSWER_MAX          1024

struct attached {
	struct sockaddr_un address;
	char group[NAME_SIZE];
	int socket;  /* -1: the daemon is not there */
	int beat_fd; /* a timer: say that we live */
	int64_t interval_ns;
	struct attach_line line; /* what is said */
	char *input;             /* owned: what came and is not a whole line yet */
	size_t input_size, input_room;
	char *status; /* owned: the last one, as a line of JSON; NULL: none */
	bool status_wanted;
	bool unanswered; /* the daemon is gone, or has not answered yet ... */
	ha_time lost;    /* ... since then */
	ha_time asked;   /* when it was last connected to */
	/* A request of its own connection: the answer is one line. */
	int ask; /* -1: none is under way */
	char asked_group[NAME_SIZE];
	char answer[ANSWER_MAX];
	size_t answer_size;
};

/* --- saying */

static void lose(ha_node *n);

/* Never waits: a daemon that does not read so little has no use for more. */
static void say(ha_node *n)
{
	struct attached *m = n->mode_state;
	char line[ATTACH_LINE_MAX];
	size_t size;

	if (m->socket < 0)
		return;
	m->line.status = m->status_wanted;
	size = attach_encode(&m->line, line);
	if (send(m->socket, line, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
		lose(n);
	else
		m->status_wanted = false;
}

static void attached_tell(ha_node *n, const struct node_fitness *fitness)
{
	struct attached *m = n->mode_state;

	m->line.worth = fitness->worth;
	m->line.impaired = fitness->impaired;
	m->line.ineligible = fitness->ineligible || n->stopping;
	text_copy(m->line.reason, sizeof(m->line.reason), fitness->reason);
	say(n);
}

/* --- hearing */

static void tell_state(ha_node *n, enum ha_state state, const char *text, uint64_t epoch)
{
	enum ha_state last = tell_last_state(n, 0);
	struct queued_event *e;

	if (last == state)
		return;
	e = node_events_add(n, HA_EVENT_STATE, HA_NOTICE, 0, text ? text : "");
	e->state = (int)state;
	e->previous = (int)last;
	e->epoch = epoch;
}

/* One that is replaced by another (a restart, a reload) can soon be asked again, and what is held
 * stays: that there is none is told after a while. */
static void lose(ha_node *n)
{
	struct attached *m = n->mode_state;

	node_unwatch(n, m->socket);
	descriptors_close(&m->socket, 1);
	m->socket = -1;
	m->input_size = 0;
	if (!m->unanswered)
		m->lost = clock_now();
	m->unanswered = true;
	timer_set(m->beat_fd, clock_now());
}

static const json_t *find_group(const json_t *status, const char *name)
{
	const json_t *list = json_object_get(status, "groups");
	size_t i;
	const json_t *item;

	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(json_object_get(item, "name"));

		if (text && strcmp(text, name) == 0)
			return item;
	}
	return NULL;
}

static enum ha_state state_named(const char *name)
{
	if (name && strcmp(name, "ACTIVE") == 0)
		return HA_ACTIVE;
	return name && strcmp(name, "SHUTDOWN") == 0 ? HA_SHUTDOWN : HA_STANDBY;
}

static void take_status(ha_node *n, const json_t *json, const char *line)
{
	struct attached *m = n->mode_state;
	const json_t *group = find_group(json, m->group);
	const json_t *node = json_object_get(json, "node");
	double interval_ms = json_number_value(json_object_get(node, "interval_ms"));
	const char *name = json_string_value(json_object_get(node, "name"));
	char *copy = strdup(line);

	text_copy(n->name, sizeof(n->name), name ? name : "");
	if (interval_ms >= 1)
		m->interval_ns = (int64_t)(interval_ms * (double)NS_PER_MS);
	m->unanswered = false;
	if (copy) {
		free(m->status);
		m->status = copy;
	}
	if (!group)
		return;
	tell_state(n, state_named(json_string_value(json_object_get(group, "state"))),
		json_string_value(json_object_get(group, "reason")),
		(uint64_t)json_integer_value(json_object_get(group, "epoch")));
}

static void take_report(ha_node *n, const json_t *json)
{
	const struct attached *m = n->mode_state;
	struct report r;
	int64_t wall_ms;
	const char *error;

	if (!report_from_json(json, &r, &wall_ms, &error))
		return; /* of a later version: what it says about states comes with the next status
			 */
	if (r.group[0] == '\0' || strcmp(r.group, m->group) == 0)
		tell_report(n, &r, wall_ms);
}

static void take_line(ha_node *n, const char *line)
{
	json_t *json = json_loads(line, 0, NULL);
	const char *error = json_string_value(json_object_get(json, "error"));

	if (error)
		(void)node_events_add(n, HA_EVENT_FAULT, HA_ERROR, SIZE_MAX, error);
	else if (json_object_get(json, "groups"))
		take_status(n, json, line);
	else if (json)
		take_report(n, json);
	json_decref(json);
}

static bool make_room(struct attached *m)
{
	char *larger;

	if (m->input_room - m->input_size > INPUT_STEP / 2)
		return true;
	if (m->input_room >= INPUT_MAX)
		return false;
	larger = realloc(m->input, m->input_room + INPUT_STEP);
	if (!larger)
		return false;
	m->input = larger;
	m->input_room += INPUT_STEP;
	return true;
}

static void take_lines(ha_node *n, struct attached *m)
{
	size_t taken = 0;
	char *end;

	while (m->socket >= 0 && (end = memchr(m->input + taken, '\n', m->input_size - taken))) {
		*end = '\0';
		take_line(n, m->input + taken);
		taken = (size_t)(end - m->input) + 1;
	}
	if (m->socket < 0)
		return;
	m->input_size -= taken;
	memmove(m->input, m->input + taken, m->input_size);
}

static void hear(ha_node *n)
{
	struct attached *m = n->mode_state;

	while (m->socket >= 0) {
		ssize_t got = -1;

		errno = ENOMEM;
		if (make_room(m))
			got = recv(m->socket, m->input + m->input_size,
				m->input_room - m->input_size - 1, MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			lose(n);
			return;
		}
		m->input_size += (size_t)got;
		take_lines(n, m);
	}
}

/* --- opening */

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

static int connect_daemon(struct attached *m)
{
	struct control_request request = {.command = CONTROL_ATTACH};
	int r;

	text_copy(request.group, sizeof(request.group), m->group);
	r = ask_daemon(m, &request);
	m->socket = r < 0 ? -1 : r;
	return r < 0 ? r : 0;
}

static int explain_connection(ha_node *n, const struct attached *m, int error)
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

/* The first line is a status, or an error and then the end. */
static int await_status(ha_node *n)
{
	struct attached *m = n->mode_state;
	ha_time end = time_add(clock_now(), OPEN_PATIENCE_MS * NS_PER_MS);

	while (!m->status) {
		struct pollfd ready = {.fd = m->socket, .events = POLLIN};
		int64_t left_ns = time_between(clock_now(), end);

		if (left_ns <= 0 || poll(&ready, 1, (int)(left_ns / NS_PER_MS) + 1) < 0)
			return node_fail(n, -ETIMEDOUT, "the daemon does not answer");
		hear(n);
		if (m->socket < 0) {
			const struct queued_event *e = &n->events[n->event_first];

			return node_fail(n, -EACCES, "the daemon refuses: %s",
				n->event_count > 0 ? e->text : "it hung up");
		}
	}
	return 0;
}

static int set_up(ha_node *n, const struct ha_options *o)
{
	struct attached *m = n->mode_state;
	const char *folder = o->runtime_dir ? o->runtime_dir : DEFAULT_RUNTIME_DIR;
	struct text path = text_init(m->address.sun_path, sizeof(m->address.sun_path));

	if (o->file || o->text || o->interface || o->address)
		return node_fail(n, -EINVAL,
			"an attached program names its group; addresses and all else are the "
			"daemon's");
	if (strlen(folder) + sizeof("/" CONTROL_SOCKET_NAME) > sizeof(m->address.sun_path))
		return node_fail(n, -EINVAL, "runtime_dir is too long for a socket's path");
	if (o->group && strpbrk(o->group, "\"\\\n"))
		return node_fail(n, -EINVAL, "that is not the name of a group");
	m->address.sun_family = AF_UNIX;
	text_add(&path, "%s/%s", folder, CONTROL_SOCKET_NAME);
	text_copy(m->group, sizeof(m->group), o->group ? o->group : CONF_GROUP);
	m->beat_fd = timer_open();
	if (m->beat_fd < 0)
		return node_fail(n, m->beat_fd, "no timer: %s", strerror(-m->beat_fd));
	return node_groups_set(n, 1);
}

static int attached_open(ha_node *n, const struct ha_options *o)
{
	struct attached *m = calloc(1, sizeof(*m));
	const json_t *group;
	json_t *json;
	int r;

	if (!m)
		return node_fail(n, -ENOMEM, "out of memory");
	m->socket = m->beat_fd = m->ask = -1;
	m->interval_ns = NS_PER_S;
	n->mode_state = m;
	r = set_up(n, o);
	if (r < 0)
		return r;
	text_copy(n->groups[0].name, NAME_SIZE, m->group);
	r = connect_daemon(m);
	if (r < 0)
		return explain_connection(n, m, r);
	r = await_status(n);
	if (r < 0)
		return r;
	json = json_loads(m->status, 0, NULL);
	group = find_group(json, m->group);
	n->groups[0].worth = (int)json_integer_value(json_object_get(group, "worth"));
	json_decref(json);
	r = node_watch(n, m->socket);
	if (r == 0)
		r = node_watch(n, m->beat_fd);
	timer_set(m->beat_fd, time_add(clock_now(), m->interval_ns));
	return r;
}

/* --- asking for planned moves */

static void take_answer(ha_node *n, const char *line)
{
	const struct attached *m = n->mode_state;
	json_t *json = json_loads(line, 0, NULL);
	const char *name = json_string_value(json_object_get(json, "outcome"));
	const char *text = json_string_value(json_object_get(json, "text"));
	enum control_outcome outcome = CONTROL_FAILED;

	if (!text)
		text = json_string_value(json_object_get(json, "error"));
	if (name)
		(void)control_outcome_by_name(name, &outcome);
	node_answered(n, m->asked_group, outcome, text ? text : "the daemon has gone");
	json_decref(json);
}

static void hear_answer(ha_node *n)
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
	node_unwatch(n, m->ask);
	descriptors_close(&m->ask, 1);
	m->ask = -1;
}

static int attached_request(ha_node *n, const struct control_request *r)
{
	struct attached *m = n->mode_state;
	int fd;

	if (m->ask >= 0)
		return node_fail(n, -EBUSY, "an earlier request is not answered yet");
	if (strpbrk(r->to, "\"\\\n"))
		return node_fail(n, -ENOENT, "that is not the name of a node");
	fd = ask_daemon(m, r);
	if (fd < 0)
		return explain_connection(n, m, fd);
	m->ask = fd;
	m->answer_size = 0;
	text_copy(m->asked_group, sizeof(m->asked_group), r->group);
	return node_watch(n, fd);
}

/* --- living */

static void attached_stop(ha_node *n)
{
	struct attached *m = n->mode_state;

	m->line.ineligible = true;
	text_copy(m->line.reason, sizeof(m->line.reason), "its program stops");
	say(n);
}

/* A socket whose daemon has just gone still takes connections; only an answer says that one is
 * there. */
static void reconnect(ha_node *n)
{
	struct attached *m = n->mode_state;

	if (m->socket >= 0 && time_between(m->asked, clock_now()) >= ANSWER_NS)
		lose(n);
	if (m->socket < 0 && connect_daemon(m) == 0) {
		m->asked = clock_now();
		(void)node_watch(n, m->socket);
	}
	if (time_between(m->lost, clock_now()) >= GRACE_NS)
		tell_state(n, HA_SHUTDOWN, "the daemon has gone; this program waits for it", 0);
}

static void beat(ha_node *n)
{
	struct attached *m = n->mode_state;
	struct pollfd due = {.fd = m->beat_fd, .events = POLLIN};

	if (poll(&due, 1, 0) != 1)
		return;
	timer_clear(m->beat_fd);
	if (m->unanswered)
		reconnect(n);
	if (m->socket >= 0)
		say(n);
	timer_set(m->beat_fd, time_add(clock_now(), m->unanswered ? RETRY_NS : m->interval_ns));
}

static void attached_dispatch(ha_node *n)
{
	struct attached *m = n->mode_state;

	hear(n);
	hear_answer(n);
	beat(n);
	if (n->stopping && (m->socket < 0 || tell_last_state(n, 0) != HA_ACTIVE)) {
		node_end(n, 0, "this program has left");
		node_unwatch(n, m->beat_fd);
		node_unwatch(n, m->socket);
	}
}

static void attached_close(ha_node *n)
{
	struct attached *m = n->mode_state;

	if (!m)
		return;
	descriptors_close((const int[]){m->socket, m->beat_fd, m->ask}, 3);
	free(m->input);
	free(m->status);
	free(m);
	n->mode_state = NULL;
}

/* The next status is asked for, so that who looks again sees a fresh one. */
static int attached_snapshot(ha_node *n, char **ret_json)
{
	struct attached *m = n->mode_state;

	m->status_wanted = true;
	*ret_json = strdup(m->status);
	return *ret_json ? 0 : node_fail(n, -ENOMEM, "out of memory");
}

static int64_t attached_interval_ns(const ha_node *n)
{
	const struct attached *m = n->mode_state;

	return m->interval_ns;
}

const struct mode ATTACHED = {
	.open = attached_open,
	.dispatch = attached_dispatch,
	.stop = attached_stop,
	.close = attached_close,
	.tell = attached_tell,
	.snapshot = attached_snapshot,
	.request = attached_request,
	.interval_ns = attached_interval_ns,
};
