/* SPDX-License-Identifier: ISC */
/* embedded: a node in this process: a driver with its engine, and the keeper as a child. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "api/child.h"
#include "api/node.h"
#include "api/tell.h"
#include "base/text.h"
#include "driver/driver.h"
#include "engine/views.h"
#include "sys/clock.h"
#include "sys/descriptors.h"
#include "wire/status.h"

#define OPEN_PATIENCE_MS  10000 /* loading the fence on a busy machine */
#define CLOSE_PATIENCE_MS 2000
#define HOST_NAME_SIZE    256
#define ASKED_MAX         16

struct embedded {
	struct child child;
	struct conf *conf; /* what the keeper parsed */
	struct heartbeat_key key;
	struct lease_page *lease;
	size_t lease_size;
	bool driver_open;
	struct driver driver;
	struct status status;
	uint32_t token; /* of the last request */
	/* The groups of the last requests, by their tokens. */
	char asked[ASKED_MAX][NAME_SIZE];
	char addresses[PEERS_MAX][IP_TEXT_SIZE]; /* of candidates */
};

/* --- what the driver tells */

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

	node_answered(n, m->asked[answer->token % ASKED_MAX], answer->outcome, answer->text);
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

/* --- opening */

static int seal(ha_node *n, const char *text, int *ret_fd)
{
	size_t size = strlen(text);
	int fd = memfd_create("ha.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && write(fd, text, size) == (ssize_t)size &&
		fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) ==
			0) {
		*ret_fd = fd;
		return 0;
	}
	(void)node_fail(n, -ENOMEM, "cannot pass the configuration on: %s", strerror(errno));
	descriptors_close(&fd, 1);
	return -ENOMEM;
}

static void describe_mistakes(
	ha_node *n, const struct ha_options *o, const struct conf_diagnostics *d)
{
	struct text t = text_init(n->error, sizeof(n->error));

	for (size_t i = 0; i < d->count; i++) {
		if (i > 0)
			text_add(&t, "\n");
		if (o->file)
			text_add(&t, "%s:%u: ", o->file, d->list[i].line);
		else if (o->text)
			text_add(&t, "line %u: ", d->list[i].line);
		text_add(&t, "%s", d->list[i].message);
	}
}

static void free_conf(struct conf *conf)
{
	conf_free(conf);
	free(conf);
}

static struct conf *parse(ha_node *n, const struct ha_options *o, const char *text, size_t size)
{
	struct conf_diagnostics *diagnostics = calloc(1, sizeof(*diagnostics));
	struct conf *conf = calloc(1, sizeof(*conf));
	char hostname[HOST_NAME_SIZE] = "";
	bool good = false;

	(void)gethostname(hostname, sizeof(hostname) - 1);
	if (diagnostics && conf)
		good = conf_parse(text, size, hostname, conf, diagnostics);
	else
		(void)node_fail(n, -ENOMEM, "out of memory");
	if (!good && diagnostics && diagnostics->count > 0)
		describe_mistakes(n, o, diagnostics);
	free(diagnostics);
	if (good)
		return conf;
	free(conf);
	return NULL;
}

/* A descriptor of the configuration for the keeper: of the file itself, whose owner it checks, or
 * of a sealed copy of the text. */
