/* SPDX-License-Identifier: ISC */
#include "conf/keys.h"

#include <stddef.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "base/time.h"
#include "base/word.h"
#include "conf/diagnostics.h"
#include "conf/take.h"
#include "conf/values.h"

/* An hour: longer than anyone waits for a failover, and its microseconds fit the heartbeat's 32
 * bits. */
#define LONGEST_NS (3600 * NS_PER_S)

#define NODE(member)  offsetof(struct conf_node, member)
#define GROUP(member) offsetof(struct conf_group, member)

/* clang-format off */
static const struct key KEYS[KEY_COUNT] = {
	[KEY_NAME] = {"name", SECTION_NODE, false, take_name, "alpha", NODE(name), 0, 0},
	[KEY_CLUSTER] = {"cluster", SECTION_NODE, false, take_name, "ha", NODE(cluster), 0, 0},
	[KEY_INTERFACE] = {"interface", SECTION_NODE, true, take_interface, "eth0", 0, 0, 0},
	[KEY_INTERVAL] = {"interval", SECTION_NODE, false, take_duration, "100ms",
		NODE(interval_ns), CONF_INTERVAL_MIN_NS, CONF_INTERVAL_MAX_NS},
	[KEY_TOLERANCE] = {"tolerance", SECTION_NODE, false, take_duration, "350ms",
		NODE(tolerance_ns), 2 * CONF_INTERVAL_MIN_NS, LONGEST_NS},
	[KEY_MAX_TOLERANCE] = {"max-tolerance", SECTION_NODE, false, take_duration, "10s",
		NODE(max_tolerance_ns), 2 * CONF_INTERVAL_MIN_NS, LONGEST_NS},
	[KEY_MARGIN] = {"margin", SECTION_NODE, false, take_duration, "11ms",
		NODE(margin_ns), CONF_MARGIN_MIN_NS, LONGEST_NS},
	[KEY_KEY_FILE] = {"key-file", SECTION_NODE, false, take_key_file, "/etc/ha/key",
		NODE(key_file), 0, 0},
	[KEY_ACCEPT_KEY_FILE] = {"accept-key-file", SECTION_NODE, false, take_key_file,
		"/etc/ha/old-key", NODE(accept_key_file), 0, 0},
	[KEY_PEER] = {"peer", SECTION_NODE, true, take_peer, "192.168.1.21", 0, 0, 0},
	[KEY_MULTICAST] = {"multicast", SECTION_NODE, false, take_multicast, CONF_MULTICAST, 0, 0, 0},
	[KEY_PORT] = {"port", SECTION_NODE, false, take_number, "5555", NODE(port), 1, 65535},
	[KEY_PROTOCOL] = {"protocol", SECTION_NODE, false, take_protocol, "original", 0, 0, 0},
	[KEY_USER] = {"user", SECTION_NODE, false, take_name, "ha", NODE(user), 0, 0},
	[KEY_HOOK_TIMEOUT] = {"hook-timeout", SECTION_NODE, false, take_duration, "30s",
		NODE(hook_timeout_ns), 10 * NS_PER_MS, LONGEST_NS},
	[KEY_IPV4_AS] = {"ipv4-as", SECTION_NODE, false, take_ipv4_as, "auto", 0, 0, 0},
	[KEY_FENCE] = {"fence", SECTION_NODE, false, take_fence, "auto", 0, 0, 0},
	[KEY_ON_CHANGE_STREAM] = {"on-change-stream", SECTION_NODE, false, take_stream, "/etc/ha/follow", 0, 0, 0},
	[KEY_REALTIME] = {"realtime", SECTION_NODE, false, take_flag, "no", NODE(realtime), 0, 0},
	[KEY_REMOVED_LIMIT] = {"removed-limit", SECTION_NODE, false, take_number, "5",
		NODE(removals_limit), 1, CONF_REMOVALS_LIMIT_MAX},
	[KEY_REMOVED_WINDOW] = {"removed-window", SECTION_NODE, false, take_duration, "10s",
		NODE(removals_window_ns), 100 * NS_PER_MS, LONGEST_NS},
	[KEY_ADDRESS] = {"address", SECTION_GROUP, true, take_address, "192.168.1.100/24", 0, 0, 0},
	[KEY_WORTH] = {"worth", SECTION_GROUP, false, take_number, "100", GROUP(worth), 0, 65535},
	[KEY_POLICY] = {"policy", SECTION_GROUP, false, take_policy, "worthiest", 0, 0, 0},
	[KEY_STANDBY] = {"standby", SECTION_GROUP, false, take_standby, "warm", 0, 0, 0},
	[KEY_WHEN_ALL_FAIL] = {"when-all-fail", SECTION_GROUP, false, take_when_all_fail, "keep", 0, 0, 0},
	[KEY_APPLICATION] = {"application", SECTION_GROUP, false, take_application, "www-data", 0, 0, 0},
	[KEY_CHECK] = {"check", SECTION_GROUP, true, take_check, "tcp 127.0.0.1:80", 0, 0, 0},
	[KEY_SETTLE] = {"settle", SECTION_GROUP, false, take_duration, "30s",
		GROUP(settle_ns), 0, LONGEST_NS},
	[KEY_HOLD_DOWN] = {"hold-down", SECTION_GROUP, false, take_duration, "30s",
		GROUP(hold_down_ns), 0, LONGEST_NS},
	[KEY_BEFORE_ACTIVE] = {"before-active", SECTION_GROUP, true, take_before_active, "/etc/ha/prepare", 0, 0, 0},
	[KEY_BEFORE_ACTIVE_TIMEOUT] = {"before-active-timeout", SECTION_GROUP, false, take_duration, "10s",
		GROUP(before_active_timeout_ns), 10 * NS_PER_MS, LONGEST_NS},
	[KEY_ON_CHANGE] = {"on-change", SECTION_GROUP, true, take_on_change, "/etc/ha/changed", 0, 0, 0},
	[KEY_ON_ACTIVE] = {"on-active", SECTION_GROUP, true, take_on_active, "/etc/ha/active", 0, 0, 0},
	[KEY_ON_STANDBY] = {"on-standby", SECTION_GROUP, true, take_on_standby, "/etc/ha/standby", 0, 0, 0},
};
/* clang-format on */

