/* SPDX-License-Identifier: ISC */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_grows(void **state)
{
	char bytes[32];
	struct text t = text_init(bytes, sizeof(bytes));

	(void)state;
	assert_string_equal(bytes, "");
	text_add(&t, "%s is %d", "alpha", 200);
	text_add(&t, "%s", "");
	text_add(&t, ", beta %d", 100);
	assert_string_equal(bytes, "alpha is 200, beta 100");
	assert_int_equal(t.length, strlen(bytes));
}

/* Nothing is written behind the room, whatever is added: the bytes behind it stay as they were. */
static void test_is_cut_and_never_overruns(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 12; size++) {
		char bytes[16];
		struct text t;

		memset(bytes, '#', sizeof(bytes));
		t = text_init(bytes, size);
		for (int i = 0; i < 5; i++)
			text_add(&t, "%s", "abc");
		assert_int_equal(t.length, size - 1);
		assert_int_equal(strlen(bytes), size - 1);
		assert_int_equal(strncmp(bytes, "abcabcabcabcabc", size - 1), 0);
		for (size_t i = size; i < sizeof(bytes); i++)
			assert_int_equal(bytes[i], '#');
	}
}

static void test_copy(void **state)
{
	char bytes[8];

	(void)state;
	memset(bytes, '#', sizeof(bytes));
	assert_true(text_copy(bytes, 4, "abc"));
	assert_string_equal(bytes, "abc");
	assert_int_equal(bytes[4], '#');
	assert_false(text_copy(bytes, 4, "defg"));
	assert_string_equal(bytes, "def");
	assert_int_equal(bytes[4], '#');
	assert_true(text_copy(bytes, 1, ""));
	assert_string_equal(bytes, "");
	assert_false(text_copy(bytes, 1, "x"));
	assert_string_equal(bytes, "");
}

static void test_split(void **state)
{
	char line[] = "  /bin/echo a\tb=c  d ", blank[] = " \t", nothing[] = "", many[] = "a b c";
	char two[] = "a bc";
	char *words[5];

	(void)state;
	assert_int_equal(text_split(line, words, 4), 4);
	assert_string_equal(words[0], "/bin/echo");
	assert_string_equal(words[1], "a");
	assert_string_equal(words[2], "b=c");
	assert_string_equal(words[3], "d");
	assert_null(words[4]);
	assert_int_equal(text_split(blank, words, 4), 0);
	assert_null(words[0]);
	assert_int_equal(text_split(nothing, words, 4), 0);
	assert_int_equal(text_split(two, words, 4), 2);
	assert_string_equal(words[1], "bc");
	assert_int_equal(text_split(many, words, 2), 2);
	assert_string_equal(words[1], "b");
	assert_null(words[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_is_cut_and_never_overruns),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
