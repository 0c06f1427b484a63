/* SPDX-License-Identifier: ISC */
#include "cli/exporter/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_addresses(void **state)
{
	struct listen_address a;

	(void)state;
	assert_true(listen_parse(LISTEN_DEFAULT, &a) && a.loopback);
	assert_true(listen_parse("[::1]:80", &a) && a.loopback);
	assert_true(listen_parse("127.8.9.10:1", &a) && a.loopback);
	assert_true(listen_parse("10.0.0.1:9955", &a) && !a.loopback);
	assert_true(listen_parse("0.0.0.0:9955", &a) && !a.loopback);
	assert_true(listen_parse("[fd00::1]:9955", &a) && !a.loopback);
	assert_true(listen_parse(":9955", &a) && !a.loopback);
}

static void test_what_is_none(void **state)
{
	static const char *const WRONG[] = {"", "9955", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
		"127.0.0.1:65536", "127.0.0.1:http", "localhost:80", "::1:80", "[::1:80", "[]:80",
		"127.0.0.1:80 ", "256.0.0.1:80"};
	struct listen_address a;

	(void)state;
	for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++)
		assert_false(listen_parse(WRONG[i], &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
