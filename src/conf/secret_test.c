/* SPDX-License-Identifier: ISC */
/* The text of a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "conf/conf.h"

static void test_key_decode(void **state)
{
	static const char digits[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
	char text[128];
	uint8_t key[CONF_KEY_SIZE];
	struct text t = text_init(text, sizeof(text));

	(void)state;
	text_add(&t, " \r\n\t%s\n", digits);
	assert_true(conf_key_decode(text, t.length, key));
	for (unsigned i = 0; i < CONF_KEY_SIZE; i++)
		assert_int_equal(key[i], i);
	memset(key, 0x5a, sizeof(key));
	assert_true(t.length == 69);
	assert_false(conf_key_decode(text, 67, key)); /* a digit is missing */
	text[10] = 'g';
	assert_false(conf_key_decode(text, t.length, key));
	text[10] = '\0';
	assert_false(conf_key_decode(text, t.length, key));
	assert_false(conf_key_decode("", 0, key));
	assert_false(conf_key_decode(" \n", 2, key));
	text_add(&t, "0");
	assert_false(conf_key_decode(text, t.length, key));
	for (unsigned i = 0; i < CONF_KEY_SIZE; i++)
		assert_int_equal(key[i], 0x5a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
