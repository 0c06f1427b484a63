/* SPDX-License-Identifier: ISC */
#include "api/embedded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <jansson.h>

#include "api/tell.h"
#include "base/text.h"
#include "engine/views.h"
#include "sys/clock.h"
#include "sys/descriptors.h"

#define CLOSE_PATIENCE_MS 2000

static void on_report(void *context, const struct report *r, int64_t wall_ms)
{
	tell_report(context, r, wall_ms);
}

/* Commands of the configuration are the daemon's business; a program has its callback. */
static void on_hook(void *context, const struct engine_hook *hook)
{
	(void)context;
	(void)hook;
}

static void on_told(void *context, enum report_level level, const char *text)
{
	int kind = level <= REPORT_WARNING ? HA_EVENT_FAULT : HA_EVENT_NOTICE;

	(void)node_events_add(context, kind, tell_level(level), SIZE_MAX, text);
}

static void on_answer(void *context, const struct engine_answer *answer)
{
	ha_node *n = context;
	const struct embedded *m = n->mode_state;

	node_answered(
		n, m->asked[answer->token % EMBEDDED_ASKED_MAX], answer->outcome, answer->text);
}

/* A program that starts anew decides anew. */
static void on_remember(void *context, bool drained)
{
	(void)context;
	(void)drained;
}

static void on_stopped(void *context)
{
	node_end(context, 0, "this node has left");
}

static void on_failed(void *context, const char *text)
{
	node_end(context, -EPIPE, text);
}

/* What a daemon would do with the same file, and a program has to do itself. */
static void tell_ignored(ha_node *n, const struct conf *conf)
{
	bool any = conf->check_count > 0;

	for (size_t g = 0; g < conf->group_count; g++) {
		for (size_t kind = 0; kind < CONF_HOOK_KINDS; kind++)
			any = any || conf->groups[g].hook_count[kind] > 0;
	}
	if (any)
		(void)node_events_add(n, HA_EVENT_FAULT, HA_WARNING, SIZE_MAX,
			"checks and commands of the configuration are not run: a program has "
			"ha_set_health() and its events instead");
}

static void tell_joined(ha_node *n)
{
	for (size_t g = 0; g < n->group_count; g++) {
		struct queued_event *e = node_events_add(n, HA_EVENT_STATE, HA_NOTICE, g,
			"this node has joined and listens to the others first");

		e->state = HA_STANDBY;
		e->previous = HA_SHUTDOWN;
	}
}

static int open_driver(ha_node *n)
{
	struct embedded *m = n->mode_state;
	const struct driver_owner owner = {.context = n,
		.report = on_report,
		.hook = on_hook,
		.answer = on_answer,
		.remember = on_remember,
		.stopped = on_stopped,
		.told = on_told,
		.failed = on_failed};
	const struct driver_given given = {
		.conf = m->conf, .key = &m->key, .lease = m->lease, .channel = m->child.channel};
	int r = node_groups_set(n, m->conf->group_count);

	if (r == 0 && !status_init(&m->status, m->conf->group_count, m->conf->address_count))
		r = node_fail(n, -ENOMEM, "out of memory");
	if (r < 0)
		return r;
	for (size_t g = 0; g < n->group_count; g++) {
		text_copy(n->groups[g].name, NAME_SIZE, m->conf->groups[g].name);
		n->groups[g].worth = m->conf->groups[g].worth;
	}
	text_copy(n->name, sizeof(n->name), m->conf->node.name);
	tell_joined(n);
	tell_ignored(n, m->conf);
	m->driver_open = true;
	m->child.channel = -1;
	if (!driver_open(&m->driver, &given, &owner))
		return -EIO; /* on_failed() has set the error */
	r = node_watch(n, driver_descriptor(&m->driver));
	if (r == 0)
		r = node_watch(n, m->child.talk);
	return r;
}

