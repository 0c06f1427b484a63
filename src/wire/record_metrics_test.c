/* SPDX-License-Identifier: ISC */
/* What was counted comes back, also from one that counted less or more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/record_metrics.h"

static uint8_t bytes[4 * RECORD_METRICS_SIZE];

static struct record_metrics counted(void)
{
	struct record_metrics m = {0};

	for (size_t i = 0; i < METRIC_COUNTERS; i++)
		m.metrics.counters[i] = 100 + i;
	for (size_t i = 0; i < ELECTION_CAUSES; i++)
		m.metrics.transitions[i] = 200 + i;
	for (size_t i = 0; i < HEARTBEAT_DROP_REASONS; i++)
		m.dropped[i] = 300 + i;
	for (size_t i = 0; i < METRIC_TIMINGS; i++)
		for (size_t n = 0; n <= i; n++)
			metrics_time(&m.metrics, (enum metric_timing)i, (int64_t)(n * 1000000));
	return m;
}

static size_t write_counted(const struct record_metrics *m)
{
	struct writer w = writer_init(bytes, sizeof(bytes));

	record_put_metrics(&w, m);
	assert_false(w.failed);
	assert_true(w.used <= RECORD_METRICS_SIZE);
	return w.used;
}

static void it_comes_back_as_it_was(void **state)
{
	const struct record_metrics m = counted();
	size_t size = write_counted(&m);
	struct reader r = reader_init(bytes, size);
	struct record_metrics read;

	(void)state;
	record_take_metrics(&r, &read);
	assert_false(r.failed);
	assert_int_equal(r.left, 0);
	assert_memory_equal(&read, &m, sizeof(m));
}

static void one_that_counted_nothing_begins_at_nothing(void **state)
{
	const struct record_metrics nothing = {0};
	struct reader r = reader_init(bytes, 0);
	struct record_metrics read = counted();
	struct histogram h;

	(void)state;
	record_take_metrics(&r, &read);
	record_take_histogram(&r, &h);
	assert_false(r.failed);
	assert_memory_equal(&read, &nothing, sizeof(read));
	assert_int_equal(h.count, 0);
}

/* One list with @count numbers from @first on. */
static void put_list(struct writer *w, size_t count, uint64_t first)
{
	writer_u8(w, (uint8_t)count);
	for (size_t i = 0; i < count; i++)
		writer_u64(w, first + i);
}

static struct reader other_version(size_t counters, size_t buckets)
{
	struct writer w = writer_init(bytes, sizeof(bytes));

	put_list(&w, counters, 1);
	put_list(&w, ELECTION_CAUSES, 1000);
	put_list(&w, HEARTBEAT_DROP_REASONS + 2, 2000);
	writer_u8(&w, METRIC_TIMINGS + 1);
	for (size_t i = 0; i < METRIC_TIMINGS + 1; i++) {
		put_list(&w, buckets, 1);
		writer_u64(&w, 5);
		writer_u64(&w, 5);
	}
	assert_false(w.failed);
	return reader_init(bytes, w.used);
}

static void an_older_one_counted_less(void **state)
{
	struct reader r = other_version(2, HISTOGRAM_BUCKETS - 1);
	struct record_metrics read;

	(void)state;
	record_take_metrics(&r, &read);
	assert_false(r.failed);
	assert_int_equal(read.metrics.counters[1], 2);
	assert_int_equal(read.metrics.counters[2], 0);
	assert_int_equal(read.metrics.transitions[0], 1000);
	assert_int_equal(read.metrics.timings[0].count, 0); /* other buckets */
	assert_int_equal(read.metrics.timings[0].sum_ns, 0);
}

static void a_newer_one_counted_more(void **state)
{
	struct reader r = other_version(METRIC_COUNTERS + 3, HISTOGRAM_BUCKETS);
	struct record_metrics read;

	(void)state;
	record_take_metrics(&r, &read);
	assert_false(r.failed);
	assert_int_equal(r.left, 0);
	assert_int_equal(read.metrics.counters[METRIC_COUNTERS - 1], METRIC_COUNTERS);
	assert_int_equal(read.metrics.transitions[1], 1001);
	assert_int_equal(read.dropped[1], 2001);
	assert_int_equal(read.metrics.timings[METRIC_TIMINGS - 1].count,
		HISTOGRAM_BUCKETS * (HISTOGRAM_BUCKETS + 1) / 2);
}

static void what_is_impossible_is_refused(void **state)
{
	const struct record_metrics m = counted();
	size_t size = write_counted(&m);
	struct record_metrics read;
	struct reader r;

	(void)state;
	for (size_t cut = 1; cut < size; cut++) {
		r = reader_init(bytes, cut);
		record_take_metrics(&r, &read);
		/* Whole lists may be missing: that is an older version. */
		assert_true(r.failed || r.left == 0);
	}
	bytes[1] = 0x80; /* of the first counter */
	r = reader_init(bytes, size);
	record_take_metrics(&r, &read);
	assert_true(r.failed);
	bytes[1] = 0;
	bytes[size - 16] = 0x80; /* the sum of the last timing */
	r = reader_init(bytes, size);
	record_take_metrics(&r, &read);
	assert_true(r.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_back_as_it_was),
		cmocka_unit_test(one_that_counted_nothing_begins_at_nothing),
		cmocka_unit_test(an_older_one_counted_less),
		cmocka_unit_test(a_newer_one_counted_more),
		cmocka_unit_test(what_is_impossible_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
