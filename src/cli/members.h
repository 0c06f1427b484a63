/* SPDX-License-Identifier: ISC */
/* members: what the daemon's JSON says, for those who only show it: what is missing, or of another
 * type, is "", false or 0. */
#ifndef HA_CLI_MEMBERS_H
#define HA_CLI_MEMBERS_H

#include <stdbool.h>

#include <jansson.h>

/* Borrowed from @object. */
static inline const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static inline double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static inline bool flag_of(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

#endif