static int embedded_open(ha_node *n, const struct ha_options *o)
{
	struct child_greeting greeting;
	struct embedded *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return node_fail(n, -ENOMEM, "out of memory");
	m->child = (struct child){.pid = -1, .process = -1, .channel = -1, .talk = -1};
	n->mode_state = m;
	r = embedded_start_keeper(n, o, &greeting);
	if (r < 0)
		return r;
	r = embedded_take_greeting(n, o, &greeting);
	descriptors_close((const int[]){greeting.lease, greeting.key, greeting.configuration}, 3);
	if (r == 0)
		r = open_driver(n);
	if (r == 0)
		driver_start(&m->driver);
	return r;
}

static void on_line(void *context, const char *line)
{
	int level;
	const char *text = embedded_keeper_words(line, &level);

	(void)node_events_add(context, level <= HA_WARNING ? HA_EVENT_FAULT : HA_EVENT_NOTICE,
		level, SIZE_MAX, text);
}

static void embedded_dispatch(ha_node *n)
{
	struct embedded *m = n->mode_state;

	if (!child_lines(&m->child, on_line, n))
		node_unwatch(n, m->child.talk);
	driver_dispatch(&m->driver);
	if (n->phase == PHASE_ENDED)
		node_unwatch(n, driver_descriptor(&m->driver));
}

static void embedded_stop(ha_node *n)
{
	struct embedded *m = n->mode_state;
	const struct engine_event event = {.kind = ENGINE_STOP};

	driver_event(&m->driver, &event);
}

static void embedded_close(ha_node *n)
{
	struct embedded *m = n->mode_state;

	if (!m)
		return;
	if (m->driver_open)
		driver_close(&m->driver);
	if (m->child.pid > 0)
		child_finish(&m->child, CLOSE_PATIENCE_MS);
	status_done(&m->status);
	if (m->lease)
		(void)munmap(m->lease, m->lease_size);
	explicit_bzero(&m->key, sizeof(m->key));
	embedded_free_conf(m->conf);
	free(m);
	n->mode_state = NULL;
}

static void embedded_tell(ha_node *n, const struct node_fitness *fitness)
{
	struct embedded *m = n->mode_state;
	struct engine_health health = {.group = (uint16_t)fitness->group,
		.worth = fitness->worth,
		.impaired = fitness->impaired,
		.ineligible = fitness->ineligible};
	const struct engine_event event = {.kind = ENGINE_HEALTH, .health = &health};

	text_copy(health.reason, sizeof(health.reason), fitness->reason);
	driver_event(&m->driver, &event);
}

static int embedded_snapshot(ha_node *n, char **ret_json)
{
	struct embedded *m = n->mode_state;
	json_t *json;

	driver_status(&m->driver, &m->status);
	text_copy(m->status.version, sizeof(m->status.version), HA_VERSION);
	json = status_to_json(&m->status);
	*ret_json = json ? json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	json_decref(json);
	return *ret_json ? 0 : node_fail(n, -ENOMEM, "out of memory");
}

static int embedded_request(ha_node *n, const struct control_request *r)
{
	struct embedded *m = n->mode_state;
	struct engine_request request = {.asked = *r};
	const struct engine_event event = {.kind = ENGINE_REQUEST, .request = &request};

	m->token += m->token == UINT32_MAX ? 2 : 1;
	request.token = m->token;
	text_copy(m->asked[m->token % EMBEDDED_ASKED_MAX], NAME_SIZE, r->group);
	driver_event(&m->driver, &event);
	return 0;
}

static int embedded_yield(ha_node *n, const struct control_request *r)
{
	const struct embedded *m = n->mode_state;
	struct control_request chosen = *r;
	struct candidates candidates;

	if (views_candidates(m->driver.engine, clock_now(), r->group, &candidates))
		node_choose(n, r->group, &candidates, chosen.to);
	return embedded_request(n, &chosen);
}

static int64_t embedded_interval_ns(const ha_node *n)
{
	const struct embedded *m = n->mode_state;

	return m->conf->node.interval_ns;
}

const struct mode EMBEDDED = {
	.open = embedded_open,
	.dispatch = embedded_dispatch,
	.stop = embedded_stop,
	.close = embedded_close,
	.tell = embedded_tell,
	.snapshot = embedded_snapshot,
	.request = embedded_request,
	.yield = embedded_yield,
	.interval_ns = embedded_interval_ns,
};
