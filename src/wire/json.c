/* SPDX-License-Identifier: ISC */
#include "wire/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"

#define ID_TEXT_SIZE  17
#define REPAIRED_SIZE 1024 /* more than the longest text of a status or a report */

json_t *json_from_text(const char *text)
{
	json_t *string = json_string(text);
	char repaired[REPAIRED_SIZE];

	if (string)
		return string;
	(void)text_copy(repaired, sizeof(repaired), text);
	for (char *c = repaired; *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	return json_string(repaired);
}

json_t *json_from_optional_text(const char *text)
{
	return *text ? json_from_text(text) : json_null();
}

json_t *json_from_count(uint64_t count)
{
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

json_t *json_from_id(uint64_t id)
{
	char buffer[ID_TEXT_SIZE];
	struct text text = text_init(buffer, sizeof(buffer));

	text_add(&text, "%016" PRIx64, id);
	return json_string(buffer);
}

json_t *json_from_ip(const struct ip *ip)
{
	char buffer[IP_TEXT_SIZE];

	return ip->family == IP_NONE ? json_null() : json_string(ip_format(ip, buffer));
}

bool json_member_text(const json_t *object, const char *key, char *ret, size_t size)
{
	const json_t *member = json_object_get(object, key);

	if (json_is_null(member)) {
		*ret = '\0';
		return true;
	}
	if (!json_is_string(member))
		return false;
	(void)text_copy(ret, size, json_string_value(member));
	return true;
}

bool json_member_flag(const json_t *object, const char *key, bool *ret)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_boolean(member))
		return false;
	*ret = json_is_true(member);
	return true;
}

bool json_member_integer(
	const json_t *object, const char *key, int64_t minimum, int64_t maximum, int64_t *ret)
{
	const json_t *member = json_object_get(object, key);
	json_int_t value = json_integer_value(member);

	assert(minimum <= maximum);
	if (!json_is_integer(member) || value < minimum || value > maximum)
		return false;
	*ret = value;
	return true;
}

bool json_member_real(const json_t *object, const char *key, double *ret)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_number(member))
		return false;
	*ret = json_number_value(member);
	return true;
}

bool json_member_id(const json_t *object, const char *key, uint64_t *ret)
{
	const char *text = json_string_value(json_object_get(object, key));
	uint64_t id = 0;

	if (!text || strlen(text) != ID_TEXT_SIZE - 1)
		return false;
	for (; *text; text++) {
		if (*text >= '0' && *text <= '9')
			id = id << 4 | (uint64_t)(*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			id = id << 4 | (uint64_t)(*text - 'a' + 10);
		else
			return false;
	}
	*ret = id;
	return true;
}

bool json_member_ip(const json_t *object, const char *key, struct ip *ret)
{
	const json_t *member = json_object_get(object, key);

	if (json_is_null(member)) {
		*ret = (struct ip){0};
		return true;
	}
	return json_is_string(member) && ip_parse(json_string_value(member), ret);
}
