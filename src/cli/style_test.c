/* SPDX-License-Identifier: ISC */
/* Tests of what may reach a terminal. */
#include "cli/style.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const char *written(const char *foreign)
{
	static char buffer[256];
	struct text text = text_init(buffer, sizeof(buffer));

	text_add_foreign(&text, foreign);
	return buffer;
}

static void ordinary_text_is_left_alone(void **state)
{
	(void)state;
	assert_string_equal(
		written("beta is worthier (200 > 100)"), "beta is worthier (200 > 100)");
	assert_string_equal(written("Zürich → 東京 🙂"), "Zürich → 東京 🙂");
	assert_string_equal(written(""), "");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
	(void)state;
	assert_string_equal(written("a\033[2Jb"), "a?[2Jb");
	assert_string_equal(written("a\nb\tc\rd\x07"), "a?b?c?d?");
	assert_string_equal(written("\x7f"), "?");
	/* U+009B is a control sequence introducer of one character. */
	assert_string_equal(written("\xc2\x9b"
				    "31m"),
		"?31m");
	/* U+202E turns what follows around. */
	assert_string_equal(written("abc\xe2\x80\xae"
				    "fed"),
		"abc?fed");
}

static void what_is_not_utf_8_becomes_question_marks(void **state)
{
	(void)state;
	assert_string_equal(written("\xff\xfe"), "??");
	assert_string_equal(written("\x9b"
				    "31m"),
		"?31m");
	assert_string_equal(written("a\xc3"), "a?");
	assert_string_equal(written("\xc0\xafx"), "??x");
	assert_string_equal(written("\xed\xa0\x80"), "???");
	assert_string_equal(written("\xf4\x90\x80\x80"), "????");
}

static void colours_are_only_written_where_wanted(void **state)
{
	(void)state;
	assert_string_equal(colour_on(false, COLOUR_RED), "");
	assert_string_equal(colour_off(false), "");
	assert_string_equal(colour_on(true, COLOUR_NONE), "");
	assert_int_equal(colour_on(true, COLOUR_RED)[0], '\033');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_text_is_left_alone),
		cmocka_unit_test(control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(what_is_not_utf_8_becomes_question_marks),
		cmocka_unit_test(colours_are_only_written_where_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
