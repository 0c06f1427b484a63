/* SPDX-License-Identifier: ISC */
#include "wire/history.h"

#include "wire/json.h"

json_t *history_to_json(const struct report *r, int64_t wall_ms, const char *node)
{
	json_t *json = report_to_json(r, wall_ms);

	if (json_object_set_new(json, "node", json_from_text(node)) == 0)
		return json;
	json_decref(json);
	return NULL;
}
