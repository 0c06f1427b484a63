/* SPDX-License-Identifier: ISC */
#include "api/node.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/tell.h"
#include "sys/timer.h"

/* Of the first version of the interface; whoever was compiled against a later one has more. */
#define OPTIONS_SIZE_MIN offsetof(struct ha_options, context)

const char *ha_version(void)
{
	return HA_VERSION;
}

int node_fail(ha_node *n, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(n->error, sizeof(n->error), format, arguments);
	va_end(arguments);
	return error;
}

int node_watch(ha_node *n, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(n->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	return node_fail(n, -errno, "cannot wait for a descriptor: %s", strerror(errno));
}

void node_unwatch(ha_node *n, int fd)
{
	if (fd >= 0 && n->poll_fd >= 0)
		(void)epoll_ctl(n->poll_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* Each group first, so that nobody is left believing that it serves. */
void node_end(ha_node *n, int error, const char *text)
{
	struct queued_event *e;

	if (n->phase != PHASE_OPEN)
		return;
	n->phase = PHASE_ENDED;
	n->end_error = error;
	if (error < 0)
		(void)node_fail(n, error, "%s", text);
	for (size_t g = 0; g < n->group_count; g++) {
		enum ha_state last = tell_last_state(n, g);

		if (last == HA_SHUTDOWN)
			continue;
		e = node_events_add(n, HA_EVENT_STATE, error < 0 ? HA_ERROR : HA_NOTICE, g, text);
		e->state = HA_SHUTDOWN;
		e->previous = (int)last;
	}
	e = node_events_add(n, HA_EVENT_STOPPED, error < 0 ? HA_ERROR : HA_NOTICE, SIZE_MAX, text);
	e->error = error;
}

ha_node *ha_new(void)
{
	ha_node *n = calloc(1, sizeof(*n));

	if (n)
		n->poll_fd = n->wake_fd = n->policy_fd = -1;
	return n;
}

static void close_descriptor(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* Back to how ha_new() leaves it; the error stays. */
static void close_all(ha_node *n)
{
	if (n->mode)
		n->mode->close(n);
	n->mode = NULL;
	close_descriptor(&n->policy_fd);
	close_descriptor(&n->wake_fd);
	close_descriptor(&n->poll_fd);
	free(n->groups);
	free(n->events);
	n->groups = NULL;
	n->events = NULL;
	n->group_count = n->event_count = n->event_first = 0;
	n->phase = PHASE_CLOSED;
	n->stopping = n->end_told = false;
}

void ha_free(ha_node *n)
{
	if (!n)
		return;
	n->free_wanted = true;
	if (n->dispatching)
		return; /* it is done when the callback has returned */
	close_all(n);
	free(n);
}

static int open_descriptors(ha_node *n)
{
	int r;

	n->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	n->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	n->policy_fd = timer_open();
	if (n->poll_fd < 0 || n->wake_fd < 0 || n->policy_fd < 0)
		return node_fail(n, -EMFILE, "no descriptors are left for timers");
	r = node_watch(n, n->wake_fd);
	return r < 0 ? r : node_watch(n, n->policy_fd);
}

static int open_all(ha_node *n, const struct ha_options *o)
{
	int r;

	n->events = calloc(NODE_EVENTS_MAX, sizeof(*n->events));
	if (!n->events)
		return node_fail(n, -ENOMEM, "out of memory");
	r = open_descriptors(n);
	if (r < 0)
		return r;
	n->event = o->event;
	n->worth_of = o->worth_of;
	n->veto = o->veto;
	n->choose = o->choose;
	n->context = o->context;
	n->phase = PHASE_OPEN; /* what the mode tells while it opens waits in the queue */
	n->mode = o->attached ? &ATTACHED : &EMBEDDED;
	r = n->mode->open(n, o);
	if (r == 0)
		node_groups_start(n);
	return r;
}

int ha_open(ha_node *n, const struct ha_options *options)
{
	struct ha_options o = {0};
	int r;

	if (!n)
		return -EINVAL;
	if (n->phase != PHASE_CLOSED)
		return node_fail(n, -EINVAL, "the node is open already");
	if (!options || options->size < OPTIONS_SIZE_MIN || options->size > (1 << 16))
		return node_fail(n, -EINVAL,
			"options.size is not set: begin with struct ha_options o = "
			"HA_OPTIONS_INIT");
	memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
	n->error[0] = '\0';
	r = open_all(n, &o);
	if (r < 0)
		close_all(n);
	return r;
}

const char *ha_error(const ha_node *n)
{
	return n ? n->error : "there is no node";
}

int ha_fd(const ha_node *n)
{
	return n ? n->poll_fd : -1;
}

static int result(const ha_node *n)
{
	if (n->phase == PHASE_ENDED && n->end_told)
		return n->end_error < 0 ? n->end_error : 1;
	return 0;
}

int ha_dispatch(ha_node *n)
{
	struct pollfd policy;
	int r;

	if (!n || n->phase == PHASE_CLOSED || n->dispatching)
		return n ? node_fail(n, -EINVAL,
				   n->dispatching ? "ha_dispatch() within a callback"
						  : "the node is not open")
			 : -EINVAL;
	n->dispatching = true;
	if (n->phase == PHASE_OPEN)
		n->mode->dispatch(n);
	policy = (struct pollfd){.fd = n->policy_fd, .events = POLLIN};
	if (n->phase == PHASE_OPEN && poll(&policy, 1, 0) == 1)
		node_groups_policy_due(n);
	node_events_deliver(n);
	n->dispatching = false;
	r = result(n);
	if (n->free_wanted) {
		ha_free(n);
		return r < 0 ? r : 1;
	}
	return r;
}

int ha_run(ha_node *n)
{
	struct pollfd ready;
	int r = 0;

	if (!n || n->phase == PHASE_CLOSED)
		return n ? node_fail(n, -EINVAL, "the node is not open") : -EINVAL;
	while (r == 0) {
		ready = (struct pollfd){.fd = n->poll_fd, .events = POLLIN};
		if (poll(&ready, 1, -1) < 0 && errno != EINTR)
			return node_fail(n, -errno, "cannot wait: %s", strerror(errno));
		r = ha_dispatch(n);
	}
	return r < 0 ? r : 0;
}

int ha_stop(ha_node *n)
{
	if (!n || n->phase == PHASE_CLOSED)
		return n ? node_fail(n, -EINVAL, "the node is not open") : -EINVAL;
	if (n->phase == PHASE_OPEN && !n->stopping) {
		n->stopping = true;
		n->mode->stop(n);
	}
	return 0;
}

int ha_snapshot(ha_node *n, char **ret_json)
{
	if (!n || !ret_json)
		return -EINVAL;
	if (n->phase != PHASE_OPEN)
		return node_fail(n, -EINVAL, "the node is not open");
	return n->mode->snapshot(n, ret_json);
}
