/* SPDX-License-Identifier: ISC */
#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The published vectors of 64-bit FNV-1a: other programs must be able to compute our ids. */
static void test_hash_is_fnv_1a(void **state)
{
	(void)state;
	assert_true(id_hash(ID_SEED, "", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(id_hash(ID_SEED, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(id_hash(ID_SEED, "foobar", 6) == UINT64_C(0x85944171f73967e8));
}

static void test_hash_continues(void **state)
{
	(void)state;
	assert_true(id_hash(id_hash(ID_SEED, "foo", 3), "bar", 3) == id_hash(ID_SEED, "foobar", 6));
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(id_from_name("foobar"), 0x85944171u ^ 0xf73967e8u);
	assert_int_not_equal(id_from_name("web"), id_from_name("mail"));
	assert_int_not_equal(id_from_name(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_is_fnv_1a),
		cmocka_unit_test(test_hash_continues),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
