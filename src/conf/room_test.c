/* SPDX-License-Identifier: ISC */
/* As much as there is room for, and one more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/time.h"
#include "conf/fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_reading_is_not_quadratic),
		cmocka_unit_test(test_many_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
