/* SPDX-License-Identifier: ISC */
/* A node that let a grant lapse waits, and it alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/pauses.h"

static const ha_time NOW = {100};

static void test_only_that_node_waits(void **state)
{
	struct pauses p = {0};

	(void)state;
	assert_true(time_is_never(pauses_deadline(&p, NOW)));
	pauses_begin(&p, NOW, 7, (ha_time){200});
	assert_true(pauses_has(&p, NOW, 7));
	assert_false(pauses_has(&p, NOW, 8));
	assert_true(pauses_has(&p, (ha_time){199}, 7));
	assert_false(pauses_has(&p, (ha_time){200}, 7));
}

static void test_the_next_end_is_the_deadline(void **state)
{
	struct pauses p = {0};

	(void)state;
	pauses_begin(&p, NOW, 7, (ha_time){300});
	pauses_begin(&p, NOW, 8, (ha_time){200});
	assert_int_equal(pauses_deadline(&p, NOW).ns, 200);
	assert_int_equal(pauses_deadline(&p, (ha_time){200}).ns, 300);
	assert_true(time_is_never(pauses_deadline(&p, (ha_time){300})));
}

static void test_a_later_one_of_the_same_node_counts(void **state)
{
	struct pauses p = {0};

	(void)state;
	pauses_begin(&p, NOW, 8, (ha_time){150});
	pauses_begin(&p, NOW, 7, (ha_time){200});
	pauses_begin(&p, (ha_time){160}, 7, (ha_time){400});
	assert_true(pauses_has(&p, (ha_time){300}, 7));
}

static void test_of_too_many_the_first_to_end_is_forgotten(void **state)
{
	struct pauses p = {0};

	(void)state;
	for (uint64_t id = 1; id <= PAUSES_MAX; id++)
		pauses_begin(&p, NOW, id, (ha_time){id == 3 ? 150 : 200 + (int64_t)id});
	pauses_begin(&p, NOW, 9, (ha_time){300});
	assert_false(pauses_has(&p, NOW, 3));
	for (uint64_t id = 1; id <= PAUSES_MAX; id++)
		assert_int_equal(pauses_has(&p, NOW, id), id != 3);
	assert_true(pauses_has(&p, NOW, 9));
	/* What is over makes room first. */
	pauses_begin(&p, (ha_time){202}, 10, (ha_time){250});
	assert_true(pauses_has(&p, (ha_time){202}, 4));
	assert_true(pauses_has(&p, (ha_time){202}, 9));
	assert_true(pauses_has(&p, (ha_time){202}, 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_that_node_waits),
		cmocka_unit_test(test_the_next_end_is_the_deadline),
		cmocka_unit_test(test_a_later_one_of_the_same_node_counts),
		cmocka_unit_test(test_of_too_many_the_first_to_end_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
