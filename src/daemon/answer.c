/* SPDX-License-Identifier: ISC */
#include "daemon/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/checks.h"
#include "driver/driver.h"
#include "engine/views.h"
#include "sys/clock.h"
#include "sys/scheduling.h"
#include "wire/json.h"

#define GROUPS_PER_SLICE 8 /* some 10 microseconds each */
#define TEXT_SIZE_FIRST  (64 * 1024)
#define ID_TEXT_SIZE     17
#define DIFFERENCES_MAX  256

enum stage {
	STAGE_HEAD,
	STAGE_GROUPS,
	STAGE_VIEW,
	STAGE_VIEW_GROUPS,
	STAGE_DIFFERENCES,
	STAGE_DONE
};

struct answer {
	struct driver *driver;
	bool cluster, failed;
	enum stage stage;
	size_t node, group; /* next */
	struct status status;
	json_t *differences; /* owned */
	char *text;          /* owned */
	size_t used, size;
};

static void add_bytes(struct answer *a, const char *bytes, size_t size)
{
	size_t needed = a->used + size + 1;

	if (needed > a->size) {
		size_t larger = a->size ? a->size : TEXT_SIZE_FIRST;
		char *text;

		while (larger < needed)
			larger *= 2;
		text = realloc(a->text, larger);
		if (!text) {
			a->failed = true;
			return;
		}
		a->text = text;
		a->size = larger;
	}
	memcpy(a->text + a->used, bytes, size);
	a->used += size;
	a->text[a->used] = '\0';
}

static void add(struct answer *a, const char *text)
{
	add_bytes(a, text, strlen(text));
}

/* Appends @json, which it owns; without the brace that ends it if it is @open to more members. */
static void add_json(struct answer *a, json_t *json, bool open)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

	json_decref(json);
	if (text)
		add_bytes(a, text, strlen(text) - open);
	else
		a->failed = true;
	free(text);
}

/* --- what is told only once */

static json_t *peer_timings(const struct engine *e)
{
	json_t *array = json_array();
	struct engine_peer p;

	for (size_t i = 0; engine_peer(e, i, &p); i++) {
		(void)json_array_append_new(
			array, json_pack("{s:o, s:o}", "name", json_from_text(p.name), "jitter",
				       histogram_to_json(p.jitter)));
	}
	return array;
}

static void add_head(struct answer *a)
{
	json_t *metrics = metrics_to_json(engine_metrics(a->driver->engine));

	(void)json_object_set_new(metrics, "peers", peer_timings(a->driver->engine));
	add_json(a, status_head_to_json(&a->status), true);
	add(a, ",\"metrics\":");
	add_json(a, metrics, false);
	add(a, ",\"groups\":[");
	a->stage = STAGE_GROUPS;
}

static void fill_group(struct answer *a)
{
	const struct conf_group *conf = &a->driver->conf->groups[a->group];
	struct status_group *g = &a->status.groups[a->group];

	driver_status_group(a->driver, a->group, &a->status);
	g->check_first = conf->check_first;
	g->check_count = conf->check_count;
}

static void add_groups(struct answer *a)
{
	for (int i = 0; i < GROUPS_PER_SLICE && a->group < a->status.group_count; i++) {
		fill_group(a);
		add(a, a->group > 0 ? "," : "");
		add_json(a, status_group_to_json(&a->status, a->group), false);
		a->group++;
	}
	if (a->group < a->status.group_count)
		return;
	add(a, "],\"warnings\":");
	add_json(a, status_warnings_to_json(&a->status), false);
	if (a->cluster)
		add(a, ",\"views\":{\"nodes\":[");
	a->stage = a->cluster ? STAGE_VIEW : STAGE_DONE;
}

/* --- the views */

static json_t *heard_to_json(const struct engine *e, size_t node)
{
	json_t *array = json_array();
	struct view_heard heard;

	for (size_t i = 0; views_heard(e, node, i, &heard); i++) {
		(void)json_array_append_new(
			array, json_pack("{s:o, s:o, s:I}", "name",
				       heard.name ? json_from_text(heard.name) : json_null(), "id",
				       json_from_id(heard.id), "age_ms", (json_int_t)heard.age_ms));
	}
	return array;
}

