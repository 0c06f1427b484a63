/* SPDX-License-Identifier: ISC */
/* Tests of the measurement: what counts as an outage, how long it was, who answered. */
#include "cli/demo/outage.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/time.h"

#define REQUESTS_MAX 64

static struct request list[REQUESTS_MAX];

/* One request a millisecond: a, b, g answered it, x nobody did. */
static struct requests answered(const char *by)
{
	size_t count = 0;

	for (; by[count]; count++) {
		list[count].sent_ns = (int64_t)count * NS_PER_MS;
		list[count].server = by[count] == 'a'   ? ALPHA
				     : by[count] == 'b' ? BETA
				     : by[count] == 'g' ? GAMMA
							: NOBODY;
	}
	return (struct requests){.first = list, .count = count};
}

static void measures(const char *by, size_t lost, int64_t longest_ms)
{
	struct outage outage = outage_measure(answered(by));

	assert_int_equal(outage.lost, lost);
	assert_int_equal(outage.longest_ns, longest_ms * NS_PER_MS);
}

static void without_a_loss_there_is_no_outage(void **state)
{
	(void)state;
	measures("", 0, 0);
	measures("a", 0, 0);
	measures("aaaabbbb", 0, 0);
}

static void an_outage_lasts_from_answer_to_answer(void **state)
{
	(void)state;
	measures("aaxbb", 1, 2);
	measures("aaxxxbb", 3, 4);
}

static void the_longest_of_several_counts_and_all_losses(void **state)
{
	(void)state;
	measures("axbxxxgxxa", 6, 4);
}

static void an_outage_at_the_edge_counts_as_far_as_it_is_seen(void **state)
{
	(void)state;
	measures("xxxa", 3, 3);
	measures("axxx", 3, 3);
	measures("xxx", 3, 2);
}

static void a_pause_of_the_client_is_no_outage(void **state)
{
	struct requests r = answered("aaaa");

	(void)state;
	list[2].sent_ns += 50 * NS_PER_MS;
	list[3].sent_ns += 50 * NS_PER_MS;
	assert_int_equal(outage_measure(r).longest_ns, 0);
}

static void the_only_answerer_answered_everything(void **state)
{
	(void)state;
	assert_int_equal(outage_only_answerer(answered("bbb")), BETA);
	assert_int_equal(outage_only_answerer(answered("bab")), NOBODY);
	assert_int_equal(outage_only_answerer(answered("bbx")), NOBODY);
	assert_int_equal(outage_only_answerer(answered("xbb")), NOBODY);
	assert_int_equal(outage_only_answerer(answered("")), NOBODY);
}

static void a_range_is_cut_by_the_times_of_sending(void **state)
{
	struct requests all = answered("aabbgg"), middle;

	(void)state;
	middle = outage_between(all, 2 * NS_PER_MS, 4 * NS_PER_MS);
	assert_int_equal(middle.count, 2);
	assert_int_equal(outage_only_answerer(middle), BETA);
	assert_int_equal(outage_between(all, 2 * NS_PER_MS + 1, 3 * NS_PER_MS + 1).count, 1);
	assert_int_equal(outage_between(all, -5, 1000 * NS_PER_MS).count, 6);
	assert_int_equal(outage_between(all, 4 * NS_PER_MS, 2 * NS_PER_MS).count, 0);
	assert_int_equal(outage_index_at(all, 6 * NS_PER_MS), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_loss_there_is_no_outage),
		cmocka_unit_test(an_outage_lasts_from_answer_to_answer),
		cmocka_unit_test(the_longest_of_several_counts_and_all_losses),
		cmocka_unit_test(an_outage_at_the_edge_counts_as_far_as_it_is_seen),
		cmocka_unit_test(a_pause_of_the_client_is_no_outage),
		cmocka_unit_test(the_only_answerer_answered_everything),
		cmocka_unit_test(a_range_is_cut_by_the_times_of_sending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
