/* SPDX-License-Identifier: ISC */
/* What is said of each mistake, where it stands: one line at a time, and all of them at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/id.h"
#include "base/text.h"
#include "conf/fixture.h"

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
	{NULL, "standby = hot", "standby = \"hot\" is not possible, write cold or warm"},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_all_mistakes_at_once),
		cmocka_unit_test(test_sections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
