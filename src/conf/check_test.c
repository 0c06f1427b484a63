/* SPDX-License-Identifier: ISC */
/* What must fit together although it stands in different lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "conf/fixture.h"

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

/* Only one kind of fence can silence a standby. */
static void test_standby(void **state)
{
	(void)state;
	parse_good(with("", "standby = warm"));
	assert_true(parsed.groups[0].warm);
	parse_good(with("fence = bpf", "standby = warm"));
	parse_good(with("fence = nftables", "standby = cold"));
	assert_false(parsed.groups[0].warm);
	parse_bad(with("fence = lifetime", "standby = warm\n[group mail]\naddress = 10.0.0.9"),
		"3: fence = lifetime keeps no standby from answering, as \"standby = warm\" of "
		"group "
		"\"web\" needs, write fence = auto or bpf, or standby = cold\n");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_name),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_standby),
		cmocka_unit_test(test_original),
		cmocka_unit_test(test_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
