/* SPDX-License-Identifier: ISC */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/id.h"
#include "base/text.h"
#include "base/time.h"
#include "conf/diagnostics.h"
#include "conf/lines.h"
#include "conf/values.h"

/* Large, and so not on the stack. */
static struct conf parsed, again;
static struct conf_diagnostics found;
static char printed[CONF_TEXT_MAX];
static char rendered[CONF_DIAGNOSTICS_MAX * (CONF_MESSAGE_SIZE + 16)];

static bool parse(const char *text)
{
	conf_free(&parsed);
	return conf_parse(text, strlen(text), "alpha", &parsed, &found);
}

/* All diagnostics as "line: message" lines. */
static const char *render(void)
{
	struct text t = text_init(rendered, sizeof(rendered));

	for (size_t i = 0; i < found.count; i++)
		text_add(&t, "%u: %s\n", found.list[i].line, found.list[i].message);
	if (found.omitted > 0)
		text_add(&t, "and %zu more\n", found.omitted);
	return rendered;
}

static void parse_good(const char *text)
{
	if (!parse(text))
		fail_msg("refused: %s", render());
	assert_int_equal(found.count, 0);
	assert_int_equal(found.omitted, 0);
}

/* Expects exactly these diagnostics, and nothing else to happen. */
static void parse_bad(const char *text, const char *expected)
{
	static struct conf untouched;

	memset(&untouched, 0x5a, sizeof(untouched));
	if (conf_parse(text, strlen(text), "alpha", &untouched, &found))
		fail_msg("accepted: %s", text);
	assert_string_equal(render(), expected);
	for (size_t i = 0; i < sizeof(untouched); i++)
		assert_int_equal(((const unsigned char *)&untouched)[i], 0x5a);
}

/* The smallest configuration, with room for a line in each section. Lines 3 and 6 are the room. */
static const char *with(const char *node_line, const char *group_line)
{
	static char text[16384];
	struct text t = text_init(text, sizeof(text));

	text_add(&t, "[node]\ninterface = eth0\n%s\n[group web]\naddress = 192.168.1.100/24\n%s\n",
		node_line, group_line);
	return text;
}

static void test_defaults(void **state)
{
	const struct conf_node *n = &parsed.node;

	(void)state;
	parse_good("[node]\ninterface = eth0\n[group web]\naddress = 192.168.1.100\n");
	assert_string_equal(n->name, "alpha");
	assert_string_equal(n->cluster, "ha");
	assert_int_equal(n->cluster_tag, id_from_name("ha"));
	assert_int_equal(n->path_count, 1);
	assert_int_equal(n->path[0], 0);
	assert_int_equal(n->interval_ns, 100 * NS_PER_MS);
	assert_int_equal(n->tolerance_ns, 350 * NS_PER_MS);
	assert_int_equal(n->max_tolerance_ns, 10 * NS_PER_S);
	assert_int_equal(n->margin_ns, 350 * NS_PER_MS / 32);
	assert_true(
		ip_equal(&n->multicast, &(struct ip){.family = IP_V4, .bytes = {239, 2, 3, 4}}));
	assert_int_equal(n->port, 5555);
	assert_int_equal(n->peer_count, 0);
	assert_string_equal(n->key_file, "");
	assert_string_equal(n->user, "");
	assert_int_equal(n->hook_timeout_ns, 30 * NS_PER_S);
	assert_true(n->realtime);
	assert_int_equal(n->removals_limit, 5);
	assert_int_equal(n->removals_window_ns, 10 * NS_PER_S);
	assert_int_equal(parsed.device_count, 1);
	assert_string_equal(parsed.devices[0].name, "eth0");
	assert_true(parsed.devices[0].path);
	assert_int_equal(parsed.group_count, 1);
	assert_string_equal(parsed.groups[0].name, "web");
	assert_int_equal(parsed.groups[0].id, id_from_name("web"));
	assert_int_equal(parsed.groups[0].worth, 100);
	assert_int_equal(parsed.groups[0].policy, CONF_POLICY_WORTHIEST);
	assert_int_equal(parsed.groups[0].settle_ns, 0);
	assert_int_equal(parsed.groups[0].hold_down_ns, 30 * NS_PER_S);
	assert_int_equal(parsed.groups[0].address_first, 0);
	assert_int_equal(parsed.groups[0].address_count, 1);
	for (unsigned kind = 0; kind < CONF_HOOK_KINDS; kind++)
		assert_int_equal(parsed.groups[0].hook_count[kind], 0);
	assert_int_equal(parsed.address_count, 1);
	assert_int_equal(parsed.addresses[0].prefix_length, 32);
	assert_int_equal(parsed.addresses[0].device, 0);
	assert_int_equal(parsed.addresses[0].group, 0);
}

static void test_derived_defaults(void **state)
{
	(void)state;
	parse_good(with("interval = 5ms", ""));
	assert_int_equal(parsed.node.tolerance_ns, 17500 * NS_PER_US);
	assert_int_equal(parsed.node.margin_ns, 3 * NS_PER_MS);
	parse_good(with("interval = 60s\nmax-tolerance = 210s", ""));
	assert_int_equal(parsed.node.tolerance_ns, 210 * NS_PER_S);
	assert_int_equal(parsed.node.max_tolerance_ns, 210 * NS_PER_S);
	assert_int_equal(parsed.node.margin_ns, 210 * NS_PER_S / 32);
	parse_good(with("interval = 5ms\ntolerance = 10ms", ""));
	assert_int_equal(parsed.node.margin_ns, 3 * NS_PER_MS);
}

/* Every key once, groups before [node], devices in an order that is not that of the file. */
/* clang-format off */
static const char EVERYTHING[] = "# a comment\n"
				 "; another one\n"
				 "[group web]\n"
				 "  address = 192.168.1.100/24 ; behind a value\n"
				 "\taddress = fd00::100/64 dev eth3\n"
				 "  address=fe80::100 dev eth2\n"
				 "  worth = 65535\n"
				 "  when-all-fail = release\n"
				 "  check = tcp 127.0.0.1:80 name=nginx interval=10ms rise=1\n"
				 "  check = tcp [::1]:80 lower=50\n"
				 "  check = http http://127.0.0.1/a=b 200 all  is well timeout=0.5s\n"
				 "  check = exec /etc/ha/check --verbose a=b damping=0s\n"
				 "  check = process nginx fall=7\n"
				 "  check = file /run/worth worth\n"
				 "  check = interface eth1\n"
				 "  check = gateway\n"
				 "  check = arp fe80::7\n"
				 "  check = route default\n"
				 "  check = route 10.0.0.0/8\n"
				 "  check = group mail.example-2_x\n"
				 "  application = www-data\n"
				 "  before-active = /etc/ha/prepare\n"
				 "  before-active-timeout = 2.5s\n"
				 "  policy = sticky\n"
				 "  settle = 10s\n"
				 "  hold-down = 1min\n"
				 "  on-change = /etc/ha/changed one  two\n"
				 "  on-change = /etc/ha/changed too;\n"
				 "  on-active = /etc/ha/active\n"
				 "  on-standby = /etc/ha/standby\n"
				 "\n"
				 "[node] # of this host\n"
				 "name = beta-1\n"
				 "cluster = office\n"
				 "interface = eth1\n"
				 "interface = eth2\n"
				 "interval = 50ms\n"
				 "tolerance = 0.2s\n"
				 "max-tolerance = 1min\n"
				 "margin = 20 ms\n"
				 "key-file = /etc/ha/key\n"
				 "accept-key-file = /etc/ha/old-key\n"
				 "peer = 192.168.1.21\n"
				 "peer = fe80::21\n"
				 "multicast = ff02::4321\n"
				 "port = 65535\n"
				 "protocol = ha\n"
				 "user = _ha\n"
				 "hook-timeout = 2.5s\n"
				 "on-change-stream = /etc/ha/follow all\n"
				 "ipv4-as = route\n"
				 "fence = nftables\n"
				 "realtime = no\n"
				 "removed-limit = 3\n"
				 "removed-window = 5000001us\n"
				 "[ group\tmail.example-2_x ]\n"
				 "address = 10.0.0.1/31\n"
				 "address = 10.0.0.0/31\n"
				 "worth = 0";
