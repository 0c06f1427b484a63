/* SPDX-License-Identifier: ISC */
#include "conf/take.h"

#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "conf/diagnostics.h"
#include "conf/room.h"
#include "conf/values.h"

void take_name(struct draft *d, const struct key *key, char *value)
{
	if (value_is_name(value))
		(void)text_copy(key_field(d, key), NAME_SIZE, value);
	else
		draft_complain(d,
			"%s = \"%s\" is not a name, use 1 to %d letters, digits,"
			" \".\", \"_\" and \"-\"",
			key->name, quote(value).text, NAME_SIZE - 1);
}

void take_number(struct draft *d, const struct key *key, char *value)
{
	uint16_t *target = key_field(d, key);
	uint64_t number;

	assert(key->maximum <= UINT16_MAX);
	if (!value_number(value, &number) || number < (uint64_t)key->minimum ||
		number > (uint64_t)key->maximum)
		draft_complain(d, "%s = \"%s\" is not possible, write a whole number from %d to %d",
			key->name, quote(value).text, (int)key->minimum, (int)key->maximum);
	else
		*target = (uint16_t)number;
}

void take_flag(struct draft *d, const struct key *key, char *value)
{
	bool *target = key_field(d, key);

	if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)
		*target = value[0] == 'y';
	else
		draft_complain(d, "%s = \"%s\" is not possible, write yes or no", key->name,
			quote(value).text);
}

void take_duration(struct draft *d, const struct key *key, char *value)
{
	int64_t *target = key_field(d, key);
	struct quoted q = quote(value);
	int64_t ns = 0;

	switch (value_duration(value, &ns)) {
	case DURATION_NO_NUMBER:
		draft_complain(d, "%s = \"%s\" is not a time, write one like %s", key->name, q.text,
			key->example);
		return;
	case DURATION_NO_UNIT:
		draft_complain(d, "%s = \"%s\" has no unit, write %sms, or another of us, s, min",
			key->name, q.text, q.text);
		return;
	case DURATION_UNKNOWN_UNIT:
		draft_complain(d, "%s = \"%s\" has an unknown unit, use one of us, ms, s, min",
			key->name, q.text);
		return;
	case DURATION_TOO_FINE:
		draft_complain(
			d, "%s = \"%s\" has too many decimals, write at most 6", key->name, q.text);
		return;
	case DURATION_GOOD: break;
	}
	if (ns < key->minimum || ns > key->maximum)
		draft_complain(d, "%s = \"%s\" is not possible, write a time from %s to %s",
			key->name, q.text, duration_format(key->minimum).text,
			duration_format(key->maximum).text);
	else
		*target = ns;
}

const char *conf_fence_name(enum conf_fence fence)
{
	switch (fence) {
	case CONF_FENCE_AUTO: return "auto";
	case CONF_FENCE_BPF: return "bpf";
	case CONF_FENCE_NFTABLES: return "nftables";
	case CONF_FENCE_LIFETIME: return "lifetime";
	case CONF_FENCE_WATCHDOG: return "watchdog";
	}
	return "-";
}

void take_fence(struct draft *d, const struct key *key, char *value)
{
	for (enum conf_fence f = CONF_FENCE_AUTO; f <= CONF_FENCE_WATCHDOG; f++) {
		if (strcmp(value, conf_fence_name(f)) != 0)
			continue;
		d->conf.node.fence = f;
		return;
	}
	draft_complain(d,
		"%s = \"%s\" is not possible, write auto, bpf, nftables, lifetime or watchdog",
		key->name, quote(value).text);
}

void take_policy(struct draft *d, const struct key *key, char *value)
{
	for (enum conf_policy policy = 0; policy < CONF_POLICIES; policy++) {
		if (strcmp(value, conf_policy_name(policy)) == 0) {
			key_group(d)->policy = policy;
			return;
		}
	}
	if (strcmp(value, "spread") == 0)
		draft_complain(d,
			"%s = %s does not exist in this version, only worthiest and"
			" sticky do",
			key->name, value);
	else
		draft_complain(d, "%s = \"%s\" is unknown, write worthiest or sticky", key->name,
			quote(value).text);
}

void take_ipv4_as(struct draft *d, const struct key *key, char *value)
{
	for (unsigned i = CONF_IPV4_AS_AUTO; i <= CONF_IPV4_AS_ROUTE; i++) {
		if (strcmp(value, CONF_IPV4_AS_NAMES[i]) == 0) {
			d->conf.node.ipv4_as = (enum conf_ipv4_as)i;
			return;
		}
	}
	draft_complain(d, "%s = \"%s\" is not possible, write auto, address or route", key->name,
		quote(value).text);
}

void take_standby(struct draft *d, const struct key *key, char *value)
{
	if (strcmp(value, "cold") == 0 || strcmp(value, "warm") == 0)
		key_group(d)->warm = value[0] == 'w';
	else
		draft_complain(d, "%s = \"%s\" is not possible, write cold or warm", key->name,
			quote(value).text);
}

void take_when_all_fail(struct draft *d, const struct key *key, char *value)
{
	if (strcmp(value, "keep") == 0 || strcmp(value, "release") == 0)
		key_group(d)->release_when_all_fail = value[0] == 'r';
	else
		draft_complain(d, "%s = \"%s\" is not possible, write keep or release", key->name,
			quote(value).text);
}

void take_protocol(struct draft *d, const struct key *key, char *value)
{
	if (strcmp(value, "ha") == 0 || strcmp(value, "original") == 0)
		d->conf.node.original = value[0] == 'o';
	else
		draft_complain(d, "%s = \"%s\" is unknown, write ha or original", key->name,
			quote(value).text);
}

void take_application(struct draft *d, const struct key *key, char *value)
{
	if (value_is_name(value))
		key_group(d)->application = room_keep(d, value);
	else
		draft_complain(d,
			"%s = \"%s\" is not the name of a user or group, write one like %s",
			key->name, quote(value).text, key->example);
}

void take_key_file(struct draft *d, const struct key *key, char *value)
{
	if (value[0] != '/')
		draft_complain(d, "%s = \"%s\" is not an absolute path, write one like %s",
			key->name, quote(value).text, key->example);
	else
		(void)text_copy((char *)&d->conf.node + key->offset, PATH_SIZE, value);
}
