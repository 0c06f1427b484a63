/* SPDX-License-Identifier: ISC */
#include "wire/control.h"

#include <string.h>

#include <jansson.h>

#include "base/assert.h"
#include "base/text.h"
#include "wire/json.h"

static const char *const COMMAND_NAMES[] = {
	[CONTROL_STATUS] = "status",
	[CONTROL_CLUSTER] = "cluster",
	[CONTROL_WATCH] = "watch",
	[CONTROL_ATTACH] = "attach",
};

#define COMMAND_COUNT (sizeof(COMMAND_NAMES) / sizeof(COMMAND_NAMES[0]))

static bool command_by_name(const char *name, enum control_command *ret_command)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(name, COMMAND_NAMES[i]) == 0) {
			*ret_command = (enum control_command)i;
			return true;
		}
	}
	return false;
}

/* What ha.conf(5) allows in the name of a group; none of it has to be escaped. */
static bool is_name(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	return *text != '\0' && text[strspn(text, allowed)] == '\0';
}

static bool request_from_json(
	const json_t *json, struct control_request *ret_request, const char **reterr)
{
	const char *name = json_string_value(json_object_get(json, "command"));

	if (!name) {
		*reterr = "a request is a JSON object with a \"command\", such as "
			  "{\"command\": \"status\"}";
		return false;
	}
	if (!command_by_name(name, &ret_request->command)) {
		*reterr = "unknown command; known are \"status\", \"cluster\", \"watch\" and "
			  "\"attach\"";
		return false;
	}
	if (ret_request->command != CONTROL_ATTACH)
		return true;
	if (!json_member_text(json, "group", ret_request->group, sizeof(ret_request->group)) ||
		!is_name(ret_request->group)) {
		*reterr = "\"attach\" needs a \"group\", such as {\"command\": \"attach\", "
			  "\"group\": \"web\"}";
		return false;
	}
	return true;
}

bool control_decode(
	const char *line, size_t size, struct control_request *ret_request, const char **reterr)
{
	json_t *json;
	bool good;

	if (size > CONTROL_REQUEST_MAX) {
		*reterr = "the request is too long";
		return false;
	}
	json = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	if (!json) {
		*reterr = "the request is not JSON; send one line such as "
			  "{\"command\": \"status\"}";
		return false;
	}
	good = request_from_json(json, ret_request, reterr);
	json_decref(json);
	return good;
}

size_t control_encode(const struct control_request *r, char *line, size_t size)
{
	struct text text = text_init(line, size);

	assert((size_t)r->command < COMMAND_COUNT);
	text_add(&text, "{\"command\": \"%s\"", COMMAND_NAMES[r->command]);
	if (r->command == CONTROL_ATTACH)
		text_add(&text, ", \"group\": \"%s\"", r->group);
	text_add(&text, "}\n");
	return text.length;
}