/* clang-format on */

static void check_everything(const struct conf *c)
{
	assert_string_equal(c->node.name, "beta-1");
	assert_string_equal(c->node.cluster, "office");
	assert_int_equal(c->node.cluster_tag, id_from_name("office"));
	assert_int_equal(c->node.path_count, 2);
	assert_int_equal(c->node.path[0], 0);
	assert_int_equal(c->node.path[1], 1);
	assert_int_equal(c->node.interval_ns, 50 * NS_PER_MS);
	assert_int_equal(c->node.tolerance_ns, 200 * NS_PER_MS);
	assert_int_equal(c->node.max_tolerance_ns, 60 * NS_PER_S);
	assert_int_equal(c->node.margin_ns, 20 * NS_PER_MS);
	assert_string_equal(c->node.key_file, "/etc/ha/key");
	assert_int_equal(c->node.peer_count, 2);
	assert_true(ip_equal(&c->node.peer[0], &(struct ip){IP_V4, {192, 168, 1, 21}}));
	assert_true(ip_equal(&c->node.peer[1], &(struct ip){IP_V6, {0xfe, 0x80, [15] = 0x21}}));
	assert_int_equal(c->node.multicast.family, IP_V6);
	assert_int_equal(c->node.port, 65535);
	assert_string_equal(c->node.user, "_ha");
	assert_int_equal(c->node.hook_timeout_ns, 2500 * NS_PER_MS);
	assert_int_equal(c->node.ipv4_as, CONF_IPV4_AS_ROUTE);
	assert_int_equal(c->node.fence, CONF_FENCE_NFTABLES);
	assert_string_equal(c->node.on_change_stream, "/etc/ha/follow all");
	assert_false(c->node.realtime);
	assert_int_equal(c->node.removals_limit, 3);
	assert_int_equal(c->node.removals_window_ns, 5000001 * NS_PER_US);
	assert_int_equal(c->group_count, 2);
	assert_true(c->groups[0].release_when_all_fail);
	assert_false(c->groups[1].release_when_all_fail);
	assert_int_equal(c->groups[0].before_active_timeout_ns, 2500 * NS_PER_MS);
	assert_int_equal(c->groups[0].hook_count[CONF_HOOK_BEFORE], 1);
	assert_int_equal(c->groups[1].before_active_timeout_ns, CONF_BEFORE_TIMEOUT_NS);
	assert_string_equal(c->groups[0].application, "www-data");
	assert_null(c->groups[1].application);
	assert_string_equal(c->groups[1].name, "mail.example-2_x");
}

static void check_checks(const struct conf *c)
{
	const struct conf_check *k = c->checks;

	assert_int_equal(c->check_count, 12);
	assert_int_equal(c->groups[0].check_count, 12);
	assert_int_equal(c->groups[1].check_count, 0);
	assert_int_equal(k[0].kind, CONF_CHECK_TCP);
	assert_string_equal(k[0].name, "nginx");
	assert_string_equal(k[0].target, "127.0.0.1");
	assert_int_equal(k[0].port, 80);
	assert_int_equal(k[0].interval_ns, 10 * NS_PER_MS);
	assert_int_equal(k[0].rise, 1);
	assert_int_equal(k[0].fall, 3);
	assert_int_equal(k[0].lower, 0);
	assert_int_equal(k[0].damping_ns, 30 * NS_PER_S);
	assert_string_equal(k[1].target, "::1");
	assert_int_equal(k[1].lower, 50);
	assert_string_equal(k[2].target, "http://127.0.0.1/a=b");
	assert_string_equal(k[2].text, "all is well");
	assert_int_equal(k[2].status_low, 200);
	assert_int_equal(k[2].status_high, 200);
	assert_int_equal(k[2].timeout_ns, 500 * NS_PER_MS);
	assert_string_equal(k[3].target, "/etc/ha/check --verbose a=b");
	assert_int_equal(k[3].damping_ns, 0);
	assert_int_equal(k[4].fall, 7);
	assert_true(k[5].is_worth);
	assert_string_equal(k[6].target, "eth1");
	assert_int_equal(k[8].ip.family, IP_V6);
	assert_int_equal(k[9].ip.family, IP_NONE);
	assert_int_equal(k[10].prefix_length, 8);
	assert_int_equal(k[11].follows, 1);
}

static void test_check_names(void **state)
{
	static const char *const names[] = {"nginx", "tcp [::1]:80", "http http://127.0.0.1/a=b",
		"exec /etc/ha/check --verbose a=b", "process nginx", "file /run/worth",
		"interface eth1", "gateway", "arp fe80::7", "route default", "route 10.0.0.0/8",
		"group mail.example-2_x"};
	char name[NAME_SIZE];

	(void)state;
	parse_good(EVERYTHING);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		conf_check_describe(&parsed.checks[i], name, sizeof(name));
		assert_string_equal(name, names[i]);
	}
}

static void test_everything(void **state)
{
	const struct conf_group *web;

	(void)state;
	parse_good(EVERYTHING);
	web = &parsed.groups[0];
	check_everything(&parsed);
	check_checks(&parsed);
	assert_int_equal(parsed.device_count, 3);
	assert_string_equal(parsed.devices[0].name, "eth1");
	assert_string_equal(parsed.devices[1].name, "eth2");
	assert_string_equal(parsed.devices[2].name, "eth3");
	assert_true(parsed.devices[0].path && parsed.devices[1].path && !parsed.devices[2].path);
	assert_int_equal(web->worth, 65535);
	assert_int_equal(web->policy, CONF_POLICY_STICKY);
	assert_int_equal(web->settle_ns, 10 * NS_PER_S);
	assert_int_equal(web->hold_down_ns, 60 * NS_PER_S);
	assert_int_equal(web->address_count, 3);
	assert_int_equal(parsed.addresses[0].device, 0);
	assert_int_equal(parsed.addresses[0].prefix_length, 24);
	assert_int_equal(parsed.addresses[1].device, 2);
	assert_int_equal(parsed.addresses[1].prefix_length, 64);
	assert_int_equal(parsed.addresses[2].device, 1);
	assert_int_equal(parsed.addresses[2].prefix_length, 128);
	assert_int_equal(web->hook_count[CONF_HOOK_CHANGE], 2);
	assert_string_equal(web->hook[CONF_HOOK_CHANGE][0], "/etc/ha/changed one  two");
	assert_string_equal(web->hook[CONF_HOOK_CHANGE][1], "/etc/ha/changed too;");
	assert_string_equal(web->hook[CONF_HOOK_ACTIVE][0], "/etc/ha/active");
	assert_string_equal(web->hook[CONF_HOOK_STANDBY][0], "/etc/ha/standby");
	assert_int_equal(parsed.groups[1].address_first, 3);
	assert_int_equal(parsed.groups[1].address_count, 2);
	assert_int_equal(parsed.groups[1].worth, 0);
	assert_int_equal(parsed.addresses[3].group, 1);
	assert_int_equal(parsed.addresses[4].group, 1);
}

