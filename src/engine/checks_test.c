/* SPDX-License-Identifier: ISC */
#include "engine/checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define TIMEOUT_NS (500 * NS_PER_MS)

static const char TEXT[] = "[node]\nname = alpha\ninterface = eth0\n"
			   "[group web]\naddress = 192.168.1.100/24\nworth = 200\n"
			   "check = tcp 127.0.0.1:80 name=small lower=50 timeout=500ms\n"
			   "check = tcp 127.0.0.1:81 name=nginx timeout=500ms\n"
			   "check = tcp 127.0.0.1:82 name=large lower=180 timeout=500ms\n"
			   "[group mail]\naddress = 192.168.1.101/24\nworth = 7\n"
			   "check = file /run/worth worth\n"
			   "[group bare]\naddress = 192.168.1.102/24\n";

enum { SMALL, NGINX, LARGE, FILED, CHECKS };

static struct conf conf;
static struct checks_entry entries[CHECKS];
static struct checks checks;
static struct engine_health health;

static int set_up(void **state)
{
	static struct conf_diagnostics wrong;

	(void)state;
	assert_true(conf_parse(TEXT, strlen(TEXT), "alpha", &conf, &wrong));
	assert_int_equal(conf.check_count, CHECKS);
	checks = checks_init(&conf, entries);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	conf_free(&conf);
	return 0;
}

static bool say(size_t index, enum check_verdict verdict, uint16_t value, const char *why)
{
	struct verdict v = {.kind = VERDICT_CHECK,
		.index = (uint16_t)index,
		.verdict = verdict,
		.value = value,
		.answered = {NS_PER_S}};

	text_copy(v.text, sizeof(v.text), why);
	return checks_take(&checks, &v);
}

static void all_pass(void)
{
	for (size_t i = 0; i < CHECKS; i++)
		assert_true(say(i, CHECK_PASSING, 300, ""));
}

static void expect(size_t group, uint16_t worth, bool impaired, const char *reason)
{
	health = checks_health(&checks, group);
	assert_int_equal(health.group, group);
	assert_int_equal(health.worth, worth);
	assert_int_equal(health.impaired, impaired);
	assert_false(health.ineligible);
	assert_string_equal(health.reason, reason);
}

static void test_whoever_has_not_answered_fails(void **state)
{
	(void)state;
	expect(0, 1, true, "check nginx fails: it has not answered yet (and 2 more)");
	expect(1, 7, true, "check file /run/worth fails: it has not answered yet");
	expect(2, CONF_WORTH, false, "");
	all_pass();
	expect(0, 200, false, "");
}

static void test_effects_add_up(void **state)
{
	(void)state;
	all_pass();
	say(SMALL, CHECK_FAILING, 0, "connection refused");
	expect(0, 150, false, "check small fails: connection refused");
	say(NGINX, CHECK_FAILING, 0, "no answer");
	expect(0, 150, true, "check nginx fails: no answer (and 1 more)");
	say(NGINX, CHECK_PASSING, 0, "");
	say(LARGE, CHECK_FAILING, 0, "");
	expect(0, 1, false, "check small fails: connection refused (and 1 more)"); /* never 0 */
	say(SMALL, CHECK_PASSING, 0, "");
	expect(0, 20, false, "check large fails");
}

static void test_worth_that_was_read(void **state)
{
	(void)state;
	all_pass();
	expect(1, 300, false, "");
	assert_true(say(FILED, CHECK_PASSING, 0, ""));
	expect(1, 0, false, ""); /* whoever writes 0 means never */
	assert_false(say(FILED, CHECK_PASSING, 0, ""));
	assert_true(say(FILED, CHECK_FAILING, 0, "gone"));
	expect(1, 7, true, "check file /run/worth fails: gone");
}

static void test_what_it_is_told_of_is_bounded(void **state)
{
	static const struct verdict alive = {.kind = VERDICT_ALIVE};

	(void)state;
	assert_false(say(CHECKS, CHECK_FAILING, 0, ""));
	assert_false(checks_take(&checks, &alive));
	all_pass();
	/* One that was started anew has not judged yet: its predecessor's word stands. */
	assert_false(say(NGINX, CHECK_UNKNOWN, 0, ""));
	expect(0, 200, false, "");
}

static bool is_tcp(enum conf_check_kind kind)
{
	return kind == CONF_CHECK_TCP;
}

static void test_last_words_are_believed_for_one_timeout(void **state)
{
	const ha_time lost = {10 * NS_PER_S};

	(void)state;
	all_pass();
	assert_true(time_is_never(checks_deadline(&checks)));
	checks_lost(&checks, lost, is_tcp);
	checks_lost(&checks, time_add(lost, 1), is_tcp); /* puts nothing off */
	assert_int_equal(checks_deadline(&checks).ns, lost.ns + TIMEOUT_NS);
	assert_int_equal(checks_expire(&checks, time_add(lost, TIMEOUT_NS - 1)), -1);
	expect(0, 200, false, "");
	assert_false(say(NGINX, CHECK_PASSING, 300, "")); /* it is back for this one */
	assert_int_equal(checks_expire(&checks, time_add(lost, TIMEOUT_NS)), SMALL);
	assert_int_equal(checks_expire(&checks, time_add(lost, TIMEOUT_NS)), LARGE);
	assert_int_equal(checks_expire(&checks, time_add(lost, TIMEOUT_NS)), -1);
	assert_true(time_is_never(checks_deadline(&checks)));
	expect(0, 1, false,
		"check small fails: the process that checks it (ha-checker) does not answer (and 1 "
		"more)");
	expect(1, 300, false, "");
}

