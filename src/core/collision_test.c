/* SPDX-License-Identifier: ISC */
#include "core/collision.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct collision_side side(uint16_t worth, uint64_t claim)
{
	return (struct collision_side){
		.rank = {.worth = worth, .id = worth}, .eligible = true, .claim = claim};
}

static struct collision_side sticky(uint16_t worth, uint64_t claim, bool acknowledged)
{
	struct collision_side s = side(worth, claim);

	s.sticky = true;
	s.acknowledged = acknowledged;
	return s;
}

static void expect_won(
	struct collision_side winner, struct collision_side loser, enum collision_ground by)
{
	enum collision_ground ground;

	assert_true(collision_is_won(&winner, &loser, &ground));
	assert_int_equal(ground, by);
	assert_false(collision_is_won(&loser, &winner, &ground));
	assert_int_equal(ground, by);
}

static void test_worthiest(void **state)
{
	(void)state;
	expect_won(side(2, 9), side(1, 1), COLLISION_BY_RANK);
	expect_won(side(2, 1), side(1, 1), COLLISION_BY_RANK);
}

static void test_fitness_comes_first(void **state)
{
	struct collision_side unfit = sticky(9, 1, true), yielded = sticky(9, 1, true);

	(void)state;
	unfit.eligible = false;
	yielded.rank.yielded = true;
	expect_won(side(1, 9), unfit, COLLISION_BY_FITNESS);
	expect_won(side(1, 9), yielded, COLLISION_BY_FITNESS);
	expect_won(yielded, unfit, COLLISION_BY_FITNESS);
}

static void test_sticky(void **state)
{
	(void)state;
	expect_won(sticky(1, 9, true), sticky(2, 1, false), COLLISION_BY_ANSWERS);
	expect_won(sticky(1, 1, true), sticky(2, 9, true), COLLISION_BY_AGE);
	expect_won(sticky(1, 1, false), sticky(2, 9, false), COLLISION_BY_AGE);
	expect_won(sticky(2, 5, true), sticky(1, 5, true), COLLISION_BY_RANK);
}

static void test_of_different_policies_the_sticky_one_stays(void **state)
{
	(void)state;
	expect_won(sticky(1, 9, false), side(2, 1), COLLISION_BY_POLICY);
}

/* With any mixture of policies one beats all others: no three beat each other in a circle. */
static void test_total_order(void **state)
{
	enum { SIDES = 64 };
	struct collision_side sides[SIDES];
	enum collision_ground ground;

	(void)state;
	for (unsigned i = 0; i < SIDES; i++) {
		sides[i] = side((uint16_t)(i % 3), i / 3 % 3);
		sides[i].rank.id = i;
		sides[i].sticky = i & 8;
		sides[i].acknowledged = i & 16;
		sides[i].eligible = i & 32;
		sides[i].rank.yielded = i % 7 == 0;
	}
	for (unsigned a = 0; a < SIDES; a++) {
		unsigned wins = 0;

		for (unsigned b = 0; b < SIDES; b++) {
			if (a == b)
				continue;
			assert_true(collision_is_won(&sides[a], &sides[b], &ground) !=
				    collision_is_won(&sides[b], &sides[a], &ground));
			wins += collision_is_won(&sides[a], &sides[b], &ground);
		}
		for (unsigned b = 0; b < a; b++) { /* in an order all have different ranks */
			unsigned others = 0;

			for (unsigned c = 0; c < SIDES; c++)
				others += b != c && collision_is_won(&sides[b], &sides[c], &ground);
			assert_int_not_equal(wins, others);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worthiest),
		cmocka_unit_test(test_fitness_comes_first),
		cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_of_different_policies_the_sticky_one_stays),
		cmocka_unit_test(test_total_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