static void test_group_by_name(void **state)
{
	(void)state;
	parse_good(EVERYTHING);
	assert_int_equal(conf_group_by_name(&parsed, "web"), 0);
	assert_int_equal(conf_group_by_name(&parsed, "mail.example-2_x"), 1);
	assert_int_equal(conf_group_by_name(&parsed, "mail"), -1);
	assert_int_equal(conf_group_by_name(&parsed, ""), -1);
	assert_int_equal(id_from_name("wsi3xgbb"), id_from_name("web"));
	assert_int_equal(conf_group_by_name(&parsed, "wsi3xgbb"), -1);
	assert_int_equal(conf_group_by_id(&parsed, id_from_name("web")), 0);
	assert_int_equal(conf_group_by_id(&parsed, 1), -1);
	for (int a = 0; a < parsed.address_count; a++)
		assert_int_equal(conf_address_by_ip(&parsed, &parsed.addresses[a].ip), a);
	assert_int_equal(conf_address_by_ip(&parsed, &(struct ip){.family = IP_V4}), -1);
}

static void assert_same_node(const struct conf_node *a, const struct conf_node *b)
{
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->cluster, b->cluster);
	assert_int_equal(a->cluster_tag, b->cluster_tag);
	assert_int_equal(a->path_count, b->path_count);
	assert_memory_equal(a->path, b->path, a->path_count);
	assert_int_equal(a->interval_ns, b->interval_ns);
	assert_int_equal(a->tolerance_ns, b->tolerance_ns);
	assert_int_equal(a->max_tolerance_ns, b->max_tolerance_ns);
	assert_int_equal(a->margin_ns, b->margin_ns);
	assert_true(ip_equal(&a->multicast, &b->multicast));
	assert_int_equal(a->port, b->port);
	assert_int_equal(a->peer_count, b->peer_count);
	for (unsigned i = 0; i < a->peer_count; i++)
		assert_true(ip_equal(&a->peer[i], &b->peer[i]));
	assert_string_equal(a->key_file, b->key_file);
	assert_string_equal(a->user, b->user);
	assert_int_equal(a->hook_timeout_ns, b->hook_timeout_ns);
	assert_int_equal(a->ipv4_as, b->ipv4_as);
	assert_int_equal(a->fence, b->fence);
	assert_int_equal(a->realtime, b->realtime);
	assert_int_equal(a->removals_limit, b->removals_limit);
	assert_int_equal(a->removals_window_ns, b->removals_window_ns);
}

static void assert_same_group(const struct conf_group *a, const struct conf_group *b)
{
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->worth, b->worth);
	assert_int_equal(a->policy, b->policy);
	assert_int_equal(a->settle_ns, b->settle_ns);
	assert_int_equal(a->hold_down_ns, b->hold_down_ns);
	assert_int_equal(a->address_first, b->address_first);
	assert_int_equal(a->address_count, b->address_count);
	for (unsigned kind = 0; kind < CONF_HOOK_KINDS; kind++) {
		assert_int_equal(a->hook_count[kind], b->hook_count[kind]);
		for (unsigned i = 0; i < a->hook_count[kind]; i++)
			assert_string_equal(a->hook[kind][i], b->hook[kind][i]);
	}
}

static void assert_same(const struct conf *a, const struct conf *b)
{
	assert_same_node(&a->node, &b->node);
	assert_int_equal(a->device_count, b->device_count);
	for (unsigned i = 0; i < a->device_count; i++) {
		assert_string_equal(a->devices[i].name, b->devices[i].name);
		assert_int_equal(a->devices[i].path, b->devices[i].path);
	}
	assert_int_equal(a->group_count, b->group_count);
	for (unsigned i = 0; i < a->group_count; i++)
		assert_same_group(&a->groups[i], &b->groups[i]);
	assert_int_equal(a->address_count, b->address_count);
	for (unsigned i = 0; i < a->address_count; i++) {
		assert_true(ip_equal(&a->addresses[i].ip, &b->addresses[i].ip));
		assert_int_equal(a->addresses[i].prefix_length, b->addresses[i].prefix_length);
		assert_int_equal(a->addresses[i].device, b->addresses[i].device);
		assert_int_equal(a->addresses[i].group, b->addresses[i].group);
	}
}

/* Prints what was parsed last and parses that, on a host of another name. */
static void round_trip(void)
{
	size_t size = conf_print(&parsed, printed, sizeof(printed));

	assert_int_equal(strlen(printed), size);
	conf_free(&again);
	if (!conf_parse(printed, size, "other", &again, &found))
		fail_msg("printed, but refused: %s\n%s", render(), printed);
	assert_same(&parsed, &again);
}

static void test_round_trip(void **state)
{
	(void)state;
	parse_good(EVERYTHING);
	round_trip();
	parse_good(with("", ""));
	round_trip();
	parse_good(with("multicast = none\npeer = 10.0.0.2\ninterval = 33.333333ms", ""));
	assert_int_equal(parsed.node.interval_ns, 33333333);
	round_trip();
	parse_good(with("multicast = 224.0.0.66", ""));
	round_trip();
}

/* As much of everything as there is room for, but not so many groups: such a text is too long. */
#define LARGEST_GROUPS    100
#define LARGEST_ADDRESSES 400
static void test_round_trip_of_the_largest(void **state)
{
	static char text[CONF_TEXT_MAX];
	struct text t = text_init(text, sizeof(text));
	unsigned device = 0;

	(void)state;
	text_add(&t, "[node]\nkey-file = /%0187d\n", 0);
	for (; device < PATHS_MAX; device++)
		text_add(&t, "interface = longest-name-%02u\n", device);
	for (unsigned i = 1; i <= UNICAST_MAX; i++)
		text_add(&t, "peer = fd00:1111:2222:3333:4444:5555:6666:%x\n", 0xff00 + i);
	for (unsigned group = 0, i = 0; group < LARGEST_GROUPS; group++) {
		text_add(&t, "[group %063u]\n", group);
		for (; i < (group + 1) * LARGEST_ADDRESSES / LARGEST_GROUPS; i++)
			text_add(&t,
				"address=fd00:1111:2222:3333:4444:5555:%x:7777/128 dev"
				" longest-name-%02u\n",
				0x1000 + i, device++ % DEVICES_MAX);
		for (unsigned hook = 0; hook < HOOKS_MAX; hook++)
			text_add(&t, "on-change=/%0186d\non-active=/%0186d\non-standby=/%0185d\n",
				0, 0, 0);
	}
	parse_good(text);
	assert_int_equal(parsed.group_count, LARGEST_GROUPS);
	assert_int_equal(parsed.address_count, LARGEST_ADDRESSES);
	assert_int_equal(parsed.device_count, DEVICES_MAX);
	assert_int_equal(parsed.node.peer_count, UNICAST_MAX);
	round_trip();
}

struct bad_line {
	const char *node_line; /* line 3, or NULL: the line below [group web], line 6 */
	const char *group_line;
	const char *message;
};

