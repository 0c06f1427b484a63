/* SPDX-License-Identifier: ISC */
/* Tests of the rows of the demo's picture, cell by cell. */
#include "cli/demo/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"

#define CELL_NS (50 * NS_PER_MS)

static char buffer[1024];

static struct span cells(unsigned count)
{
	return (struct span){.cell_ns = CELL_NS, .until_ns = TIME_NEVER.ns, .cells = count};
}

static const char *lane_row(const struct lane *lane, unsigned count)
{
	struct text text = text_init(buffer, sizeof(buffer));

	timeline_lane(&text, lane, BETA, cells(count), false);
	return buffer;
}

static void a_lane_shows_the_history_of_a_server(void **state)
{
	static struct lane lane;

	(void)state;
	lane = (struct lane){0};
	lane_set_state(&lane, 2 * CELL_NS - 1, LANE_STANDBY);
	lane_set_state(&lane, 4 * CELL_NS - 1, LANE_ACTIVE);
	lane_set_cut(&lane, 6 * CELL_NS - 1, true);
	lane_set_state(&lane, 7 * CELL_NS - 1, LANE_STANDBY);
	lane_set_cut(&lane, 8 * CELL_NS - 1, false);
	lane_set_state(&lane, 9 * CELL_NS - 1, LANE_DOWN);
	assert_string_equal(lane_row(&lane, 10), ".--bbxx-..");
}

static void an_older_change_counts_from_the_last_one_on(void **state)
{
	static struct lane lane;

	(void)state;
	lane = (struct lane){0};
	lane_set_cut(&lane, 2 * CELL_NS - 1, true);
	lane_set_state(&lane, CELL_NS - 1, LANE_ACTIVE);
	lane_set_cut(&lane, 3 * CELL_NS - 1, false);
	assert_string_equal(lane_row(&lane, 4), ".xbb");
}

static void a_lane_with_too_many_changes_keeps_the_last(void **state)
{
	static struct lane lane;

	(void)state;
	lane = (struct lane){0};
	for (int i = 0; i < 2 * LANE_MAX; i++)
		lane_set_state(&lane, i, LANE_STANDBY);
	lane_set_state(&lane, CELL_NS + 1, LANE_ACTIVE);
	assert_int_equal(lane.count, LANE_MAX);
	assert_int_equal(lane_row(&lane, 3)[2], 'b');
}

static void what_is_not_known_yet_is_not_drawn(void **state)
{
	static struct lane lane;
	struct span span = cells(10);
	struct text text = text_init(buffer, sizeof(buffer));

	(void)state;
	lane = (struct lane){0};
	span.until_ns = 4 * CELL_NS + CELL_NS / 2;
	timeline_lane(&text, &lane, ALPHA, span, false);
	assert_string_equal(buffer, "....");
}

/* Five requests in each cell. */
static const char *client_row(const char *by)
{
	static struct request list[100];
	struct text text = text_init(buffer, sizeof(buffer));
	size_t count = strlen(by);

	for (size_t i = 0; i < count; i++)
		list[i] = (struct request){.sent_ns = (int64_t)i * CELL_NS / 5,
			.server = by[i] == 'a'   ? ALPHA
				  : by[i] == 'g' ? GAMMA
						 : NOBODY};
	timeline_client(&text, (struct requests){.first = list, .count = count},
		cells((unsigned)(count + 4) / 5 + 1), false);
	return buffer;
}

static void the_client_shows_who_answered(void **state)
{
	(void)state;
	assert_string_equal(client_row("aaaaaaaaaaggggg"), "aag ");
	assert_string_equal(client_row("aaagg"), "a ");
	assert_string_equal(client_row("aaaaaaxaaaxxxxxggggg"), "a!xg ");
	assert_string_equal(client_row("aaaaaxxxxg"), "a! ");
}

static void before_the_first_answer_nothing_is_lost(void **state)
{
	(void)state;
	assert_string_equal(client_row("xxxxxxxxxxaaaaaxxxxx"), "..ax ");
	assert_string_equal(client_row("xxxxxxaaaaaaaaa"), ".aa ");
	assert_string_equal(client_row("xxxxx"), "..");
}

static void colours_come_once_for_each_run_of_cells(void **state)
{
	static struct lane lane;
	struct text text = text_init(buffer, sizeof(buffer));
	size_t escapes = 0;

	(void)state;
	lane = (struct lane){0};
	lane_set_state(&lane, 0, LANE_ACTIVE);
	timeline_lane(&text, &lane, ALPHA, cells(20), true);
	for (const char *c = buffer; *c; c++)
		escapes += *c == '\033';
	assert_int_equal(escapes, 3);
	assert_non_null(strstr(buffer, "aaaaaaaaaaaaaaaaaaaa"));
}

static void the_ruler_marks_whole_seconds_without_crowding(void **state)
{
	struct text text = text_init(buffer, sizeof(buffer));
	struct span span = {.cell_ns = CELL_NS, .until_ns = TIME_NEVER.ns, .cells = 50};

	(void)state;
	timeline_ruler(&text, span, 0);
	assert_string_equal(buffer, "|0 s                |1 s                |2 s");
	text = text_init(buffer, sizeof(buffer));
	span.cell_ns = 500 * NS_PER_MS;
	timeline_ruler(&text, span, 0);
	assert_string_equal(buffer, "|0 s      |5 s      |10 s     |15 s     |20 s");
	text = text_init(buffer, sizeof(buffer));
	span.begin_ns = 7 * NS_PER_S;
	span.cells = 20;
	timeline_ruler(&text, span, 0);
	assert_string_equal(buffer, "      |10 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lane_shows_the_history_of_a_server),
		cmocka_unit_test(an_older_change_counts_from_the_last_one_on),
		cmocka_unit_test(a_lane_with_too_many_changes_keeps_the_last),
		cmocka_unit_test(what_is_not_known_yet_is_not_drawn),
		cmocka_unit_test(the_client_shows_who_answered),
		cmocka_unit_test(before_the_first_answer_nothing_is_lost),
		cmocka_unit_test(colours_come_once_for_each_run_of_cells),
		cmocka_unit_test(the_ruler_marks_whole_seconds_without_crowding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
