/* SPDX-License-Identifier: ISC */
/* What a good configuration means, and that it survives being printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/id.h"
#include "base/text.h"
#include "base/time.h"
#include "conf/fixture.h"

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
				 "  standby = warm\n"
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
				 "fence = bpf\n"
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
	assert_int_equal(c->node.fence, CONF_FENCE_BPF);
	assert_string_equal(c->node.on_change_stream, "/etc/ha/follow all");
	assert_false(c->node.realtime);
	assert_int_equal(c->node.removals_limit, 3);
	assert_int_equal(c->node.removals_window_ns, 5000001 * NS_PER_US);
	assert_int_equal(c->group_count, 2);
	assert_true(c->groups[0].warm);
	assert_false(c->groups[1].warm);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_derived_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_check_names),
		cmocka_unit_test(test_group_by_name),
		cmocka_unit_test(test_forms_of_checks),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_of_the_largest),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