static const struct bad_line BAD_LINES[] = {
	{"name = a b", NULL,
		"name = \"a b\" is not a name, use 1 to 63 letters, digits, \".\", \"_\" and "
		"\"-\""},
	{"name = a/b", NULL,
		"name = \"a/b\" is not a name, use 1 to 63 letters, digits, \".\", \"_\" and "
		"\"-\""},
	{"name = 1234567890123456789012345678901234567890123456789012345678901234", NULL,
		"name = \"12345678901234567890123456789012345678901234...\" is not a name, use 1 to"
		" 63 letters, digits, \".\", \"_\" and \"-\""},
	{"cluster = \xc3\xa4", NULL,
		"cluster = \"??\" is not a name, use 1 to 63 letters, digits, \".\", \"_\" and"
		" \"-\""},
	{"user = a:b", NULL,
		"user = \"a:b\" is not a name, use 1 to 63 letters, digits, \".\", \"_\" and "
		"\"-\""},
	{"interface = eth0 eth1", NULL,
		"interface = \"eth0 eth1\" is not a device's name, write one a line, like eth0"},
	{"interface = ../x", NULL,
		"interface = \"../x\" is not a device's name, write one a line, like eth0"},
	{"interface = eth0\t#main", NULL,
		"\"#\" begins a comment only at the start of a line, write \" ;\" before a comment"
		" behind a value"},
	{"interface = abcdefghijklmnop", NULL,
		"interface = \"abcdefghijklmnop\" is not a device's name, write one a line, like"
		" eth0"},
	{"interface = eth0", NULL,
		"interface = \"eth0\" stands here and in line 2, remove one of them"},
	{"interval = 100", NULL,
		"interval = \"100\" has no unit, write 100ms, or another of us, s, min"},
	{"interval = 153722867.9min", NULL, /* 2^63 ns are between 153722867 and that */
		"interval = \"153722867.9min\" is not possible, write a time from 5ms to 60s"},
	{"interval = soon", NULL, "interval = \"soon\" is not a time, write one like 100ms"},
	{"interval = -5ms", NULL, "interval = \"-5ms\" is not a time, write one like 100ms"},
	{"interval = .5s", NULL, "interval = \".5s\" is not a time, write one like 100ms"},
	{"interval = 1.s", NULL, "interval = \"1.s\" is not a time, write one like 100ms"},
	{"interval = 1h", NULL, "interval = \"1h\" has an unknown unit, use one of us, ms, s, min"},
	{"interval = 1e3ms", NULL,
		"interval = \"1e3ms\" has an unknown unit, use one of us, ms, s, min"},
	{"interval = 1.0000000s", NULL,
		"interval = \"1.0000000s\" has too many decimals, write at most 6"},
	{"interval = 4999us", NULL,
		"interval = \"4999us\" is not possible, write a time from 5ms to 60s"},
	{"interval = 60.000001s", NULL,
		"interval = \"60.000001s\" is not possible, write a time from 5ms to 60s"},
	{"interval = 0ms", NULL,
		"interval = \"0ms\" is not possible, write a time from 5ms to 60s"},
	{"interval = 99999999999999999999999999s", NULL,
		"interval = \"99999999999999999999999999s\" is not possible, write a time from 5ms"
		" to 60s"},
	{"interval = 9223372037s", NULL,
		"interval = \"9223372037s\" is not possible, write a time from 5ms to 60s"},
	{"tolerance = 199999us", NULL,
		"tolerance 199999us is less than 2 intervals of 100ms, write at least 200ms"},
	{"tolerance = 61min", NULL,
		"tolerance = \"61min\" is not possible, write a time from 10ms to 3600s"},
	{"max-tolerance = 349ms", NULL,
		"max-tolerance 349ms is less than the node's own tolerance of 350ms, write at least"
		" that"},
	{"max-tolerance = 1d", NULL,
		"max-tolerance = \"1d\" has an unknown unit, use one of us, ms, s, min"},
	{"margin = 250ms", NULL,
		"margin 250ms is not less than tolerance - interval, write less than 250ms"},
	{"margin = 2.999ms", NULL,
		"margin = \"2.999ms\" is not possible, write a time from 3ms to 3600s"},
	{"accept-key-file = /etc/ha/old-key", NULL,
		"accept-key-file needs a key-file, with which this node signs, add one"},
	{"key-file = key", NULL,
		"key-file = \"key\" is not an absolute path, write one like /etc/ha/key"},
	{"peer = beta", NULL,
		"peer = \"beta\" is not an IPv4 or IPv6 address, write one like 192.168.1.21"},
	{"peer = 10.0.0.2/24", NULL,
		"peer = \"10.0.0.2/24\" is not an IPv4 or IPv6 address, write one like "
		"192.168.1.21"},
	{"peer = 239.2.3.4", NULL,
		"peer = \"239.2.3.4\" is a multicast address, write one like 192.168.1.21"},
	{"peer = ::1", NULL, "peer = \"::1\" is a loopback address, write one like 192.168.1.21"},
	{"peer = ::", NULL,
		"peer = \"::\" is the unspecified address, write one like 192.168.1.21"},
	{"peer = 255.255.255.255", NULL,
		"peer = \"255.255.255.255\" is the broadcast address, write one like 192.168.1.21"},
	{"peer = ::ffff:10.0.0.2", NULL,
		"peer = \"::ffff:10.0.0.2\" is an IPv4 address written as IPv6, write one like"
		" 192.168.1.21"},
	{"multicast = 192.168.1.1", NULL,
		"multicast = \"192.168.1.1\" is not a multicast address, write one like 239.2.3.4, "
		"or"
		" none"},
	{"multicast = none", NULL,
		"without multicast nobody hears the heartbeats, add \"peer = 192.168.1.21\" for "
		"every"
		" other node"},
	{"port = 0", NULL, "port = \"0\" is not possible, write a whole number from 1 to 65535"},
	{"port = 65536", NULL,
		"port = \"65536\" is not possible, write a whole number from 1 to 65535"},
	{"port = 18446744073709551617", NULL,
		"port = \"18446744073709551617\" is not possible, write a whole number from 1 to"
		" 65535"},
	{"port = http", NULL,
		"port = \"http\" is not possible, write a whole number from 1 to 65535"},
	{"hook-timeout = 0.001s", NULL,
		"hook-timeout = \"0.001s\" is not possible, write a time from 10ms to 3600s"},
	{"ipv4-as = routes", NULL,
		"ipv4-as = \"routes\" is not possible, write auto, address or route"},
	{"fence = tc", NULL,
		"fence = \"tc\" is not possible, write auto, bpf, nftables, lifetime or watchdog"},
	{"realtime = true", NULL, "realtime = \"true\" is not possible, write yes or no"},
	{"removed-limit = 0", NULL,
		"removed-limit = \"0\" is not possible, write a whole number from 1 to 32"},
	{"removed-limit = 33", NULL,
		"removed-limit = \"33\" is not possible, write a whole number from 1 to 32"},
	{"removed-window = 99ms", NULL,
		"removed-window = \"99ms\" is not possible, write a time from 100ms to 3600s"},
	{"adress = 1.2.3.4", NULL, "unknown key \"adress\", ha.conf(5) lists those of [node]"},
	{"intervall = 1s", NULL, "unknown key \"intervall\", did you mean \"interval\"?"},
	{"key_file = /x", NULL, "unknown key \"key_file\", did you mean \"key-file\"?"},
	{"Port = 1", NULL, "unknown key \"Port\", did you mean \"port\"?"},
	{"worth = 5", NULL, "\"worth\" is not a key of [node], move it to [group NAME]"},
	{"port =", NULL, "\"port\" has no value, write one as in \"port = 5555\""},
	{"port = ; 5555", NULL, "\"port\" has no value, write one as in \"port = 5555\""},
	{"port = 5555 # ours", NULL,
		"\"#\" begins a comment only at the start of a line, write \" ;\" before a comment"
		" behind a value"},
	{"port: 5555", NULL, "\"port: 5555\" is not \"key = value\", begin comments with #"},
	{"fe80::1 = x", NULL, "\"fe80::1 = x\" is not \"key = value\", begin comments with #"},
	{"= 5555", NULL, "\"= 5555\" is not \"key = value\", begin comments with #"},
	{"hello", NULL, "\"hello\" is not \"key = value\", begin comments with #"},
	{"a\vb", NULL, "there is a control character (byte 0x0b), write plain text"},
	{"# \x1b[0m", NULL, "there is a control character (byte 0x1b), write plain text"},
	{NULL, "address = 192.168.1.100/25",
		"192.168.1.100 stands here and in line 5, remove one of them"},
	{NULL, "address = 10.0.0.0/24",
		"10.0.0.0 is the network address of its /24, write that of a host"},
	{NULL, "address = 10.0.0.3/30",
		"10.0.0.3 is the broadcast address of its /30, write that of a host"},
	{NULL, "address = 10.0.0.1/33",
		"prefix length \"33\" is not possible, write one from 1 to 32"},
	{NULL, "address = 10.0.0.1/0",
		"prefix length \"0\" is not possible, write one from 1 to 32"},
	{NULL, "address = 10.0.0.1/", "prefix length \"\" is not possible, write one from 1 to 32"},
	{NULL, "address = fd00::1/129",
		"prefix length \"129\" is not possible, write one from 1 to 128"},
	{NULL, "address = 10.0.0.1/255.0.0.0",
		"prefix length \"255.0.0.0\" is not possible, write one from 1 to 32"},
	{NULL, "address = 10.0.0.1 eth1",
		"address = \"10.0.0.1 eth1\" is not possible, write ADDRESS[/LEN] [dev DEVICE]"},
	{NULL, "address = 10.0.0.1 dev",
		"address = \"10.0.0.1 dev\" is not possible, write ADDRESS[/LEN] [dev DEVICE]"},
	{NULL, "address = 10.0.0.1 dev eth1 up",
		"address = \"10.0.0.1 dev eth1 up\" is not possible, write ADDRESS[/LEN] [dev"
		" DEVICE]"},
	{NULL, "address = 10.0.0.1 dev a/b",
		"dev \"a/b\" is not a device's name, write one like eth0"},
	{NULL, "address = 10.0.0.256",
		"address = \"10.0.0.256\" is not an IPv4 or IPv6 address, write one like"
		" 192.168.1.100/24"},
	{NULL, "address = /24",
		"address = \"\" is not an IPv4 or IPv6 address, write one like 192.168.1.100/24"},
	{NULL, "address = fe80::1%eth0",
		"address = \"fe80::1%eth0\" is not an IPv4 or IPv6 address, write one like"
		" 192.168.1.100/24"},
	{NULL, "address = 127.0.0.2",
		"address = \"127.0.0.2\" is a loopback address, write one like 192.168.1.100/24"},
	{NULL, "address = ff02::1",
		"address = \"ff02::1\" is a multicast address, write one like 192.168.1.100/24"},
	{NULL, "worth = 65536",
		"worth = \"65536\" is not possible, write a whole number from 0 to 65535"},
	{NULL, "worth = -1",
		"worth = \"-1\" is not possible, write a whole number from 0 to 65535"},
	{NULL, "policy = spread",
		"policy = spread does not exist in this version, only worthiest and sticky do"},
	{NULL, "policy = best", "policy = \"best\" is unknown, write worthiest or sticky"},
	{NULL, "settle = 0", "settle = \"0\" has no unit, write 0ms, or another of us, s, min"},
	{NULL, "hold-down = 2h",
		"hold-down = \"2h\" has an unknown unit, use one of us, ms, s, min"},
	{NULL, "settle = 61min",
		"settle = \"61min\" is not possible, write a time from 0s to 3600s"},
	{NULL, "on-change = changed",
		"on-change = \"changed\" is not an absolute path, write a program like"
		" /etc/ha/changed"},
	{NULL, "on-active = ./active",
		"on-active = \"./active\" is not an absolute path, write a program like"
		" /etc/ha/active"},
	{NULL, "on-standby = /bin/sh -c \"echo $HA_STATE\"",
		"on-standby: quotation marks mean nothing here, words are split at blanks; write a"
		" script and name it"},
	{NULL, "adress = 10.0.0.1", "unknown key \"adress\", did you mean \"address\"?"},
	{NULL, "worht = 1", "unknown key \"worht\", did you mean \"worth\"?"},
	{NULL, "on-chnage = /x", "unknown key \"on-chnage\", did you mean \"on-change\"?"},
	{NULL, "chekc = /x", "unknown key \"chekc\", did you mean \"check\"?"},
	{NULL, "check = tpc 127.0.0.1:80",
		"check = \"tpc\" is unknown, did you mean \"tcp HOST:PORT\"?"},
	{NULL, "check = ping 127.0.0.1",
		"check = \"ping\" is unknown, write one of tcp, http, exec, process, file,"
		" interface, gateway, arp, route, group"},
	{NULL, "check = tcp", "check = tcp: write \"check = tcp HOST:PORT\""},
	{NULL, "check = tcp 127.0.0.1",
		"check = tcp: \"127.0.0.1\" has no port from 1 to 65535, write 127.0.0.1:80"},
	{NULL, "check = tcp ::1:80", "check = tcp: write an IPv6 address in brackets, as [::1]:80"},
	{NULL, "check = tcp :80", "check = tcp: there is no host, write 127.0.0.1:80"},
	{NULL, "check = tcp 127.0.0.1:80 intervall=3s",
		"check: \"intervall=3s\" is unknown, did you mean \"interval=\"?"},
	{NULL, "check = tcp 127.0.0.1:80 interval=3",
		"check: interval=3 is not a time, write one like interval=1s"},
	{NULL, "check = tcp 127.0.0.1:80 interval=9ms",
		"check: interval=9ms is not possible, write a time from 10ms to 3600s"},
	{NULL, "check = tcp 127.0.0.1:80 rise=0",
		"check: rise=0 is not possible, write a whole number from 1 to 1000"},
	{NULL, "check = tcp 127.0.0.1:80 rise=3 rise=3",
		"check: rise= stands twice, remove one of them"},
	{NULL, "check = tcp 127.0.0.1:80 name=a/b",
		"check: name=a/b is not a name, use 1 to 63 letters, digits, \".\", \"_\" and"
		" \"-\""},
	{NULL, "check = tcp 127.0.0.1:80 interval=3601s",
		"check: interval=3601s is not possible, write a time from 10ms to 3600s"},
	{NULL, "check = tcp 127.0.0.1:80 rise=1001",
		"check: rise=1001 is not possible, write a whole number from 1 to 1000"},
	{NULL, "check = tcp 127.0.0.1:0",
		"check = tcp: \"127.0.0.1:0\" has no port from 1 to 65535, write 127.0.0.1:80"},
	{NULL, "check = tcp 127.0.0.1:65536",
		"check = tcp: \"127.0.0.1:65536\" has no port from 1 to 65535, write"
		" 127.0.0.1:80"},
	{NULL, "check = tcp 127.0.0.1:http",
		"check = tcp: \"127.0.0.1:http\" has no port from 1 to 65535, write"
		" 127.0.0.1:80"},
	{NULL, "check = http", "check = http: write \"check = http URL [STATUS] [TEXT]\""},
	{NULL, "check = http http://x 99",
		"check = http: \"99\" is not a status, write one from 100 to 599, or two as"
		" 200-399"},
	{NULL, "check = http http://x 399-200",
		"check = http: \"399-200\" is not a status, write one from 100 to 599, or two as"
		" 200-399"},
	{NULL, "check = http http://x 2xx",
		"check = http: \"2xx\" is not a status, write one from 100 to 599, or two as"
		" 200-399"},
	{NULL, "check = http http://x 200-3xx",
		"check = http: \"200-3xx\" is not a status, write one from 100 to 599, or two as"
		" 200-399"},
	{NULL, "check = http http://x 200-399-599",
		"check = http: \"200-399-599\" is not a status, write one from 100 to 599, or two"
		" as 200-399"},
	{NULL, "check = exec",
		"check = exec: write \"check = exec /PATH/TO/PROGRAM [ARGUMENT]...\""},
	{NULL, "check = arp x",
		"check = arp: \"x\" is not the address of a neighbour, write one like"
		" 192.168.1.1"},
	{NULL, "check = arp 0.0.0.0",
		"check = arp: \"0.0.0.0\" is not the address of a neighbour, write one like"
		" 192.168.1.1"},
	{NULL, "check = route 10.0.0.0",
		"check = route: \"10.0.0.0\" is not a prefix, write one like 10.0.0.0/8, or"
		" default"},
	{NULL, "check = route x/8",
		"check = route: \"x/8\" is not a prefix, write one like 10.0.0.0/8, or default"},
	{NULL, "check = route 10.0.0.0/x",
		"check = route: \"10.0.0.0/x\" is not a prefix, write one like 10.0.0.0/8, or"
		" default"},
	{NULL, "check = route 10.0.0.0/33",
		"check = route: \"10.0.0.0/33\" is not a prefix, write one like 10.0.0.0/8, or"
		" default"},
	{NULL, "check = http ftp://x",
		"check = http: \"ftp://x\" is not a URL, write one like http://127.0.0.1/health"},
	{NULL, "check = http http://x 2000",
		"check = http: \"2000\" is not a status, write one from 100 to 599, or two as"
		" 200-399"},
	{NULL, "check = exec check",
		"check = exec: \"check\" is not an absolute path, write a program like"
		" /etc/ha/check"},
	{NULL, "check = exec /bin/sh \"x\"",
		"check = exec: quotation marks mean nothing here, words are split at blanks; write"
		" a script and name it"},
	{NULL, "check = file x",
		"check = file: \"x\" is not an absolute path, write one like /run/ready"},
	{NULL, "check = file /x y", "check = file: write \"check = file /PATH [worth]\""},
	{NULL, "check = file /x worth lower=5",
		"check = file: its content is the worth, remove lower=5"},
	{NULL, "check = interface a/b",
		"check = interface: \"a/b\" is not a device's name, write one like eth0"},
	{NULL, "check = gateway 1.2.3.4", "check = gateway: write \"check = gateway\""},
	{NULL, "check = arp 224.0.0.1",
		"check = arp: \"224.0.0.1\" is not the address of a neighbour, write one like"
		" 192.168.1.1"},
	{NULL, "check = route 10.0.0.1/8",
		"check = route: \"10.0.0.1/8\" is not a prefix, write one like 10.0.0.0/8, or"
		" default"},
	{NULL, "check = group nix", "check = group: there is no group \"nix\" in this file"},
	{NULL, "check = group web",
		"check = group: \"web\" has a group that it follows itself, follow one that does"
		" not"},
	{NULL, "interval = 1s", "\"interval\" is not a key of [group NAME], move it to [node]"},
};

