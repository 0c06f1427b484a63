/* SPDX-License-Identifier: ISC */
#include "base/deadlines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MANY 500

static struct deadline_slot slots[MANY];

static ha_time at(int64_t ns)
{
	return (ha_time){ns};
}

static void test_one_after_the_other(void **state)
{
	struct deadlines d = deadlines_init(slots, 3);
	size_t element;

	(void)state;
	assert_true(time_is_never(deadlines_first(&d)));
	assert_false(deadlines_take(&d, at(1000), &element));
	deadlines_set(&d, 2, at(30));
	deadlines_set(&d, 0, at(10));
	deadlines_set(&d, 1, at(20));
	deadlines_set(&d, 0, at(40)); /* later than it was */
	assert_int_equal(deadlines_first(&d).ns, 20);
	assert_false(deadlines_take(&d, at(19), &element));
	assert_true(deadlines_take(&d, at(20), &element));
	assert_int_equal(element, 1);
	deadlines_set(&d, 2, TIME_NEVER);
	deadlines_set(&d, 2, TIME_NEVER);
	assert_int_equal(deadlines_first(&d).ns, 40);
	assert_true(deadlines_take(&d, at(100), &element));
	assert_int_equal(element, 0);
	assert_true(time_is_never(deadlines_first(&d)));
}

/* Against a plain array. */
static void test_like_a_search(void **state)
{
	struct deadlines d = deadlines_init(slots, MANY);
	int64_t model[MANY];
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		model[i] = INT64_MAX;
	for (size_t run = 0; run < 20000; run++) {
		size_t element, least = 0;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		element = (size_t)(random >> 33) % MANY;
		if (run % 3 == 0 && d.count > 0) {
			for (size_t i = 0; i < MANY; i++)
				least = model[i] < model[least] ? i : least;
			assert_int_equal(deadlines_first(&d).ns, model[least]);
			assert_true(deadlines_take(&d, at(model[least]), &element));
			assert_int_equal(model[element], model[least]);
			model[element] = INT64_MAX;
		} else if (run % 7 == 0) {
			deadlines_set(&d, element, TIME_NEVER);
			model[element] = INT64_MAX;
		} else {
			model[element] = (int64_t)(random >> 50) + 1;
			deadlines_set(&d, element, at(model[element]));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_like_a_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