/* The key called @name in @section, or NULL. */
static const struct key *find_key(const char *name, enum section section)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (KEYS[i].section == section && strcmp(KEYS[i].name, name) == 0)
			return &KEYS[i];
	}
	return NULL;
}

static const char *section_text(enum section section)
{
	return section == SECTION_NODE ? "[node]" : "[group NAME]";
}

static void complain_unknown(struct draft *d, const char *name)
{
	enum section other = d->section == SECTION_NODE ? SECTION_GROUP : SECTION_NODE;
	const struct key *nearest = NULL;

	if (find_key(name, other)) {
		draft_complain(d, "\"%s\" is not a key of %s, move it to %s", name,
			section_text(d->section), section_text(other));
		return;
	}
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const struct key *key = &KEYS[i];

		if (key->section != d->section || !value_is_near(name, key->name))
			continue;
		if (!nearest || word_distance(name, key->name) < word_distance(name, nearest->name))
			nearest = key;
	}
	if (nearest)
		draft_complain(d, "unknown key \"%s\", did you mean \"%s\"?", quote(name).text,
			nearest->name);
	else
		draft_complain(d, "unknown key \"%s\", ha.conf(5) lists those of %s",
			quote(name).text, section_text(d->section));
}

void keys_take(struct draft *d, const char *name, const char *value)
{
	const struct key *key = find_key(name, d->section);
	char copy[STATEMENT_SIZE]; /* setters cut it up */
	bool fits = text_copy(copy, sizeof(copy), value);
	unsigned *first;

	assert(d->section == SECTION_NODE || d->section == SECTION_GROUP);
	assert(fits);
	if (!key) {
		complain_unknown(d, name);
		return;
	}
	first = &d->key_line[key - KEYS];
	if (*first && !key->repeats) {
		draft_complain(
			d, "\"%s\" stands here and in line %u, remove one of them", name, *first);
		return;
	}
	if (!*first)
		*first = d->line;
	if (value[0] == '\0')
		draft_complain(d, "\"%s\" has no value, write one as in \"%s = %s\"", name, name,
			key->example);
	else if (strstr(value, " #") || strstr(value, "\t#"))
		draft_complain(d, "\"#\" begins a comment only at the start of a line, write \" ;\""
				  " before a comment behind a value");
	else
		key->take(d, key, copy);
}

void keys_begin_group(struct draft *d)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (KEYS[i].section == SECTION_GROUP) {
			d->key_line[i] = 0;
			d->key_full[i] = false;
		}
	}
}

struct conf_group *key_group(struct draft *d)
{
	assert(d->section == SECTION_GROUP && d->conf.group_count > 0);
	return &d->conf.groups[d->conf.group_count - 1];
}

void *key_field(struct draft *d, const struct key *key)
{
	if (key->section == SECTION_NODE)
		return (char *)&d->conf.node + key->offset;
	return (char *)key_group(d) + key->offset;
}

bool key_has_no_room(struct draft *d, const struct key *key, unsigned count, unsigned maximum)
{
	bool *is_known = &d->key_full[key - KEYS];

	if (count < maximum)
		return false;
	if (!*is_known)
		draft_complain(
			d, "too many lines \"%s\", at most %u are possible", key->name, maximum);
	*is_known = true;
	return true;
}