static void test_bad_lines(void **state)
{
	char expected[CONF_MESSAGE_SIZE + 16];

	(void)state;
	for (size_t i = 0; i < sizeof(BAD_LINES) / sizeof(BAD_LINES[0]); i++) {
		const struct bad_line *bad = &BAD_LINES[i];
		struct text t = text_init(expected, sizeof(expected));

		text_add(&t, "%d: %s\n", bad->node_line ? 3 : 6, bad->message);
		parse_bad(with(bad->node_line ? bad->node_line : "",
				  bad->group_line ? bad->group_line : ""),
			expected);
	}
}

static void test_all_mistakes_at_once(void **state)
{
	(void)state;
	parse_bad("interval = 1s\n"
		  "tolerance = 1s\n"
		  "[node]\n"
		  "interval = 100\n"
		  "interval = 1s\n"
		  "tolerance = 1ms\n"
		  "prot = 1\n"
		  "peer = 10.0.0.1\n"
		  "peer = 10.0.0.1\n"
		  "\n"
		  "[grup mail]\n"
		  "address = nonsense\n"
		  "[group web]\n"
		  "worth = high\n"
		  "\n"
		  "[group web]\n"
		  "address = 10.0.0.1\n"
		  "[node]\n"
		  "port = 1\n",
		"1: \"interval\" stands before any section, write [node] above it\n"
		"3: [node] has no interface for the heartbeats, add \"interface = eth0\"\n"
		"4: interval = \"100\" has no unit, write 100ms, or another of us, s, min\n"
		"5: \"interval\" stands here and in line 4, remove one of them\n"
		"6: tolerance = \"1ms\" is not possible, write a time from 10ms to 3600s\n"
		"7: unknown key \"prot\", did you mean \"port\"?\n"
		"9: peer = \"10.0.0.1\" stands here and in line 8, remove one of them\n"
		"11: unknown section [grup], did you mean [group NAME]?\n"
		"13: group \"web\" has no address, add \"address = 192.168.1.100/24\"\n"
		"14: worth = \"high\" is not possible, write a whole number from 0 to 65535\n"
		"16: group \"web\" stands here and in line 13, put its keys into one of them\n"
		"17: 10.0.0.1 is also the peer of line 8, a shared address must be no server's "
		"own\n"
		"18: [node] stands here and in line 3, join them\n");
}

