/* SPDX-License-Identifier: ISC */
#include "cli/views.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define GROUP(name, state, eligible)                                                               \
	"{\"name\": \"" name "\", \"state\": \"" state "\", \"worth\": 100, \"epoch\": 3, "        \
	"\"eligible\": " eligible "}"
#define HEARS(id, age) "{\"id\": \"" id "\", \"age_ms\": " age "}"
#define NODE(name, id, live, hears, groups)                                                        \
	"{\"name\": \"" name "\", \"id\": \"" id "\", \"tolerance_ms\": 350, \"live\": " live      \
	", \"hears\": [" hears "], \"groups\": [" groups "]}"

static char buffer[8192];

static const char *rendered(const char *json, const char *group)
{
	json_t *views = json_loads(json, 0, NULL);
	struct text t = text_init(buffer, sizeof(buffer));

	assert_non_null(views);
	render_views(&t, views, group, false);
	json_decref(views);
	return buffer;
}

static const char TWO[] = "{\"nodes\": [" NODE("alpha", "1", "true", HEARS("2", "40"),
	GROUP("web", "ACTIVE", "true") ", " GROUP("mail", "STANDBY", "false")) ", " NODE("beta",
	"2", "true", "",
	GROUP("web", "STANDBY", "true")) "], \"differences\": [\"beta does not hear alpha\"]}";

static void test_each_node_says_what_it_says(void **state)
{
	const char *text = rendered(TWO, NULL);

	(void)state;
	assert_non_null(strstr(text, "the cluster as alpha knows it\n"));
	assert_non_null(strstr(text, "\nweb\n  alpha  ACTIVE   worth 100   epoch 3\n"
				     "  beta   STANDBY  worth 100   epoch 3\n"));
	assert_non_null(
		strstr(text, "\nmail\n  alpha  STANDBY  worth 100   epoch 3       not eligible\n"
			     "  beta   does not have it\n"));
}

static void test_who_hears_whom(void **state)
{
	const char *text = rendered(TWO, NULL);

	(void)state;
	assert_non_null(strstr(text, "  alpha  -               40ms ago\n"));
	assert_non_null(strstr(text, "  beta   NO              -\n"));
	assert_non_null(strstr(text, "VIEWS DIFFER: beta does not hear alpha\n"));
}

static void test_one_group(void **state)
{
	const char *text = rendered(TWO, "mail");

	(void)state;
	assert_null(strstr(text, "web"));
	assert_non_null(strstr(text, "\nmail\n"));
}

static void test_a_node_that_is_gone(void **state)
{
	const char *text = rendered(
		"{\"nodes\": [" NODE("a", "1", "true", HEARS("2", "9000"),
			GROUP("web", "ACTIVE", "true")) ", " NODE("b\\u001b", "2", "false",
			HEARS("1", "5"), GROUP("web", "STANDBY", "true")) "], \"differences\": []}",
		NULL);

	(void)state;
	assert_non_null(strstr(text, "(its last word)\n"));
	assert_non_null(strstr(text, "  a     -               9s ago\n"));
	assert_non_null(strstr(text, "  b?    ?               -             gone\n"));
	assert_non_null(strstr(text, "all views agree\n"));
}

static void test_colours_are_where_they_matter(void **state)
{
	json_t *views = json_loads(TWO, 0, NULL);
	struct text t = text_init(buffer, sizeof(buffer));

	(void)state;
	render_views(&t, views, NULL, true);
	json_decref(views);
	assert_non_null(strstr(buffer, "\033[1;31mNO "));
	assert_non_null(strstr(buffer, "\033[1;31mVIEWS DIFFER:\033[0m beta"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_node_says_what_it_says),
		cmocka_unit_test(test_who_hears_whom),
		cmocka_unit_test(test_one_group),
		cmocka_unit_test(test_a_node_that_is_gone),
		cmocka_unit_test(test_colours_are_where_they_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
