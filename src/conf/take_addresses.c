/* SPDX-License-Identifier: ISC */
/* The keys that name addresses and the devices that they are on. */
#include <string.h>

#include "base/text.h"
#include "conf/diagnostics.h"
#include "conf/take.h"
#include "conf/values.h"

void take_interface(struct draft *d, const struct key *key, char *value)
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
	if (key_has_no_room(d, key, d->path_count, PATHS_MAX))
		return;
	d->path_line[d->path_count] = d->line;
	(void)text_copy(d->path_device[d->path_count++], DEVICE_SIZE, value);
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

void take_peer(struct draft *d, const struct key *key, char *value)
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
	if (key_has_no_room(d, key, node->peer_count, UNICAST_MAX))
		return;
	d->peer_line[node->peer_count] = d->line;
	node->peer[node->peer_count++] = ip;
}

void take_multicast(struct draft *d, const struct key *key, char *value)
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
	struct conf_group *group = key_group(d);
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

void take_address(struct draft *d, const struct key *key, char *value)
{
	struct quoted q = quote(value);
	const char *text, *length_text, *device;
	struct ip ip;
	uint8_t length;

	if (key_has_no_room(d, key, d->conf.address_count, ADDRESSES_MAX))
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