static void test_sections(void **state)
{
	(void)state;
	parse_bad("", "0: there is no [node], add it with \"interface = eth0\"\n"
		      "0: there is no group, add \"[group main]\" with \"address ="
		      " 192.168.1.100/24\"\n");
	parse_bad("[node]\ninterface=eth0\n[group web]\n",
		"3: group \"web\" has no address, add \"address = 192.168.1.100/24\"\n");
	parse_bad("[node]\ninterface=eth0\n[group web]\n[group mail]\naddress=10.0.0.1\n",
		"3: group \"web\" has no address, add \"address = 192.168.1.100/24\"\n");
	/* A refused address is reported once, as that. */
	parse_bad("[node]\ninterface=eth0\n[group web]\naddress=1\n",
		"4: address = \"1\" is not an IPv4 or IPv6 address, write one like"
		" 192.168.1.100/24\n");
	parse_bad(with("", "[group]\naddress=10.0.0.1\n[group a b]\naddress=10.0.0.2"),
		"6: a group needs a name, write [group main]\n"
		"8: \"a b\" cannot name a group, use 1 to 63 letters, digits, \".\", \"_\" and"
		" \"-\"\n");
	parse_bad(with("[node x]", ""),
		"3: [node] takes no name here, write \"name = x\" under it\n"
		"3: [node] stands here and in line 1, join them\n");
	parse_bad(with("[]\n[peer]\n[Node]\nkey = ignored", ""),
		"3: unknown section [], there are [node] and [group NAME]\n"
		"4: unknown section [peer], there are [node] and [group NAME]\n"
		"5: unknown section [Node], did you mean [node]?\n");
	parse_bad(with("", "[group mail\naddress=10.0.0.1"),
		"6: a section ends with \"]\", write [group mail]\n");
	parse_bad(with("", "[group mail] address=10.0.0.1\naddress=10.0.0.2"),
		"6: \"address=10.0.0.1\" stands behind the section, write it into a line of its"
		" own\n");
	parse_good(with("", "[group mail];comment\naddress=10.0.0.1"));
	/* FNV-1a, folded, of both names is the same. */
	assert_int_equal(id_from_name("web-80401"), id_from_name("web-300661"));
	parse_bad(with("", "[group web-80401]\naddress=10.0.0.1\n[group "
			   "web-300661]\naddress=10.0.0.2"),
		"8: group \"web-300661\" has the same number on the wire as \"web-80401\" in line "
		"6, rename one"
		" of them\n");
}

