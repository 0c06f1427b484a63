/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/daemon.h"
#include "engine/views.h"
#include "wire/json.h"

/* Sets @key to @value, which it owns; @object is gone, and the answer NULL, if memory ran out. */
static json_t *set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) == 0)
		return object;
	json_decref(object);
	return NULL;
}

/* Appends @item, which it owns, likewise. */
static json_t *append(json_t *array, json_t *item)
{
	if (json_array_append_new(array, item) == 0)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *peer_timings(const struct engine *e)
{
	json_t *array = json_array();
	struct engine_peer p;

	for (size_t i = 0; array && engine_peer(e, i, &p); i++) {
		array = append(array, json_pack("{s:o, s:o}", "name", json_from_text(p.name),
					      "jitter", histogram_to_json(p.jitter)));
	}
	return array;
}

json_t *answer_status(struct engine *e, const struct status *s)
{
	json_t *metrics = metrics_to_json(engine_metrics(e));

	if (metrics)
		metrics = set(metrics, "peers", peer_timings(e));
	return metrics ? set(status_to_json(s), "metrics", metrics) : NULL;
}

#define ID_TEXT_SIZE 17

static json_t *id_to_json(uint64_t id)
{
	char text[ID_TEXT_SIZE];

	snprintf(text, sizeof(text), "%016" PRIx64, id);
	return json_string(text);
}

static json_t *heard_to_json(const struct engine *e, size_t node)
{
	json_t *array = json_array();
	struct view_heard heard;

	for (size_t i = 0; array && views_heard(e, node, i, &heard); i++)
		array = append(
			array, json_pack("{s:o, s:o, s:I}", "name",
				       heard.name ? json_from_text(heard.name) : json_null(), "id",
				       id_to_json(heard.id), "age_ms", (json_int_t)heard.age_ms));
	return array;
}

static json_t *view_groups_to_json(const struct engine *e, size_t node, const struct conf *conf)
{
	json_t *array = json_array();
	struct view_group v;

	for (size_t g = 0; array && g < conf->group_count; g++) {
		if (!views_group(e, node, g, &v))
			continue;
		array = append(
			array, json_pack("{s:o, s:s, s:i, s:b, s:b, s:b, s:b, s:o}", "name",
				       json_from_text(conf->groups[g].name), "state",
				       node_state_name(v.state), "worth", v.worth, "eligible",
				       v.eligible, "listens", v.listens, "wants", v.wants,
				       "impaired", v.impaired, "epoch", json_from_count(v.epoch)));
	}
	return array;
}

static json_t *node_to_json(
	const struct engine *e, size_t node, const struct view_node *n, const struct conf *conf)
{
	char address[IP_TEXT_SIZE];

	return json_pack("{s:o, s:o, s:o, s:b, s:b, s:I, s:I, s:o, s:o}", "name",
		json_from_text(n->name), "id", id_to_json(n->id), "address",
		n->address.family == IP_NONE ? json_null()
					     : json_string(ip_format(&n->address, address)),
		"self", node == 0, "live", n->live, "last_heard_ms", (json_int_t)n->last_heard_ms,
		"tolerance_ms", (json_int_t)n->tolerance_ms, "hears", heard_to_json(e, node),
		"groups", view_groups_to_json(e, node, conf));
}

static void add_difference(void *context, const char *text)
{
	(void)json_array_append_new(context, json_from_text(text));
}

json_t *answer_cluster(json_t *status, const struct engine *e, const struct conf *conf, ha_time now)
{
	json_t *nodes = json_array(), *differences = json_array();
	struct view_node n;

	for (size_t node = 0; nodes && views_node(e, now, node, &n); node++)
		nodes = append(nodes, node_to_json(e, node, &n, conf));
	views_differences(e, add_difference, differences);
	return set(status, "views",
		json_pack("{s:o, s:o}", "nodes", nodes, "differences", differences));
}
