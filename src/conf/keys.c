/* SPDX-License-Identifier: ISC */
#include "conf/keys.h"

#include <stddef.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "base/time.h"
#include "base/word.h"
#include "conf/checks.h"
#include "conf/diagnostics.h"
#include "conf/room.h"
#include "conf/values.h"

/* An hour: longer than anyone waits for a failover, and its microseconds fit the heartbeat's 32
 * bits. */
#define LONGEST_NS (3600 * NS_PER_S)

struct key {
	const char *name;
	enum section section;
	bool repeats;
	void (*take)(struct draft *d, const struct key *key, char *value);
	const char *example; /* of a value, for messages */
	/* Where numbers, durations and names go, in struct conf_node or struct conf_group. */
	size_t offset;
	int64_t minimum;
	int64_t maximum;
};

static void take_name(struct draft *d, const struct key *key, char *value);
static void take_number(struct draft *d, const struct key *key, char *value);
static void take_duration(struct draft *d, const struct key *key, char *value);
static void take_fence(struct draft *d, const struct key *key, char *value);
static void take_flag(struct draft *d, const struct key *key, char *value);
static void take_interface(struct draft *d, const struct key *key, char *value);
static void take_key_file(struct draft *d, const struct key *key, char *value);
static void take_peer(struct draft *d, const struct key *key, char *value);
static void take_multicast(struct draft *d, const struct key *key, char *value);
static void take_ipv4_as(struct draft *d, const struct key *key, char *value);
static void take_address(struct draft *d, const struct key *key, char *value);
static void take_policy(struct draft *d, const struct key *key, char *value);
static void take_when_all_fail(struct draft *d, const struct key *key, char *value);
static void take_protocol(struct draft *d, const struct key *key, char *value);
static void take_application(struct draft *d, const struct key *key, char *value);
static void take_check(struct draft *d, const struct key *key, char *value);
static void take_before_active(struct draft *d, const struct key *key, char *value);
static void take_stream(struct draft *d, const struct key *key, char *value);
static void take_on_change(struct draft *d, const struct key *key, char *value);
static void take_on_active(struct draft *d, const struct key *key, char *value);
static void take_on_standby(struct draft *d, const struct key *key, char *value);

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

static struct conf_group *current_group(struct draft *d)
{
	assert(d->section == SECTION_GROUP && d->conf.group_count > 0);
	return &d->conf.groups[d->conf.group_count - 1];
}

/* Where the value of @key goes. */
static void *field(struct draft *d, const struct key *key)
{
	if (key->section == SECTION_NODE)
		return (char *)&d->conf.node + key->offset;
	return (char *)current_group(d) + key->offset;
}

/* True, with a complaint at the first time, if there is no room for one more value of @key. */
static bool is_full(struct draft *d, const struct key *key, unsigned count, unsigned maximum)
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

static void take_name(struct draft *d, const struct key *key, char *value)
{
	if (value_is_name(value))
		(void)text_copy(field(d, key), NAME_SIZE, value);
	else
		draft_complain(d,
			"%s = \"%s\" is not a name, use 1 to %d letters, digits,"
			" \".\", \"_\" and \"-\"",
			key->name, quote(value).text, NAME_SIZE - 1);
}

static void take_number(struct draft *d, const struct key *key, char *value)
{
	uint16_t *target = field(d, key);
	uint64_t number;

	assert(key->maximum <= UINT16_MAX);
	if (!value_number(value, &number) || number < (uint64_t)key->minimum ||
		number > (uint64_t)key->maximum)
		draft_complain(d, "%s = \"%s\" is not possible, write a whole number from %d to %d",
			key->name, quote(value).text, (int)key->minimum, (int)key->maximum);
	else
		*target = (uint16_t)number;
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

static void take_fence(struct draft *d, const struct key *key, char *value)
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

static void take_flag(struct draft *d, const struct key *key, char *value)
{
	bool *target = field(d, key);

	if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)
		*target = value[0] == 'y';
	else
		draft_complain(d, "%s = \"%s\" is not possible, write yes or no", key->name,
			quote(value).text);
}