static void test_host_name(void **state)
{
	static const char text[] = "[node]\ninterface=eth0\n[group web]\naddress=10.0.0.1\n";

	(void)state;
	conf_free(&parsed);
	assert_true(conf_parse(text, strlen(text), "alpha.example.org", &parsed, &found));
	assert_string_equal(parsed.node.name, "alpha.example.org");
	assert_false(conf_parse(text, strlen(text), "(none)", &parsed, &found));
	assert_string_equal(render(), "1: the host's name \"(none)\" cannot name the node, add"
				      " \"name = alpha\" to [node]\n");
	assert_false(conf_parse(text, strlen(text), NULL, &parsed, &found));
	assert_int_equal(found.count, 1);
	parse_good(with("name = beta", ""));
	assert_string_equal(parsed.node.name, "beta");
}

/* Times that fit together, and that do not. */
static void test_times(void **state)
{
	(void)state;
	parse_good(with("interval = 5ms\ntolerance = 10ms\nmargin = 4.999999ms", ""));
	assert_int_equal(parsed.node.margin_ns, 4999999);
	parse_good(with("tolerance = 10s", ""));
	assert_int_equal(parsed.node.max_tolerance_ns, 10 * NS_PER_S);
	parse_bad(with("tolerance = 15s", ""),
		"3: a tolerance of 15s is more than the 10s that nodes give each other, write"
		" \"max-tolerance = 15s\", on every node\n");
	parse_bad(with("interval = 60s", ""),
		"3: a tolerance of 210s is more than the 10s that nodes give each other, write"
		" \"max-tolerance = 210s\", on every node\n");
	parse_good(with("interval = 0.1 s\ntolerance=0.5min\nmax-tolerance = 30s", ""));
	assert_int_equal(parsed.node.tolerance_ns, 30 * NS_PER_S);
	parse_bad(with("tolerance = 15s\nmax-tolerance = 10s", ""),
		"4: max-tolerance 10s is less than the node's own tolerance of 15s, write at least"
		" that\n");
	parse_bad(with("interval = 1s\ntolerance = 1s", ""),
		"4: tolerance 1s is less than 2 intervals of 1s, write at least 2s\n");
	parse_bad(with("interval = 1min\nmax-tolerance = 10s", ""),
		"4: max-tolerance 10s is less than the node's own tolerance of 210s, write at least"
		" that\n");
	/* Nothing is concluded from a value that is wrong by itself. */
	parse_bad(with("interval = 2\ntolerance = 100ms\nmargin = 99ms", ""),
		"3: interval = \"2\" has no unit, write 2ms, or another of us, s, min\n");
}

/* Beside the original program, whose port and group it must keep clear of. */
static void test_original(void **state)
{
	(void)state;
	parse_good(with("protocol = original\nport = 5556", ""));
	assert_true(parsed.node.original);
	round_trip();
	parse_good(with("protocol = original\nport = 5555\nmulticast = 239.2.3.5", ""));
	parse_bad(with("protocol = original\nport = 5555\nmulticast = 239.2.3.4", ""),
		"3: protocol = original: nodes of the original program would take heartbeats on "
		"port 5555 for their own, write \"port = 5556\" on every node of this one\n");
	parse_bad(with("protocol = original\nport = 5556",
			  "[group mail]\naddress = 192.168.1.101/24\n"),
		"3: protocol = original: the original program has one group, so must this one have "
		"while both share it\n");
}

static void test_forms_of_checks(void **state)
{
	(void)state;
	parse_good(with("", "check = http https://127.0.0.1"));
	assert_null(parsed.checks[0].text);
	round_trip();
	parse_good(with("", "check = http http://127.0.0.1 .here"));
	assert_string_equal(parsed.checks[0].text, ".here");
	/* What only looks like an option is an argument. */
	parse_good(with("", "check = exec /bin/true -name=x"));
	assert_string_equal(parsed.checks[0].target, "/bin/true -name=x");
	parse_good(with("", "check = exec /bin/true a=b "
			    "a234567890123456789012345678901234567890123456789012345678901234=b"));
	assert_int_equal(strlen(parsed.checks[0].target), 80);
}

static void test_texts_and_names(void **state)
{
	static const char *const devices[] = {"", ".", "..", "#a", ";a", "a/b", "a:b", "a b"};

	(void)state;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		assert_false(value_is_device(devices[i]));
	assert_true(value_is_device("a#;."));
	assert_string_equal(quote("a\x7f\x1f~").text, "a??~");
	assert_int_equal(span_find((struct span){0}, 'a'), 0);
}

static void test_peers(void **state)
{
	(void)state;
	parse_good(with("multicast = none\npeer = 192.168.1.21", ""));
	assert_int_equal(parsed.node.multicast.family, IP_NONE);
	parse_bad(with("peer = 192.168.1.100", ""),
		"5: 192.168.1.100 is also the peer of line 3, a shared address must be no server's"
		" own\n");
	parse_bad(with("multicast = none\npeer = 1", ""),
		"4: peer = \"1\" is not an IPv4 or IPv6 address, write one like 192.168.1.21\n");
}

/* @before, then @count times @lines with the numbers from 1 in place of each *, then @after. */
static const char *many(const char *before, const char *lines, unsigned count, const char *after)
{
	static char text[1024 * 1024];
	struct text t = text_init(text, sizeof(text));

	text_add(&t, "%s", before);
	for (unsigned i = 1; i <= count; i++) {
		for (const char *at = lines; *at; at++) {
			if (*at == '*')
				text_add(&t, "%u", i);
			else
				text_add(&t, "%c", *at);
		}
	}
	text_add(&t, "%s", after);
	return text;
}

/* Each text begins with [node], its interface, and so on: the third line is the first of many. */
static const char *many_addresses(unsigned count)
{
	static char text[1024 * 1024];
	struct text t = text_init(text, sizeof(text));

	text_add(&t, "[node]\ninterface=eth0\n[group web]\n");
	for (unsigned i = 0; i < count; i++)
		text_add(&t, "address = fd00::%x\n", i + 1);
	return text;
}

static const char *many_groups(unsigned count)
{
	static char text[1024 * 1024];
	struct text t = text_init(text, sizeof(text));

	text_add(&t, "[node]\ninterface = eth0\n");
	for (unsigned i = 0; i < count; i++)
		text_add(&t, "[group g%u]\naddress = fd00::%x\n", i, i + 1);
	return text;
}

static int64_t parse_ns(const char *text)
{
	struct timespec before, after;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	parse_good(text);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	return (after.tv_sec - before.tv_sec) * NS_PER_S + after.tv_nsec - before.tv_nsec;
}

/* Ten times as much takes ten times as long, not a hundred times. */
static void test_reading_is_not_quadratic(void **state)
{
	int64_t some_ns, many_ns;

	(void)state;
	some_ns = parse_ns(many_groups(GROUPS_MAX / 10));
	many_ns = parse_ns(many_groups(GROUPS_MAX));
	assert_true(many_ns < 40 * some_ns);
}

