/* SPDX-License-Identifier: ISC */
/* What each node says of the groups, and where that differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "engine/fixture.h"
#include "engine/views.h"

static char told[1024];

static void add_told(void *context, const char *text)
{
	(void)context;
	assert_true(strlen(told) + strlen(text) + 2 < sizeof(told));
	strcat(strcat(told, text), ";");
}

static const char *differences(void)
{
	told[0] = '\0';
	for (size_t g = 0; g < conf.group_count; g++)
		views_differences_of_group(engine, g, add_told, NULL);
	views_differences_of_links(engine, add_told, NULL);
	return told;
}

static void test_views(void **state)
{
	struct view_heard heard;
	struct view_group group;
	struct view_node node;
	uint64_t sequence = 0;

	(void)state;
	become_active();
	assert_string_equal(differences(), "");
	for (; sequence < 8; run_ms(100))
		hear_beta(++sequence, STATE_STANDBY, 0);
	assert_string_equal(differences(), "");
	assert_true(views_node(engine, (ha_time){now_ns}, 1, &node) && node.live);
	assert_string_equal(node.name, "beta");
	assert_false(views_node(engine, (ha_time){now_ns}, 2, &node));
	assert_true(views_group(engine, 0, 0, &group) && group.state == STATE_ACTIVE);
	assert_true(views_group(engine, 1, 0, &group) && group.state == STATE_STANDBY);
	assert_int_equal(group.worth, 50);
	assert_true(views_heard(engine, 0, 0, &heard) && heard.id == 0xc3);
	assert_true(views_heard(engine, 1, 0, &heard) && heard.id == OWN_ID);
	assert_string_equal(heard.name, "alpha");
	hear_beta(++sequence, STATE_ACTIVE, 0xd4);
	assert_string_equal(differences(), "group web is held by alpha and beta at once;"
					   "beta hears a node that this one has never heard;");
	run_ms(100);
	for (int i = 0; i < 6; i++, run_ms(100)) { /* it stops hearing us */
		struct heartbeat h = peer_heartbeat(0xc3, ++sequence);

		h.heard_count = 0;
		hear(&h);
	}
	assert_string_equal(differences(), "beta does not hear alpha, which hears it;");
}

static void test_views_of_a_third_node(void **state)
{
	struct view_heard heard;
	struct heartbeat gamma;

	(void)state;
	become_active();
	gamma = peer_heartbeat(0xd4, 1);
	assert_true(ip_parse("10.0.0.3", &gamma.address));
	text_copy(gamma.name, sizeof(gamma.name), "gamma");
	hear(&gamma);
	for (uint64_t i = 1; i < 9; i++, run_ms(100)) /* gamma falls silent; beta hears it still */
		hear_beta(i, STATE_STANDBY, 0xd4);
	assert_non_null(strstr(differences(), "beta hears gamma, which this node does not;"));
	hear_beta(9, STATE_STANDBY, 0xee);
	assert_true(views_heard(engine, 2, 1, &heard) && heard.id == 0xee);
	assert_null(heard.name);
	hear_beta(10, STATE_STANDBY, 0xd4);
	assert_true(views_heard(engine, 2, 1, &heard) && heard.id == 0xd4);
	assert_string_equal(heard.name, "gamma");
	for (uint64_t i = 2; i < 8; i++, run_ms(100)) { /* gamma is back, and hears nobody */
		hear_beta(9 + i, STATE_STANDBY, 0xd4);
		gamma.sequence = i;
		gamma.heard_count = 0;
		hear(&gamma);
	}
	assert_non_null(strstr(differences(), "gamma does not hear beta, which hears it;"));
	gamma.sequence++;
	gamma.leaving = true;
	hear(&gamma);
	assert_null(strstr(differences(), "beta hears gamma"));
}

static void test_old_news_of_a_third_node(void **state)
{
	struct heartbeat h;

	(void)state;
	become_active();
	for (uint64_t i = 1; i < 9; i++, run_ms(100)) {
		h = peer_heartbeat(0xc3, i);
		h.heard[h.heard_count++] =
			(struct heartbeat_heard){.id = 0xd4, .nonce = 7, .age_ms = 60000};
		hear(&h);
	}
	assert_string_equal(differences(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_views),
		TEST(test_views_of_a_third_node),
		TEST(test_old_news_of_a_third_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
