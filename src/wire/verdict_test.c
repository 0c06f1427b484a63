/* SPDX-License-Identifier: ISC */
#include "wire/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct verdict sample(void)
{
	struct verdict v = {.kind = VERDICT_CHECK,
		.index = 300,
		.verdict = CHECK_FAILING,
		.value = 65535,
		.answered = {NS_PER_S},
		.hold_until = {2 * NS_PER_S}};

	strcpy(v.text, "connection refused");
	return v;
}

static void test_round_trip(void **state)
{
	struct verdict sent = sample(), received;
	uint8_t bytes[VERDICT_MESSAGE_MAX];
	size_t size = verdict_encode(&sent, bytes);

	(void)state;
	assert_true(verdict_decode(bytes, size, &received));
	assert_int_equal(received.kind, VERDICT_CHECK);
	assert_int_equal(received.index, 300);
	assert_int_equal(received.verdict, CHECK_FAILING);
	assert_int_equal(received.value, 65535);
	assert_int_equal(received.answered.ns, NS_PER_S);
	assert_int_equal(received.hold_until.ns, 2 * NS_PER_S);
	assert_string_equal(received.text, "connection refused");
}

static void test_longest_text(void **state)
{
	struct verdict sent = sample(), received;
	uint8_t bytes[VERDICT_MESSAGE_MAX + 1];

	(void)state;
	memset(sent.text, 'x', sizeof(sent.text));
	assert_true(verdict_encode(&sent, bytes) < VERDICT_MESSAGE_MAX);
	assert_true(verdict_decode(bytes, VERDICT_MESSAGE_MAX, &received));
	assert_int_equal(strlen(received.text), VERDICT_TEXT_SIZE - 1);
	assert_false(verdict_decode(bytes, VERDICT_MESSAGE_MAX + 1, &received));
}

static void test_what_is_none(void **state)
{
	static const struct {
		size_t offset;
		uint8_t byte;
	} flaws[] = {{0, 0}, {0, 3}, {1, 3}, {6, 1}, {7, 1}, {8, 0x80}, {16, 0x80}};
	struct verdict v = sample();
	uint8_t bytes[VERDICT_MESSAGE_MAX];
	size_t size = verdict_encode(&v, bytes);

	(void)state;
	for (size_t i = 0; i < sizeof(flaws) / sizeof(flaws[0]); i++) {
		uint8_t kept = bytes[flaws[i].offset];

		bytes[flaws[i].offset] = flaws[i].byte;
		assert_false(verdict_decode(bytes, size, &v));
		bytes[flaws[i].offset] = kept;
	}
	for (size_t cut = 0; cut < VERDICT_HEADER_SIZE; cut++)
		assert_false(verdict_decode(bytes, cut, &v));
	assert_true(verdict_decode(bytes, VERDICT_HEADER_SIZE, &v));
	assert_string_equal(v.text, "");
}

static void test_text_is_fit_for_a_terminal(void **state)
{
	struct verdict v = sample(), received;
	uint8_t bytes[VERDICT_MESSAGE_MAX];

	(void)state;
	strcpy(v.text, "\033[2Jred\xff\n");
	assert_true(verdict_decode(bytes, verdict_encode(&v, bytes), &received));
	assert_string_equal(received.text, "?[2Jred??");
}

static void test_verdicts_have_names(void **state)
{
	(void)state;
	assert_string_equal(check_verdict_name(CHECK_UNKNOWN), "unknown");
	assert_string_equal(check_verdict_name(CHECK_PASSING), "passing");
	assert_string_equal(check_verdict_name(CHECK_FAILING), "failing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_longest_text),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_text_is_fit_for_a_terminal),
		cmocka_unit_test(test_verdicts_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
