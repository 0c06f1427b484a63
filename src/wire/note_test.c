/* SPDX-License-Identifier: ISC */
/* What one keeper leaves to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/note.h"

static size_t write_note(uint8_t *bytes)
{
	struct note n = {.boot = {1, 2, 3},
		.saved = {10},
		.lease = {20},
		.mortal = true,
		.group_count = 2,
		.record_size = 3};
	size_t size = note_encode(&n, bytes);

	size += note_encode_group("web", bytes + size);
	size += note_encode_group("mail", bytes + size);
	memcpy(bytes + size, "abc", 3);
	return size + 3;
}

static void it_comes_back_as_it_was(void **state)
{
	uint8_t bytes[256];
	struct note n;
	size_t size = write_note(bytes);

	(void)state;
	assert_true(note_decode(bytes, size, &n));
	assert_int_equal(n.boot[2], 3);
	assert_int_equal(n.lease.ns, 20);
	assert_true(n.mortal);
	assert_int_equal(n.record_size, 3);
	assert_memory_equal(n.record, "abc", 3);
	assert_true(note_has_group(&n, "web") && note_has_group(&n, "mail"));
	assert_false(note_has_group(&n, "we"));
	assert_false(note_has_group(&n, "webb"));
}

static void what_is_not_whole_is_refused(void **state)
{
	uint8_t bytes[256];
	struct note n;
	size_t size = write_note(bytes);

	(void)state;
	for (size_t cut = 0; cut < size; cut++)
		assert_false(note_decode(bytes, cut, &n));
	assert_false(note_decode(bytes, size + 1, &n));
	bytes[5]++; /* version */
	assert_false(note_decode(bytes, size, &n));
	bytes[5]--;
	bytes[NOTE_HEADER_SIZE] = 0; /* a name of no length */
	assert_false(note_decode(bytes, size, &n));
	bytes[NOTE_HEADER_SIZE] = NAME_SIZE;
	assert_false(note_decode(bytes, size, &n));
}

static bool is_taken(int64_t saved, int64_t lease)
{
	const struct note before = {.saved = {saved}, .lease = {lease}};
	uint8_t bytes[256];
	struct note n;

	return note_decode(bytes, note_encode(&before, bytes), &n);
}

static void impossible_times_are_refused(void **state)
{
	(void)state;
	assert_true(is_taken(10, 10));
	assert_false(is_taken(-1, 10));
	assert_false(is_taken(10, 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_back_as_it_was),
		cmocka_unit_test(what_is_not_whole_is_refused),
		cmocka_unit_test(impossible_times_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