static void test_limits(void **state)
{
	static const char node[] = "[node]\ninterface = eth0\n";
	static const char group[] = "[node]\ninterface=eth0\n[group web]\n";
	char message[CONF_MESSAGE_SIZE];
	struct text expected = text_init(message, sizeof(message));
	static const char rest[] = "[group web]\naddress = 192.168.1.100/24\n";

	(void)state;
	parse_good(many("[node]\n", "interface = a*\n", PATHS_MAX, rest));
	parse_bad(many("[node]\n", "interface = a*\n", PATHS_MAX + 2, rest),
		"6: too many lines \"interface\", at most 4 are possible\n");
	parse_good(many(node, "peer = 10.0.0.*\n", UNICAST_MAX, rest));
	parse_bad(many(node, "peer = 10.0.0.*\n", UNICAST_MAX + 2, rest),
		"34: too many lines \"peer\", at most 31 are possible\n");
	parse_good(many_addresses(ADDRESSES_MAX));
	parse_bad(many_addresses(ADDRESSES_MAX + 2),
		"16388: too many lines \"address\", at most 16384 are possible\n");
	parse_good(many(group, "address = fd00::* dev a*\n", DEVICES_MAX - 1, ""));
	assert_int_equal(parsed.device_count, DEVICES_MAX);
	parse_bad(many(group, "address = fd00::* dev a*\n", DEVICES_MAX + 2, ""),
		"19: device \"a16\" is one too many, at most 16 are possible\n");
	parse_good(many(with("", ""), "on-change = /a*\n", HOOKS_MAX, ""));
	parse_bad(many(with("", ""), "on-change = /a*\n", HOOKS_MAX + 2, ""),
		"11: too many lines \"on-change\", at most 4 are possible\n");
	parse_good(many(with("", ""), "check = file /a*\n", CHECKS_MAX, ""));
	parse_bad(many(with("", ""), "check = file /a*\n", CHECKS_MAX + 2, ""),
		"263: too many lines \"check\", at most 256 are possible\n");
	parse_good(many_groups(GROUPS_MAX));
	text_add(&expected, "%d: too many groups, at most %d are possible\n", 3 + 2 * GROUPS_MAX,
		GROUPS_MAX);
	parse_bad(many_groups(GROUPS_MAX + 5), expected.bytes);
}

/* More diagnostics than there is room for: the first lines count. */
static void test_many_mistakes(void **state)
{
	(void)state;
	assert_false(parse(many("[node]\n", "wrong* = *\n", 10000, "")));
	assert_int_equal(found.count, CONF_DIAGNOSTICS_MAX);
	/* 10,000 keys, no interface and no group. */
	assert_int_equal(found.omitted, 10002 - CONF_DIAGNOSTICS_MAX);
	assert_int_equal(found.list[0].line, 0);
	assert_int_equal(found.list[1].line, 1);
	for (unsigned i = 2; i < CONF_DIAGNOSTICS_MAX; i++)
		assert_int_equal(found.list[i].line, i);
}

/* What other systems and editors make of a text. */
static void test_forms_of_text(void **state)
{
	static const char crlf[] = "\xef\xbb\xbf[node]\r\ninterface = eth0\r\n\r\n[group web]\r\n"
				   "address = 10.0.0.1\r\n\tworth = 7";

	(void)state;
	parse_good(crlf);
	assert_string_equal(parsed.devices[0].name, "eth0");
	assert_int_equal(parsed.groups[0].worth, 7);
	/* An indented line is a line, not more of the value above it. */
	parse_good(with("name = beta\n    port = 77", ""));
	assert_string_equal(parsed.node.name, "beta");
	assert_int_equal(parsed.node.port, 77);
	parse_good(with("# \xc3\xbc\xff any bytes in a comment", ""));
}

static void test_long_lines(void **state)
{
	static char text[CONF_TEXT_MAX];
	struct text t = text_init(text, sizeof(text));

	(void)state;
	text_add(&t, "#%0*d\n%s ;%0*d\non-change   =   /%0186d", 5000, 0, with("", ""), 5000, 0, 0);
	parse_good(text);
	assert_int_equal(strlen(parsed.groups[0].hook[CONF_HOOK_CHANGE][0]), 187);
	t = text_init(text, sizeof(text));
	text_add(&t, "%son-change=/%0187d\nworth = 101\n[group %0300d]\nworth = 102\n%0100000d\n",
		with("", ""), 0, 0, 0);
	parse_bad(text, "7: key and value have 197 bytes, at most 196 are possible\n"
			"9: the line has 308 bytes, at most 197 are possible\n"
			"11: \"00000000000000000000000000000000000000000000...\" is not"
			" \"key = value\", begin comments with #\n");
}

static void test_zero_bytes(void **state)
{
	static const char text[] = "[node]\ninterface = eth0\nport = 1\0002\n[group web]\n"
				   "address = 10.0.0.1\n\0[group mail]\nworth = 1\n";
	static const char zeros[1000];

	(void)state;
	assert_false(conf_parse(text, sizeof(text) - 1, "alpha", &parsed, &found));
	assert_string_equal(render(),
		"3: there is a control character (byte 0x00), write plain text\n"
		"6: there is a control character (byte 0x00), write plain text\n");
	assert_false(conf_parse(zeros, sizeof(zeros), "alpha", &parsed, &found));
	assert_int_equal(found.count, 3);
	assert_false(conf_parse(NULL, 0, "alpha", &parsed, &found));
	assert_int_equal(found.count, 2);
}

/* Texts near good ones: nothing breaks, and what is accepted can be printed. A fixed seed, so that
 * every run is the same. */
static void test_mutations(void **state)
{
	char text[sizeof(EVERYTHING) + 16];
	uint64_t random = 1;
	unsigned accepted = 0;

	(void)state;
	for (unsigned run = 0; run < 5000; run++) {
		size_t size = sizeof(EVERYTHING) - 1;

		memcpy(text, EVERYTHING, size);
		for (unsigned i = 0; i <= run % 3; i++) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
			text[(random >> 33) % size] = (char)(random >> 56);
		}
		conf_free(&parsed);
		if (!conf_parse(text, size, "alpha", &parsed, &found)) {
			assert_true(found.count > 0);
			continue;
		}
		accepted++;
		round_trip();
	}
	assert_true(accepted > 100);
}

static void test_example(void **state)
{
	static char text[CONF_TEXT_MAX];
	FILE *file = fopen(HA_EXAMPLE, "re");
	size_t size;

	(void)state;
	assert_non_null(file);
	size = fread(text, 1, sizeof(text), file);
	assert_int_equal(fclose(file), 0);
	conf_free(&parsed);
	if (!conf_parse(text, size, "alpha", &parsed, &found))
		fail_msg("%s: %s", HA_EXAMPLE, render());
	assert_int_equal(parsed.group_count, 1);
	assert_string_equal(parsed.groups[0].name, CONF_GROUP);
}

static void test_key_decode(void **state)
{
	static const char digits[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
	char text[128];
	uint8_t key[CONF_KEY_SIZE];
	struct text t = text_init(text, sizeof(text));

	(void)state;
	text_add(&t, " \r\n\t%s\n", digits);
	assert_true(conf_key_decode(text, t.length, key));
	for (unsigned i = 0; i < CONF_KEY_SIZE; i++)
		assert_int_equal(key[i], i);
	memset(key, 0x5a, sizeof(key));
	assert_true(t.length == 69);
	assert_false(conf_key_decode(text, 67, key)); /* a digit is missing */
	text[10] = 'g';
	assert_false(conf_key_decode(text, t.length, key));
	text[10] = '\0';
	assert_false(conf_key_decode(text, t.length, key));
	assert_false(conf_key_decode("", 0, key));
	assert_false(conf_key_decode(" \n", 2, key));
	text_add(&t, "0");
	assert_false(conf_key_decode(text, t.length, key));
	for (unsigned i = 0; i < CONF_KEY_SIZE; i++)
		assert_int_equal(key[i], 0x5a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_derived_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_check_names),
		cmocka_unit_test(test_group_by_name),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_of_the_largest),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_all_mistakes_at_once),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_host_name),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_original),
		cmocka_unit_test(test_forms_of_checks),
		cmocka_unit_test(test_texts_and_names),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_reading_is_not_quadratic),
		cmocka_unit_test(test_many_mistakes),
		cmocka_unit_test(test_forms_of_text),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_zero_bytes),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_key_decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
