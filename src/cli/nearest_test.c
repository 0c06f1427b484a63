/* SPDX-License-Identifier: ISC */
/* Tests of the guess at what a mistyped word was meant to be. */
#include "cli/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const NAMES[] = {"run", "status", "watch", "check-config", "keygen", "release"};

static const char *guess(const char *word)
{
	return nearest_name(word, NAMES, sizeof(NAMES) / sizeof(NAMES[0]));
}

static void a_slip_of_the_finger_is_understood(void **state)
{
	(void)state;
	assert_string_equal(guess("statsu"), "status");
	assert_string_equal(guess("stauts"), "status");
	assert_string_equal(guess("wach"), "watch");
	assert_string_equal(guess("checkconfig"), "check-config");
	assert_string_equal(guess("rn"), "run");
}

static void the_beginning_of_a_name_is_understood(void **state)
{
	(void)state;
	assert_string_equal(guess("check"), "check-config");
	assert_string_equal(guess("stat"), "status");
}

static void another_word_is_not_forced_into_a_name(void **state)
{
	(void)state;
	assert_null(guess("frobnicate"));
	assert_null(guess("x"));
	assert_null(guess(""));
	assert_null(guess("a-word-that-is-longer-than-any-command-has-ever-been"));
}

static void two_equally_near_names_are_no_guess(void **state)
{
	const char *const names[] = {"on-active", "on-actively"};
	const char *const twins[] = {"abcx", "abcy"};

	(void)state;
	assert_null(nearest_name("abcz", twins, 2));
	assert_string_equal(nearest_name("abcx", twins, 2), "abcx");
	assert_string_equal(nearest_name("on-activ", names, 1), "on-active");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slip_of_the_finger_is_understood),
		cmocka_unit_test(the_beginning_of_a_name_is_understood),
		cmocka_unit_test(another_word_is_not_forced_into_a_name),
		cmocka_unit_test(two_equally_near_names_are_no_guess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
