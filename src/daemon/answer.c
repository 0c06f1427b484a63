/* SPDX-License-Identifier: ISC */
#include "daemon/daemon.h"
#include "wire/json.h"

/* Sets @key to @value, which it owns; @object is gone, and the answer NULL, if memory ran out. */
static json_t *set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) == 0)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *peer_timings(const struct engine *e)
{
	json_t *array = json_array();
	struct engine_peer p;

	for (size_t i = 0; array && engine_peer(e, i, &p); i++) {
		json_t *item = json_pack("{s:o, s:o}", "name", json_from_text(p.name), "jitter",
			histogram_to_json(p.jitter));

		if (json_array_append_new(array, item) == 0)
			continue;
		json_decref(array);
		return NULL;
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