static void test_who_took_over_from_another_engine(void **state)
{
	const ha_time now = {10 * NS_PER_S};

	(void)state;
	say(NGINX, CHECK_FAILING, 0, "no answer");
	checks_presume(&checks, 0, now);
	expect(0, 200, true, "check nginx fails: no answer"); /* what is known stays */
	expect(1, 7, true, "check file /run/worth fails: it has not answered yet");
	assert_int_equal(checks_deadline(&checks).ns, now.ns + TIMEOUT_NS + CONF_CHECK_INTERVAL_NS);
	checks_presume(&checks, 1, now);
	expect(1, 7, false, "");
	assert_false(say(SMALL, CHECK_PASSING, 200, ""));
	assert_int_equal(checks_expire(&checks, time_add(now, 5 * NS_PER_S)), LARGE);
}

static bool of_any_kind(enum conf_check_kind kind)
{
	(void)kind;
	return true;
}

static void test_what_fails_already_is_no_news(void **state)
{
	const ha_time now = {NS_PER_S};

	(void)state;
	all_pass();
	say(NGINX, CHECK_FAILING, 0, "no answer");
	say(SMALL, CHECK_FAILING, 0, "no answer");
	say(LARGE, CHECK_FAILING, 0, "no answer");
	say(FILED, CHECK_FAILING, 0, "gone");
	checks_lost(&checks, now, of_any_kind);
	assert_int_equal(checks_expire(&checks, time_add(now, 5 * NS_PER_S)), -1);
	health = checks_health(&checks, 1);
	assert_non_null(strstr(health.reason, "(ha-checker) does not answer"));
}

/* A worth of 0 in the configuration is a word of its own: no check raises it. */
static void test_a_worth_of_0_stays(void **state)
{
	static const char text[] =
		"[node]\nname = alpha\ninterface = eth0\n"
		"[group web]\naddress = 192.168.1.100/24\nworth = 0\n"
		"check = file /run/worth worth name="
		"a23456789012345678901234567890123456789012345678901234567890123\n"
		"check = file /run/other\n";
	static struct conf_diagnostics wrong;
	char why[VERDICT_TEXT_SIZE];

	(void)state;
	conf_free(&conf);
	assert_true(conf_parse(text, strlen(text), "alpha", &conf, &wrong));
	checks = checks_init(&conf, entries);
	say(0, CHECK_PASSING, 50, "");
	say(1, CHECK_PASSING, 0, "");
	expect(0, 0, false, "");
	memset(why, 'x', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	say(0, CHECK_FAILING, 0, why);
	say(1, CHECK_FAILING, 0, "");
	health = checks_health(&checks, 0);
	assert_non_null(strstr(health.reason, " (and 1 more)"));
}

/* However long the name and the reason are. */
static void test_the_number_of_others_is_never_cut(void **state)
{
	char why[VERDICT_TEXT_SIZE];

	(void)state;
	memset(why, 'x', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	say(SMALL, CHECK_FAILING, 0, "");
	say(NGINX, CHECK_FAILING, 0, why);
	health = checks_health(&checks, 0);
	assert_true(strlen(health.reason) < ENGINE_REASON_SIZE);
	assert_non_null(strstr(health.reason, "x (and 2 more)"));
}

static struct engine_health of(uint16_t worth, bool impaired, bool ineligible, const char *reason)
{
	struct engine_health h = {.worth = worth, .impaired = impaired, .ineligible = ineligible};

	text_copy(h.reason, sizeof(h.reason), reason);
	return h;
}

static void test_two_judges(void **state)
{
	static const struct {
		uint16_t worth_a, worth_b, worth;
	} cases[] = {{100, 100, 100}, {70, 100, 70}, {70, 80, 50}, {10, 20, 1}, {300, 80, 280},
		{0, 300, 0}, {100, 0, 0}, {65535, 65535, 65535}};
	struct engine_health a, b, both;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		a = of(cases[i].worth_a, false, false, "");
		b = of(cases[i].worth_b, false, false, "busy");
		both = checks_merge(&a, &b, 100);
		assert_int_equal(both.worth, cases[i].worth);
		assert_string_equal(both.reason, "busy");
	}
	a = of(100, true, false, "a check fails");
	b = of(100, false, true, "the program has gone");
	both = checks_merge(&a, &b, 100);
	assert_true(both.impaired && both.ineligible);
	assert_string_equal(both.reason, "the program has gone");
	b = of(90, false, false, "busy");
	both = checks_merge(&b, &a, 100);
	assert_true(both.impaired && !both.ineligible);
	assert_string_equal(both.reason, "a check fails");
	a = of(100, false, true, "unfit");
	b = of(100, true, false, "busy");
	both = checks_merge(&a, &b, 100);
	assert_true(both.ineligible && both.impaired);
	both = checks_merge(&b, &a, 100);
	assert_true(both.ineligible && both.impaired);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whoever_has_not_answered_fails),
		TEST(test_effects_add_up),
		TEST(test_worth_that_was_read),
		TEST(test_what_it_is_told_of_is_bounded),
		TEST(test_last_words_are_believed_for_one_timeout),
		TEST(test_who_took_over_from_another_engine),
		TEST(test_what_fails_already_is_no_news),
		TEST(test_a_worth_of_0_stays),
		TEST(test_the_number_of_others_is_never_cut),
		TEST(test_two_judges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