static json_t *view_to_json(const struct engine *e, size_t node, const struct view_node *n)
{
	return json_pack("{s:o, s:o, s:o, s:b, s:b, s:I, s:I, s:o}", "name",
		json_from_text(n->name), "id", json_from_id(n->id), "address",
		json_from_ip(&n->address), "self", node == 0, "live", n->live, "last_heard_ms",
		(json_int_t)n->last_heard_ms, "tolerance_ms", (json_int_t)n->tolerance_ms, "hears",
		heard_to_json(e, node));
}

static void add_view(struct answer *a)
{
	const struct engine *e = a->driver->engine;
	struct view_node n;

	if (!views_node(e, clock_now(), a->node, &n)) {
		add(a, "],\"differences\":");
		a->group = 0;
		a->stage = STAGE_DIFFERENCES;
		return;
	}
	add(a, a->node > 0 ? "," : "");
	add_json(a, view_to_json(e, a->node, &n), true);
	add(a, ",\"groups\":[");
	a->group = 0;
	a->stage = STAGE_VIEW_GROUPS;
}

static json_t *view_group_to_json(const char *name, const struct view_group *v)
{
	return json_pack("{s:o, s:s, s:i, s:b, s:b, s:b, s:b, s:o}", "name", json_from_text(name),
		"state", node_state_name(v->state), "worth", v->worth, "eligible", v->eligible,
		"listens", v->listens, "wants", v->wants, "impaired", v->impaired, "epoch",
		json_from_count(v->epoch));
}

static void add_view_groups(struct answer *a)
{
	const struct engine *e = a->driver->engine;
	struct view_group v;

	for (int i = 0; i < GROUPS_PER_SLICE && a->group < a->status.group_count; i++) {
		if (views_group(e, a->node, a->group, &v)) {
			add(a, a->text[a->used - 1] == '[' ? "" : ",");
			add_json(a, view_group_to_json(a->status.groups[a->group].name, &v), false);
		}
		a->group++;
	}
	if (a->group < a->status.group_count)
		return;
	add(a, "]}");
	a->node++;
	a->stage = STAGE_VIEW;
}

static void add_difference(void *context, const char *text)
{
	if (json_array_size(context) < DIFFERENCES_MAX)
		(void)json_array_append_new(context, json_from_text(text));
}

static void add_differences(struct answer *a)
{
	const struct engine *e = a->driver->engine;

	for (int i = 0; i < GROUPS_PER_SLICE && a->group < a->status.group_count; i++)
		views_differences_of_group(e, a->group++, add_difference, a->differences);
	if (a->group < a->status.group_count)
		return;
	views_differences_of_links(e, add_difference, a->differences);
	add_json(a, a->differences, false);
	a->differences = NULL;
	add(a, "}");
	a->stage = STAGE_DONE;
}

/* --- slices */

/* All but the groups, with room for those. False if memory ran out; what it has taken then goes
 * with the answer. */
static bool begin_status(struct answer *a, const struct daemon_checks *checks)
{
	const struct conf *conf = a->driver->conf;
	struct status *s = &a->status;

	if (!status_init(s, conf->group_count, conf->address_count))
		return false;
	driver_status_begin(a->driver, s);
	text_copy(s->version, sizeof(s->version), HA_VERSION);
	text_copy(s->scheduling, sizeof(s->scheduling),
		scheduling_is_realtime() ? "real-time" : "ordinary");
	return checks_status(checks, s);
}

struct answer *answer_begin(struct driver *driver, const struct daemon_checks *checks, bool cluster)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->driver = driver;
	a->cluster = cluster;
	a->differences = json_array();
	a->failed = !a->differences || !begin_status(a, checks);
	return a;
}

bool answer_continue(struct answer *a)
{
	if (a->failed)
		return false;
	switch (a->stage) {
	case STAGE_HEAD: add_head(a); break;
	case STAGE_GROUPS: add_groups(a); break;
	case STAGE_VIEW: add_view(a); break;
	case STAGE_VIEW_GROUPS: add_view_groups(a); break;
	case STAGE_DIFFERENCES: add_differences(a); break;
	case STAGE_DONE: add(a, "}\n"); return false;
	}
	return !a->failed;
}

char *answer_end(struct answer *a, size_t *ret_size)
{
	char *text = a->failed ? NULL : a->text;

	if (a->failed)
		free(a->text);
	*ret_size = a->used;
	json_decref(a->differences);
	status_done(&a->status);
	free(a);
	return text;
}
