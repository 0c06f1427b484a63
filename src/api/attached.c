/* SPDX-License-Identifier: ISC */
#include "api/attached.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "api/tell.h"
#include "base/text.h"
#include "conf/conf.h"
#include "sys/clock.h"
#include "sys/descriptors.h"
#include "sys/timer.h"

#define DEFAULT_RUNTIME_DIR "/run/ha"
#define OPEN_PATIENCE_MS    10000
#define RETRY_NS            (50 * NS_PER_MS)
#define GRACE_NS            NS_PER_S /* a daemon that is replaced is back long before */
#define ANSWER_NS           (200 * NS_PER_MS)

static void attached_tell(ha_node *n, const struct node_fitness *fitness)
{
	struct attached *m = n->mode_state;

	m->line.worth = fitness->worth;
	m->line.impaired = fitness->impaired;
	m->line.ineligible = fitness->ineligible || n->stopping;
	text_copy(m->line.reason, sizeof(m->line.reason), fitness->reason);
	attached_say(n);
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
		attached_hear(n);
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
	r = attached_connect(m);
	if (r < 0)
		return attached_explain(n, m, r);
	r = await_status(n);
	if (r < 0)
		return r;
	json = json_loads(m->status, 0, NULL);
	group = attached_find_group(json, m->group);
	n->groups[0].worth = (int)json_integer_value(json_object_get(group, "worth"));
	json_decref(json);
	r = node_watch(n, m->socket);
	if (r == 0)
		r = node_watch(n, m->beat_fd);
	timer_set(m->beat_fd, time_add(clock_now(), m->interval_ns));
	return r;
}

static void attached_stop(ha_node *n)
{
	struct attached *m = n->mode_state;

	m->line.ineligible = true;
	text_copy(m->line.reason, sizeof(m->line.reason), "its program stops");
	attached_say(n);
}

/* A socket whose daemon has just gone still takes connections; only an answer says that one is
 * there. */
static void reconnect(ha_node *n)
{
	struct attached *m = n->mode_state;

	if (m->socket >= 0 && time_between(m->asked, clock_now()) >= ANSWER_NS)
		attached_lose(n);
	if (m->socket < 0 && attached_connect(m) == 0) {
		m->asked = clock_now();
		(void)node_watch(n, m->socket);
	}
	if (time_between(m->lost, clock_now()) >= GRACE_NS)
		attached_tell_state(
			n, HA_SHUTDOWN, "the daemon has gone; this program waits for it", 0);
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
		attached_say(n);
	timer_set(m->beat_fd, time_add(clock_now(), m->unanswered ? RETRY_NS : m->interval_ns));
}

static void attached_dispatch(ha_node *n)
{
	struct attached *m = n->mode_state;

	attached_hear(n);
	attached_hear_answer(n);
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
	.yield = attached_yield,
	.interval_ns = attached_interval_ns,
};
