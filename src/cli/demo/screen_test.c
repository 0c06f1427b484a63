/* SPDX-License-Identifier: ISC */
/* Tests of the demo's picture as a whole, letter by letter. */
#include "cli/demo/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "wire/heartbeat.h"

#define ROW_NS (FRAME_COLUMNS * 50 * NS_PER_MS) /* more than a row shows */

static char buffer[FRAME_MAX];
static struct story story;
static struct probe_log probe_log;

/* One request a millisecond from the beginning to @end_ms, answered by @server. */
static void ask_until(uint32_t end_ms, int server)
{
	for (int family = 0; family < FAMILIES; family++) {
		for (uint32_t i = probe_log.count[family]; i < end_ms; i++)
			probe_log.requests[family][i] = (struct request){
				.sent_ns = i * NS_PER_MS, .server = (int8_t)server};
		probe_log.count[family] = end_ms;
	}
}

static struct report state_report(int64_t at_ms, enum node_state state, const char *text)
{
	struct report r = {.kind = REPORT_STATE,
		.level = REPORT_NOTICE,
		.at = {at_ms * NS_PER_MS},
		.to = (uint8_t)state};

	(void)text_copy(r.text, sizeof(r.text), text);
	return r;
}

/* Alpha serves for a second, is cut off, and beta takes over 300 ms later. */
static int tell_a_story(void **state)
{
	struct report alpha = state_report(0, STATE_ACTIVE, "ACTIVE: nobody held it");
	struct report beta = state_report(1300, STATE_ACTIVE, "ACTIVE: alpha was silent\033[2J");

	(void)state;
	memset(&probe_log, 0, sizeof(probe_log));
	story_init(&story, NULL, NULL, &probe_log);
	story.interval_ms = 100;
	story.tolerance_ns = 350 * NS_PER_MS;
	story_told(&story, BETA, &beta);
	story_told(&story, ALPHA, &alpha);
	lane_set_cut(&story.lanes[ALPHA], 1000 * NS_PER_MS, true);
	ask_until(1000, ALPHA);
	ask_until(1300, NOBODY);
	ask_until(2000, BETA);
	story.step = 2;
	story.results[0] = (struct result){.good = true, .before = NOBODY, .after = ALPHA};
	story.results[1] = (struct result){.good = true,
		.before = ALPHA,
		.after = BETA,
		.outage = {{300, 301 * NS_PER_MS}, {0, 0}}};
	return 0;
}

static const char *drawn(int64_t now_ns, bool whole, unsigned event_lines)
{
	const struct frame f = {.columns = FRAME_COLUMNS,
		.whole = whole,
		.event_lines = event_lines,
		.now_ns = now_ns};
	struct text text = text_init(buffer, sizeof(buffer));

	frame_draw(&text, &story, &f);
	return buffer;
}

static void a_frame_shows_who_served_and_what_it_cost(void **state)
{
	(void)state;
	assert_string_equal(drawn(2050 * NS_PER_MS, false, 3),
		"3 servers share 192.168.1.100 and fd00::100: interval 100 ms, tolerance 350 "
		"ms\n"
		"\n"
		" alpha worth 200 aaaaaaaaaaaaaaaaaaaaxxxxxxxxxxxxxxxxxxxx\n"
		" beta  worth 150 ..........................bbbbbbbbbbbbbb\n"
		" gamma worth 100 ........................................\n"
		" client IPv4     aaaaaaaaaaaaaaaaaaaaxxxxxxbbbbbbbbbbbbbb\n"
		" client IPv6     aaaaaaaaaaaaaaaaaaaaxxxxxxbbbbbbbbbbbbbb\n"
		"                 |0 s                |1 s                |2 s\n"
		" a b g: holds it  -: standby  .: no daemon  x: cut off, no answer  !: lost some\n"
		"\n"
		"\n"
		"   0.000 s  alpha ACTIVE: nobody held it\n"
		"   1.300 s  beta  ACTIVE: alpha was silent?[2J\n"
		"\n"
		" what is done             holder           IPv4 (lost)   IPv6 (lost) expected\n"
		" all three servers start  -     -> alpha \n"
		" alpha's cable is cut     alpha -> beta   301 ms (300)    none       <= 355 ms\n"
		" kill -9 of beta's engine\n"
		" alpha's cable is back\n"
		" alpha is told to stop\n"
		" alpha starts again\n");
}

