/* SPDX-License-Identifier: ISC */
#include "wire/attach.h"

#include <stdlib.h>

#include <jansson.h>

#include "base/text.h"
#include "wire/json.h"

static bool from_json(const json_t *json, struct attach_line *a)
{
	int64_t worth;

	if (!json_member_integer(json, "worth", 0, UINT16_MAX, &worth) ||
		!json_member_flag(json, "impaired", &a->impaired) ||
		!json_member_flag(json, "ineligible", &a->ineligible) ||
		!json_member_text(json, "reason", a->reason, sizeof(a->reason)))
		return false;
	a->worth = (uint16_t)worth;
	(void)json_member_flag(json, "status", &a->status);
	return true;
}

bool attach_decode(const char *line, size_t size, struct attach_line *ret_line, const char **reterr)
{
	struct attach_line a = {0};
	json_t *json = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	bool good = json && from_json(json, &a);

	json_decref(json);
	if (good)
		*ret_line = a;
	else
		*reterr = "a line of an attached program looks like {\"worth\": 100, \"impaired\": "
			  "false, \"ineligible\": false, \"reason\": \"\"}";
	return good;
}

size_t attach_encode(const struct attach_line *a, char *line)
{
	struct text text = text_init(line, ATTACH_LINE_MAX);
	json_t *reason = json_from_text(a->reason);
	char *quoted = reason ? json_dumps(reason, JSON_ENCODE_ANY) : NULL;

	json_decref(reason);
	if (!quoted)
		return 0;
	text_add(&text,
		"{\"worth\": %u, \"impaired\": %s, \"ineligible\": %s, \"status\": %s, \"reason\": "
		"%s}\n",
		a->worth, a->impaired ? "true" : "false", a->ineligible ? "true" : "false",
		a->status ? "true" : "false", quoted);
	free(quoted);
	return text.length;
}