static int configuration_descriptor(
	ha_node *n, const struct ha_options *o, const char *text, int *ret_fd)
{
	if (!o->file || geteuid() == 0)
		return seal(n, text, ret_fd);
	*ret_fd = open(o->file, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? node_fail(n, -errno, "%s: %s", o->file, strerror(errno)) : 0;
}

static int check_text(ha_node *n, const struct ha_options *o, const char *text)
{
	struct conf *conf = parse(n, o, text, strlen(text));

	bool good = conf != NULL;

	free_conf(conf);
	return good ? 0 : -EINVAL;
}

/* The keeper's lines are as sys/log writes them: "ha-keeper: error: text". */
#define KEEPER_PREFIX "ha-keeper: "

static const char *after_prefix(const char *line, int *ret_level)
{
	const char *text = strstr(line, KEEPER_PREFIX);
	const char *colon;

	text = text ? text + strlen(KEEPER_PREFIX) : line;
	*ret_level = strncmp(text, "error", 5) == 0     ? HA_ERROR
		     : strncmp(text, "warning", 7) == 0 ? HA_WARNING
							: HA_NOTICE;
	colon = strstr(text, ": ");
	return colon ? colon + 2 : text;
}

static int greet(ha_node *n, struct embedded *m, struct child_greeting *ret_greeting)
{
	int r = child_await(&m->child, OPEN_PATIENCE_MS, ret_greeting);
	const char *words;
	int level;

	if (r == 0)
		return 0;
	words = after_prefix(m->child.talk_bytes, &level);
	if (r == -ETIMEDOUT)
		return node_fail(n, r, "the keeper does not answer");
	r = strstr(words, "another ha runs") ? -EBUSY : strstr(words, "privilege") ? -EPERM : -EIO;
	return node_fail(n, r, "the keeper cannot start: %s", *words ? words : "it gave no reason");
}

static int start_keeper(ha_node *n, const struct ha_options *o, struct child_greeting *ret_greeting)
{
	struct embedded *m = n->mode_state;
	struct child_start start = {
		.program = o->keeper, .runtime_dir = o->runtime_dir, .configuration = -1};
	int r, text_r;
	char *text = node_options_text(n, o, &text_r);

	if (!text)
		return text_r;
	r = check_text(n, o, text);
	if (r == 0)
		r = configuration_descriptor(n, o, text, &start.configuration);
	free(text);
	if (r < 0)
		return r;
	r = child_start(&start, &m->child);
	descriptors_close(&start.configuration, 1);
	if (r < 0)
		return node_fail(n, r, "cannot start %s: %s; is ha installed completely?",
			o->keeper ? o->keeper : "ha-keeper", strerror(-r));
	return greet(n, m, ret_greeting);
}

/* The whole of a descriptor, owned by the caller; NULL if it cannot be read. */
static char *read_whole(int fd, size_t *ret_size)
{
	struct stat st;
	char *bytes = NULL;

	if (fstat(fd, &st) == 0 && st.st_size >= 0 && st.st_size <= CONF_TEXT_MAX * 2)
		bytes = malloc((size_t)st.st_size + 1);
	if (bytes && pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size) {
		free(bytes);
		bytes = NULL;
	}
	*ret_size = bytes ? (size_t)st.st_size : 0;
	return bytes;
}

static int take_key(ha_node *n, struct embedded *m, int fd)
{
	size_t size;
	char *secret = read_whole(fd, &size);

	if (!secret || (size != 0 && size != CONF_KEY_SIZE)) {
		free(secret);
		return node_fail(n, -EPROTO, "the keeper handed over no usable key");
	}
	if (size != 0)
		heartbeat_key_init(&m->key, (const uint8_t *)secret, size);
	explicit_bzero(secret, size);
	free(secret);
	return 0;
}

/* What the keeper says counts: indices mean the same on both sides only if both read the same
 * bytes. */
static int take_greeting(ha_node *n, const struct ha_options *o, const struct child_greeting *g)
{
	struct embedded *m = n->mode_state;
	size_t size;
	char *text = read_whole(g->configuration, &size);

	m->conf = text ? parse(n, o, text, size) : NULL;
	free(text);
	if (!m->conf)
		return -EINVAL;
	m->lease_size = lease_size(m->conf->group_count);
	m->lease = mmap(NULL, m->lease_size, PROT_READ | PROT_WRITE, MAP_SHARED, g->lease, 0);
	if (m->lease == MAP_FAILED) {
		m->lease = NULL;
		return node_fail(n, -ENOMEM, "the lease cannot be mapped: %s", strerror(errno));
	}
	return take_key(n, m, g->key);
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
	r = start_keeper(n, o, &greeting);
	if (r < 0)
		return r;
	r = take_greeting(n, o, &greeting);
	descriptors_close((const int[]){greeting.lease, greeting.key, greeting.configuration}, 3);
	if (r == 0)
		r = open_driver(n);
	if (r == 0)
		driver_start(&m->driver);
	return r;
}

/* --- living */

static void on_line(void *context, const char *line)
{
	int level;
	const char *text = after_prefix(line, &level);

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
	free_conf(m->conf);
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
	text_copy(m->asked[m->token % ASKED_MAX], NAME_SIZE, r->group);
	driver_event(&m->driver, &event);
	return 0;
}

static size_t embedded_candidates(ha_node *n, size_t group, struct ha_candidate *ret_list)
{
	struct embedded *m = n->mode_state;
	const struct engine *e = m->driver.engine;
	struct view_node node;
	struct view_group view;
	size_t count = 0;

	for (size_t i = 1; views_node(e, clock_now(), i, &node) && count < PEERS_MAX; i++) {
		if (!node.live || !views_group(e, i, group, &view) || !view.eligible)
			continue;
		ret_list[count] = (struct ha_candidate){.size = sizeof(struct ha_candidate),
			.name = node.name,
			.address = ip_format(&node.address, m->addresses[count]),
			.id = node.id,
			.worth = view.worth};
		count++;
	}
	return count;
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
	.candidates = embedded_candidates,
	.interval_ns = embedded_interval_ns,
};
