/* SPDX-License-Identifier: ISC */
/* Tests of configurations made from options: the same words, the same judge, nothing smuggled in.
 */
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"

static void give(struct options *o, const char *name, const char *value)
{
	const char *reason;

	assert_true(options_add(o, options_key(name), value, &reason));
}

static char composed[CONF_TEXT_MAX];
static struct conf conf;
static struct conf_diagnostics mistakes;

static bool parse(const struct options *o, const char *lines[OPTIONS_LINES_MAX])
{
	struct text text = text_init(composed, sizeof(composed));

	options_compose(o, &text, lines);
	conf_free(&conf);
	return conf_parse(composed, text.length, "alpha", &conf, &mistakes);
}

static void options_become_one_group_called_main(void **state)
{
	const char *lines[OPTIONS_LINES_MAX];
	struct options o = {0};
	struct text text = text_init(composed, sizeof(composed));

	(void)state;
	give(&o, "address", "192.168.1.100/24");
	give(&o, "interface", "eth0");
	give(&o, "worth", "200");
	give(&o, "interval", "20ms");
	options_compose(&o, &text, lines);
	assert_string_equal(composed, "[node]\n"
				      "interface = eth0\n"
				      "interval = 20ms\n"
				      "[group main]\n"
				      "address = 192.168.1.100/24\n"
				      "worth = 200\n");
	assert_null(lines[1]);
	assert_string_equal(lines[2], "interface");
	assert_string_equal(lines[3], "interval");
	assert_null(lines[4]);
	assert_string_equal(lines[5], "address");
	assert_string_equal(lines[6], "worth");
	assert_null(lines[7]);
}

static void every_option_is_a_key_of_the_configuration(void **state)
{
	const char *const values[OPTION_KEYS][2] = {{"interface", "eth0"},
		{"address", "10.0.0.100/24 dev eth1"}, {"worth", "7"}, {"name", "beta"},
		{"interval", "20ms"}, {"tolerance", "100ms"}, {"key-file", "/etc/ha/key"},
		{"peer", "10.0.0.3"}, {"multicast", "239.1.1.1"}, {"port", "1234"},
		{"cluster", "blue"}, {"max-tolerance", "2s"}, {"margin", "5ms"}, {"user", "nobody"},
		{"hook-timeout", "3s"}, {"fence", "bpf"}, {"ipv4-as", "route"}, {"realtime", "no"},
		{"removed-limit", "9"}, {"removed-window", "20s"}, {"policy", "sticky"},
		{"standby", "warm"}, {"settle", "9s"}, {"hold-down", "1min"},
		{"on-change", "/bin/a x y"}, {"on-active", "/bin/b"}, {"on-standby", "/bin/c"}};
	const char *lines[OPTIONS_LINES_MAX];
	struct options o = {0};

	(void)state;
	for (size_t i = 0; i < OPTION_KEYS; i++)
		give(&o, values[i][0], values[i][1]);
	if (!parse(&o, lines))
		fail_msg("%s", mistakes.list[0].message);
	assert_string_equal(conf.node.name, "beta");
	assert_int_equal(conf.node.interval_ns, 20 * NS_PER_MS);
	assert_int_equal(conf.node.tolerance_ns, 100 * NS_PER_MS);
	assert_int_equal(conf.node.port, 1234);
	assert_int_equal(conf.node.peer_count, 1);
	assert_false(conf.node.realtime);
	assert_int_equal(conf.node.removals_limit, 9);
	assert_int_equal(conf.group_count, 1);
	assert_string_equal(conf.groups[0].name, CONF_GROUP);
	assert_int_equal(conf.groups[0].worth, 7);
	assert_int_equal(conf.device_count, 2);
	assert_string_equal(conf.groups[0].hook[CONF_HOOK_CHANGE][0], "/bin/a x y");
}

static void refused(const char *name, const char *value)
{
	struct options o = {0};
	const char *reason = NULL;

	assert_false(options_add(&o, options_key(name), value, &reason));
	assert_non_null(reason);
	assert_int_equal(o.count, 0);
}

static void a_value_cannot_bring_keys_of_its_own(void **state)
{
	char long_value[OPTIONS_VALUE_MAX + 2];

	(void)state;
	refused("name", "a\nkey-file = /tmp/k");
	refused("name", "a\rkey-file = /tmp/k");
	refused("name", "a\x1b[2J");
	refused("name", "a\x7f");
	refused("on-change", "/bin/a ; rm");
	refused("on-change", ";");
	memset(long_value, 'x', sizeof(long_value) - 1);
	long_value[sizeof(long_value) - 1] = '\0';
	refused("on-change", long_value);
}

static void a_value_that_looks_like_a_section_stays_a_value(void **state)
{
	const char *lines[OPTIONS_LINES_MAX];
	struct options o = {0};

	(void)state;
	give(&o, "interface", "eth0");
	give(&o, "address", "10.0.0.100/24");
	give(&o, "on-change", "/bin/a [node] name=evil");
	assert_true(parse(&o, lines));
	assert_string_equal(conf.node.name, "alpha");
	assert_string_equal(conf.groups[0].hook[CONF_HOOK_CHANGE][0], "/bin/a [node] name=evil");
}

static void a_mistake_is_led_back_to_its_option(void **state)
{
	const char *lines[OPTIONS_LINES_MAX];
	char message[2 * CONF_MESSAGE_SIZE];
	struct text text = text_init(message, sizeof(message));
	struct options o = {0};

	(void)state;
	give(&o, "interface", "eth0");
	give(&o, "address", "10.0.0.300/24");
	give(&o, "interval", "20ms");
	assert_false(parse(&o, lines));
	assert_int_equal(mistakes.count, 1);
	options_describe(&text, &mistakes.list[0], lines);
	assert_int_equal(strncmp(message, "--address: ", 11), 0);
	assert_non_null(strstr(message, "10.0.0.300"));
}

static void a_reference_to_another_line_names_the_option(void **state)
{
	const struct conf_diagnostic mistake = {
		.line = 3, .message = "stands here and in line 2, not in line 99, remove one"};
	const char *lines[OPTIONS_LINES_MAX] = {NULL, NULL, "worth", "peer"};
	char message[CONF_MESSAGE_SIZE];
	struct text text = text_init(message, sizeof(message));

	(void)state;
	options_describe(&text, &mistake, lines);
	assert_string_equal(
		message, "--peer: stands here and in --worth, not in line 99, remove one");
}

static void options_are_counted(void **state)
{
	static struct options o;
	const char *reason;

	(void)state;
	assert_false(options_has(&o, "peer"));
	for (size_t i = 0; i < OPTIONS_GIVEN_MAX; i++)
		give(&o, "peer", "10.0.0.3");
	assert_true(options_has(&o, "peer"));
	assert_false(options_has(&o, "address"));
	assert_false(options_add(&o, options_key("peer"), "10.0.0.3", &reason));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_become_one_group_called_main),
		cmocka_unit_test(every_option_is_a_key_of_the_configuration),
		cmocka_unit_test(a_value_cannot_bring_keys_of_its_own),
		cmocka_unit_test(a_value_that_looks_like_a_section_stays_a_value),
		cmocka_unit_test(a_mistake_is_led_back_to_its_option),
		cmocka_unit_test(a_reference_to_another_line_names_the_option),
		cmocka_unit_test(options_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