static void every_line_ends_without_colour(void **state)
{
	const struct frame f = {.columns = FRAME_COLUMNS,
		.event_lines = 3,
		.colour = true,
		.now_ns = 2050 * NS_PER_MS};
	struct text text = text_init(buffer, sizeof(buffer));
	const char *look = NULL;

	(void)state;
	frame_draw(&text, &story, &f);
	for (const char *c = buffer; *c; c++) {
		if (*c == '\033')
			look = strncmp(c, "\033[0m", 4) == 0 ? NULL : c;
		if (*c == '\n' && look)
			fail_msg("a line ends in the colour %.8s", look + 1);
	}
	assert_null(look);
}

static void no_line_is_wider_than_the_frame(void **state)
{
	struct report r = state_report(1400, STATE_STANDBY, "");

	(void)state;
	memset(r.text, 'y', sizeof(r.text) - 1);
	story_told(&story, GAMMA, &r);
	story.results[1].good = false;
	(void)drawn(2 * ROW_NS, false, 3);
	for (const char *line = buffer, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
		assert_true(end - line <= FRAME_COLUMNS);
}

static void the_last_seconds_scroll_by(void **state)
{
	(void)state;
	(void)drawn(2050 * NS_PER_MS + ROW_NS, false, 0);
	assert_null(strstr(buffer, "|0 s"));
	assert_non_null(strstr(buffer, "|4 s"));
}

static void the_whole_story_fits_in_the_end(void **state)
{
	(void)state;
	(void)drawn(20 * NS_PER_S, true, 0);
	assert_non_null(strstr(buffer, "|0 s"));
	assert_non_null(strstr(buffer, "|15 s"));
	assert_non_null(strstr(buffer, "\n client IPv4     aaa!!bb"));
}

static void a_wrong_ending_is_said_so(void **state)
{
	struct text text = text_init(buffer, sizeof(buffer));

	(void)state;
	story.results[1].good = false;
	story.results[1].after = NOBODY;
	frame_draw_result(&text, &story, 1, true);
	assert_non_null(strstr(buffer, "want beta"));
	assert_false(story_is_good(&story));
}

static void an_outage_longer_than_expected_is_marked(void **state)
{
	struct text text = text_init(buffer, sizeof(buffer));

	(void)state;
	frame_draw_result(&text, &story, 1, true);
	assert_null(strstr(buffer, "\033[33m"));
	story.results[1].outage[IPV6] = (struct outage){356, 356 * NS_PER_MS};
	text = text_init(buffer, sizeof(buffer));
	frame_draw_result(&text, &story, 1, true);
	assert_non_null(strstr(buffer, "\033[33m 356 ms (356)"));
}

static void late_news_stand_where_they_belong(void **state)
{
	struct report early = state_report(500, STATE_STANDBY, "STANDBY: early");

	(void)state;
	story_told(&story, GAMMA, &early);
	assert_int_equal(story.event_count, 3);
	assert_string_equal(story_event(&story, 1)->text, "STANDBY: early");
	story.event_settled = 3;
	story_told(&story, GAMMA, &early);
	assert_string_equal(story_event(&story, 3)->text, "STANDBY: early");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_frame_shows_who_served_and_what_it_cost, tell_a_story),
		cmocka_unit_test_setup(every_line_ends_without_colour, tell_a_story),
		cmocka_unit_test_setup(no_line_is_wider_than_the_frame, tell_a_story),
		cmocka_unit_test_setup(the_last_seconds_scroll_by, tell_a_story),
		cmocka_unit_test_setup(the_whole_story_fits_in_the_end, tell_a_story),
		cmocka_unit_test_setup(a_wrong_ending_is_said_so, tell_a_story),
		cmocka_unit_test_setup(an_outage_longer_than_expected_is_marked, tell_a_story),
		cmocka_unit_test_setup(late_news_stand_where_they_belong, tell_a_story),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
