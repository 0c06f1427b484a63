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
	[CONTROL_CANDIDATES] = "candidates",
	[CONTROL_YIELD] = "yield",
	[CONTROL_DRAIN] = "drain",
	[CONTROL_RESUME] = "resume",
};

/* What is said when it is missing. */
static const char *const NEEDS_GROUP[] = {
	[CONTROL_ATTACH] = "\"attach\" needs a \"group\", such as {\"command\": \"attach\", "
			   "\"group\": \"web\"}",
	[CONTROL_CANDIDATES] = "\"candidates\" needs a \"group\", such as {\"command\": "
			       "\"candidates\", \"group\": \"web\"}",
	[CONTROL_YIELD] = "\"yield\" needs a \"group\", such as {\"command\": \"yield\", "
			  "\"group\": \"web\"}",
	[CONTROL_RESUME] = NULL,
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

/* @name may be missing: then *@ret is "". */
static bool take_optional_name(const json_t *json, const char *key, char ret[NAME_SIZE])
{
	ret[0] = '\0';
	return !json_object_get(json, key) ||
	       (json_member_text(json, key, ret, NAME_SIZE) && is_name(ret));
}

static bool members_from_json(
	const json_t *json, struct control_request *ret_request, const char **reterr)
{
	struct control_request *r = ret_request;
	const char *needs_group = NEEDS_GROUP[r->command];
	bool group = take_optional_name(json, "group", r->group);

	r->force = json_is_true(json_object_get(json, "force"));
	if (needs_group && (!group || r->group[0] == '\0')) {
		*reterr = needs_group;
		return false;
	}
	if (!group || !take_optional_name(json, "to", r->to)) {
		*reterr = "\"group\" and \"to\" are names of letters, digits and ._-";
		return false;
	}
	return true;
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
		*reterr = "unknown command; known are \"status\", \"cluster\", \"watch\", "
			  "\"attach\", \"candidates\", \"yield\", \"drain\" and \"resume\"";
		return false;
	}
	return members_from_json(json, ret_request, reterr);
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
	if (r->group[0] != '\0')
		text_add(&text, ", \"group\": \"%s\"", r->group);
	if (r->to[0] != '\0')
		text_add(&text, ", \"to\": \"%s\"", r->to);
	if (r->force)
		text_add(&text, ", \"force\": true");
	text_add(&text, "}\n");
	return text.length;
}

static const char *const OUTCOME_NAMES[CONTROL_OUTCOMES] = {
	[CONTROL_DONE] = "done",
	[CONTROL_FAILED] = "failed",
	[CONTROL_REFUSED] = "refused",
	[CONTROL_MISUSED] = "misused",
};

const char *control_outcome_name(enum control_outcome outcome)
{
	assert(outcome < CONTROL_OUTCOMES);
	return OUTCOME_NAMES[outcome];
}

bool control_outcome_by_name(const char *name, enum control_outcome *ret_outcome)
{
	for (enum control_outcome o = 0; o < CONTROL_OUTCOMES; o++) {
		if (strcmp(OUTCOME_NAMES[o], name) == 0) {
			*ret_outcome = o;
			return true;
		}
	}
	return false;
}
