/* SPDX-License-Identifier: ISC */
#include "wire/candidates.h"

#include "wire/json.h"

json_t *candidates_to_json(const struct candidates *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->count; i++) {
		const struct candidate *node = &c->list[i];

		(void)json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:i}", "name", json_from_text(node->name),
				      "id", json_from_id(node->id), "address",
				      json_from_ip(&node->address), "worth", node->worth));
	}
	return json_pack("{s:o}", "candidates", list);
}

static bool candidate_from_json(const json_t *json, struct candidate *c)
{
	int64_t worth;

	if (!json_is_object(json) || !json_member_text(json, "name", c->name, sizeof(c->name)) ||
		!json_member_id(json, "id", &c->id) ||
		!json_member_ip(json, "address", &c->address) ||
		!json_member_integer(json, "worth", 0, UINT16_MAX, &worth))
		return false;
	c->worth = (uint16_t)worth;
	return true;
}

bool candidates_from_json(const json_t *json, struct candidates *ret_candidates)
{
	const json_t *list = json_object_get(json, "candidates");
	size_t i;
	const json_t *item;

	if (!json_is_array(list) || json_array_size(list) > PEERS_MAX)
		return false;
	ret_candidates->count = json_array_size(list);
	json_array_foreach(list, i, item)
	{
		if (!candidate_from_json(item, &ret_candidates->list[i]))
			return false;
	}
	return true;
}