static void take_duration(struct draft *d, const struct key *key, char *value)
{
	int64_t *target = field(d, key);
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

static void take_interface(struct draft *d, const struct key *key, char *value)
{
	if (!value_is_device(value)) {
		draft_complain(d, "%s = \"%s\" is not a device's name, write one a line, like %s",
			key->name, quote(value).text, key->example);
		return;
	}
	for (unsigned i = 0; i < d->path_count; i++) {
		if (strcmp(d->path_device[i], value) == 0) {
			draft_complain(d,
				"%s = \"%s\" stands here and in line %u, remove one of them",
				key->name, value, d->path_line[i]);
			return;
		}
	}
	if (is_full(d, key, d->path_count, PATHS_MAX))
		return;
	d->path_line[d->path_count] = d->line;
	(void)text_copy(d->path_device[d->path_count++], DEVICE_SIZE, value);
}

static void take_key_file(struct draft *d, const struct key *key, char *value)
{
	if (value[0] != '/')
		draft_complain(d, "%s = \"%s\" is not an absolute path, write one like %s",
			key->name, quote(value).text, key->example);
	else
		(void)text_copy((char *)&d->conf.node + key->offset, PATH_SIZE, value);
}

/* What kind of address @ip is, if none that one host can have on a LAN; otherwise NULL. */
static const char *why_not_unicast(const struct ip *ip)
{
	if (ip_is_unspecified(ip))
		return "the unspecified address";
	if (ip_is_multicast(ip))
		return "a multicast address";
	if (ip_is_loopback(ip))
		return "a loopback address";
	if (ip->family == IP_V4 && value_host_bits_are(ip, 0, true))
		return "the broadcast address";
	if (value_is_mapped(ip))
		return "an IPv4 address written as IPv6";
	return NULL;
}

/* Reads the address of a host, or complains. */
static bool take_unicast(
	struct draft *d, const struct key *key, const char *text, struct ip *ret_ip)
{
	const char *why_not;
	struct ip ip;

	if (!ip_parse(text, &ip)) {
		draft_complain(d, "%s = \"%s\" is not an IPv4 or IPv6 address, write one like %s",
			key->name, quote(text).text, key->example);
		return false;
	}
	why_not = why_not_unicast(&ip);
	if (why_not) {
		draft_complain(d, "%s = \"%s\" is %s, write one like %s", key->name,
			quote(text).text, why_not, key->example);
		return false;
	}
	*ret_ip = ip;
	return true;
}

static void take_peer(struct draft *d, const struct key *key, char *value)
{
	struct conf_node *node = &d->conf.node;
	struct ip ip;

	if (!take_unicast(d, key, value, &ip))
		return;
	for (unsigned i = 0; i < node->peer_count; i++) {
		if (ip_equal(&node->peer[i], &ip)) {
			draft_complain(d,
				"%s = \"%s\" stands here and in line %u, remove one of them",
				key->name, quote(value).text, d->peer_line[i]);
			return;
		}
	}
	if (is_full(d, key, node->peer_count, UNICAST_MAX))
		return;
	d->peer_line[node->peer_count] = d->line;
	node->peer[node->peer_count++] = ip;
}

static void take_multicast(struct draft *d, const struct key *key, char *value)
{
	struct ip ip;

	if (strcmp(value, "none") == 0)
		d->conf.node.multicast = (struct ip){0};
	else if (ip_parse(value, &ip) && ip_is_multicast(&ip))
		d->conf.node.multicast = ip;
	else
		draft_complain(d,
			"%s = \"%s\" is not a multicast address, write one like %s, or none",
			key->name, quote(value).text, key->example);
}

/* Splits "ADDRESS[/LEN] [dev DEVICE]" into its parts, *@ret_device NULL if there is none. False if
 * it is cut differently. */
static bool split_address(
	char *value, const char **ret_ip, const char **ret_length, const char **ret_device)
{
	char *cursor = value, *slash;
	const char *dev;

	*ret_ip = value_word(&cursor);
	dev = value_word(&cursor);
	*ret_device = value_word(&cursor);
	if (value_word(&cursor) || (dev && (strcmp(dev, "dev") != 0 || !*ret_device)))
		return false;
	slash = strchr(*ret_ip, '/');
	*ret_length = slash ? slash + 1 : NULL;
	if (slash)
		*slash = '\0';
	return true;
}

/* Reads the prefix length behind the slash (NULL: there was none), or complains. */
static bool take_prefix_length(
	struct draft *d, const struct ip *ip, const char *text, uint8_t *ret_length)
{
	uint64_t length = ip_bits(ip);

	if (text && (!value_number(text, &length) || length < 1 || length > ip_bits(ip))) {
		draft_complain(d, "prefix length \"%s\" is not possible, write one from 1 to %u",
			quote(text).text, ip_bits(ip));
		return false;
	}
	*ret_length = (uint8_t)length;
	return true;
}

/* False, with a complaint, if no host can have the address @ip in its own subnet (RFC 1122 section
 * 3.2.1.3; RFC 3021 for /31). */
static bool check_host_part(struct draft *d, const struct ip *ip, unsigned prefix_length)
{
	const char *what = NULL;

	if (ip->family != IP_V4 || prefix_length >= 31)
		return true;
	if (value_host_bits_are(ip, prefix_length, false))
		what = "network";
	else if (value_host_bits_are(ip, prefix_length, true))
		what = "broadcast";
	if (what)
		draft_complain(d, "%s is the %s address of its /%u, write that of a host",
			value_ip_text(ip).text, what, prefix_length);
	return !what;
}

/* False, with a complaint, if @ip was given before. */
static bool check_duplicate_address(struct draft *d, const struct ip *ip)
{
	int other = conf_address_by_ip(&d->conf, ip);

	if (other >= 0)
		draft_complain(d, "%s stands here and in line %u, remove one of them",
			value_ip_text(ip).text, d->address_line[other]);
	return other < 0;
}

static void add_address(
	struct draft *d, const struct ip *ip, uint8_t prefix_length, const char *device)
{
	struct conf_group *group = current_group(d);
	struct conf_address *address = &d->conf.addresses[d->conf.address_count];

	*address = (struct conf_address){.ip = *ip,
		.prefix_length = prefix_length,
		.group = (uint16_t)(d->conf.group_count - 1)};
	lookup_add(&d->conf.addresses_by_ip, ip_hash(ip), d->conf.address_count);
	d->address_line[d->conf.address_count] = d->line;
	(void)text_copy(d->address_device[d->conf.address_count], DEVICE_SIZE, device);
	if (group->address_count == 0)
		group->address_first = d->conf.address_count;
	group->address_count++;
	d->conf.address_count++;
}

static void take_address(struct draft *d, const struct key *key, char *value)
{
	struct quoted q = quote(value);
	const char *text, *length_text, *device;
	struct ip ip;
	uint8_t length;

	if (is_full(d, key, d->conf.address_count, ADDRESSES_MAX))
		return;
	if (!split_address(value, &text, &length_text, &device)) {
		draft_complain(d, "%s = \"%s\" is not possible, write ADDRESS[/LEN] [dev DEVICE]",
			key->name, q.text);
		return;
	}
	if (device && !value_is_device(device)) {
		draft_complain(d, "dev \"%s\" is not a device's name, write one like eth0",
			quote(device).text);
		return;
	}
	if (take_unicast(d, key, text, &ip) && take_prefix_length(d, &ip, length_text, &length) &&
		check_host_part(d, &ip, length) && check_duplicate_address(d, &ip))
		add_address(d, &ip, length, device ? device : "");
}

static void take_policy(struct draft *d, const struct key *key, char *value)
{
	for (enum conf_policy policy = 0; policy < CONF_POLICIES; policy++) {
		if (strcmp(value, conf_policy_name(policy)) == 0) {
			current_group(d)->policy = policy;
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

static void take_ipv4_as(struct draft *d, const struct key *key, char *value)
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

static void take_when_all_fail(struct draft *d, const struct key *key, char *value)
{
	if (strcmp(value, "keep") == 0 || strcmp(value, "release") == 0)
		current_group(d)->release_when_all_fail = value[0] == 'r';
	else
		draft_complain(d, "%s = \"%s\" is not possible, write keep or release", key->name,
			quote(value).text);
}

static void take_protocol(struct draft *d, const struct key *key, char *value)
{
	if (strcmp(value, "ha") == 0 || strcmp(value, "original") == 0)
		d->conf.node.original = value[0] == 'o';
	else
		draft_complain(d, "%s = \"%s\" is unknown, write ha or original", key->name,
			quote(value).text);
}

static void take_application(struct draft *d, const struct key *key, char *value)
{
	if (value_is_name(value))
		current_group(d)->application = room_keep(d, value);
	else
		draft_complain(d,
			"%s = \"%s\" is not the name of a user or group, write one like %s",
			key->name, quote(value).text, key->example);
}

static void take_check(struct draft *d, const struct key *key, char *value)
{
	struct conf_group *group = current_group(d);
	struct conf_check *check;

	if (is_full(d, key, d->conf.check_count, CHECKS_MAX))
		return;
	if (group->check_count++ == 0)
		group->check_first = d->conf.check_count;
	d->check_line[d->conf.check_count] = d->line;
	check = &d->conf.checks[d->conf.check_count++];
	check->group = (uint16_t)(d->conf.group_count - 1);
	conf_check_take(d, check, value);
}

/* False, with a complaint, if it is no command line. */
static bool check_command(struct draft *d, const struct key *key, const char *value)
{
	if (value[0] != '/')
		draft_complain(d, "%s = \"%s\" is not an absolute path, write a program like %s",
			key->name, quote(value).text, key->example);
	else if (strpbrk(value, "\"'"))
		draft_complain(d,
			"%s: quotation marks mean nothing here, words are split at blanks; write a"
			" script and name it",
			key->name);
	else
		return true;
	return false;
}

static void take_stream(struct draft *d, const struct key *key, char *value)
{
	if (check_command(d, key, value))
		(void)text_copy(d->conf.node.on_change_stream, COMMAND_SIZE, value);
}

static void take_hook(
	struct draft *d, const struct key *key, const char *value, enum conf_hook kind)
{
	struct conf_group *group = current_group(d);

	if (check_command(d, key, value) && !is_full(d, key, group->hook_count[kind], HOOKS_MAX))
		group->hook[kind][group->hook_count[kind]++] = room_keep(d, value);
}

static void take_on_change(struct draft *d, const struct key *key, char *value)
{
	take_hook(d, key, value, CONF_HOOK_CHANGE);
}

static void take_on_active(struct draft *d, const struct key *key, char *value)
{
	take_hook(d, key, value, CONF_HOOK_ACTIVE);
}

static void take_on_standby(struct draft *d, const struct key *key, char *value)
{
	take_hook(d, key, value, CONF_HOOK_STANDBY);
}

static void take_before_active(struct draft *d, const struct key *key, char *value)
{
	take_hook(d, key, value, CONF_HOOK_BEFORE);
}
