/* SPDX-License-Identifier: ISC */
/* Memory runs out at each place where JSON is made, once: the answer is then none, and nothing is
 * lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/text.h"
#include "wire/attach.h"
#include "wire/history.h"
#include "wire/metrics.h"
#include "wire/status.h"

#define ATTEMPTS_MAX 20000

static int left, held; /* allocations that succeed; blocks that are not freed */

static void *take(size_t size)
{
	if (left-- <= 0)
		return NULL;
	held++;
	return malloc(size);
}

static void give(void *block)
{
	held -= block != NULL;
	free(block);
}

static void fill_status(struct status *s)
{
	static struct status_group group = {
		.state = STATE_ACTIVE, .address_count = 1, .check_count = 1};
	static struct status_address address = {.prefix_length = 24};
	static struct status_check check = {.answered_ms = -1};

	(void)text_copy(group.name, sizeof(group.name), "web");
	*s = (struct status){.groups = &group,
		.addresses = &address,
		.checks = &check,
		.group_count = 1,
		.address_count = 1,
		.check_count = 1,
		.peer_count = 1,
		.warning_count = 1};
}

static json_t *whole_status(void)
{
	static struct status s;

	fill_status(&s);
	return status_to_json(&s);
}

static json_t *head_of_status(void)
{
	static struct status s;

	fill_status(&s);
	return status_head_to_json(&s);
}

static json_t *group_of_status(void)
{
	static struct status s;

	fill_status(&s);
	return status_group_to_json(&s, 0);
}

static json_t *metrics(void)
{
	static const struct metrics m;

	return metrics_to_json(&m);
}

static json_t *history_line(void)
{
	struct report r = {
		.kind = REPORT_STATE, .from = STATE_ACTIVE, .to = STATE_STANDBY, .epoch = 7};

	(void)text_copy(r.group, sizeof(r.group), "web");
	(void)text_copy(r.peer, sizeof(r.peer), "beta");
	return history_to_json(&r, 0, "alpha");
}

static void runs_out(json_t *(*make)(void))
{
	json_t *json = NULL;
	int attempt = 0;

	for (; !json && attempt < ATTEMPTS_MAX; attempt++) {
		left = attempt;
		json = make();
		if (!json)
			assert_int_equal(held, 0);
	}
	assert_non_null(json);
	assert_true(attempt > 10);
	json_decref(json);
	assert_int_equal(held, 0);
}

static void test_nothing_is_made_of_half(void **state)
{
	(void)state;
	runs_out(whole_status);
	runs_out(head_of_status);
	runs_out(group_of_status);
	runs_out(metrics);
	runs_out(history_line);
}

static void test_a_line_of_an_attached_program_is_left_out(void **state)
{
	const struct attach_line a = {.reason = "busy"};
	char line[ATTACH_LINE_MAX];
	size_t size = 0;

	(void)state;
	for (int attempt = 0; size == 0 && attempt < ATTEMPTS_MAX; attempt++) {
		left = attempt;
		size = attach_encode(&a, line);
	}
	assert_true(size > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_made_of_half),
		cmocka_unit_test(test_a_line_of_an_attached_program_is_left_out),
	};

	json_set_alloc_funcs(take, give);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
