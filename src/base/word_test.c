/* SPDX-License-Identifier: ISC */
#include "base/word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_how_far_a_typing_error_is(void **state)
{
	(void)state;
	assert_int_equal(word_distance("interval", "interval"), 0);
	assert_int_equal(word_distance("Interval", "intervaL"), 0);
	assert_int_equal(word_distance("intreval", "interval"), 1); /* two letters exchanged */
	assert_int_equal(word_distance("intrval", "interval"), 1);
	assert_int_equal(word_distance("intervall", "interval"), 1);
	assert_int_equal(word_distance("interwal", "interval"), 1);
	assert_int_equal(word_distance("", "web"), 3);
}

static void test_what_is_too_long_is_far_from_all(void **state)
{
	char word[WORD_SIZE + 1];

	(void)state;
	memset(word, 'x', WORD_SIZE);
	word[WORD_SIZE] = '\0';
	assert_int_equal(word_distance(word, "web"), WORD_SIZE);
	assert_int_equal(word_distance("web", word), WORD_SIZE);
	word[WORD_SIZE - 1] = '\0';
	assert_int_equal(word_distance(word, word), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_how_far_a_typing_error_is),
		cmocka_unit_test(test_what_is_too_long_is_far_from_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
