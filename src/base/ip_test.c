/* SPDX-License-Identifier: ISC */
#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct ip ip(const char *text)
{
	struct ip ip;

	if (!ip_parse(text, &ip))
		fail_msg("not an address: %s", text);
	return ip;
}

static void test_parse_and_format(void **state)
{
	static const char *const texts[] = {"0.0.0.0", "10.0.0.1", "255.255.255.255", "::", "::1",
		"fe80::1", "2001:db8::a:0:0:1"};
	char text[IP_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ip parsed = ip(texts[i]);

		assert_string_equal(ip_format(&parsed, text), texts[i]);
	}
	assert_int_equal(ip("10.0.0.1").family, IP_V4);
	assert_int_equal(ip("::1").family, IP_V6);
	assert_string_equal(ip_format(&(struct ip){0}, text), "-");
}

static void test_parse_refuses(void **state)
{
	static const char *const texts[] = {"", "10.0.0", "10.0.0.256", "10.0.0.1/24", "10.0.0.1 ",
		"fe80::1%eth0", ":::", "1:2:3:4:5:6:7:8:9", "alpha"};
	struct ip before = ip("10.0.0.1"), parsed = before;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(ip_parse(texts[i], &parsed));
		assert_memory_equal(&parsed, &before, sizeof(parsed));
	}
}

/* The original program compared addresses as strings, and 10.0.0.10 won against 10.0.0.9. */
static void test_order_is_numerical(void **state)
{
	static const char *const ascending[] = {"0.0.0.0", "9.255.255.255", "10.0.0.9", "10.0.0.10",
		"10.0.0.100", "10.0.1.0", "192.168.1.1", "::", "::2", "::10", "fe80::9",
		"fe80::10"};
	size_t count = sizeof(ascending) / sizeof(ascending[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++) {
			struct ip a = ip(ascending[i]), b = ip(ascending[j]);
			int order = ip_compare(&a, &b);

			assert_true(i < j ? order < 0 : i > j ? order > 0 : order == 0);
			assert_int_equal(ip_equal(&a, &b), i == j);
		}
}

static void test_same_prefix(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned length;
		bool same;
	} cases[] = {
		{"10.0.0.1", "10.0.0.254", 24, true},
		{"10.0.0.1", "10.0.1.1", 24, false},
		{"10.0.0.1", "10.0.1.1", 23, true},
		{"10.0.0.1", "10.0.0.1", 32, true},
		{"10.0.0.0", "10.0.0.1", 32, false},
		{"10.0.0.0", "10.0.0.1", 31, true},
		{"1.2.3.4", "200.2.3.4", 0, true},
		{"127.255.255.255", "128.0.0.0", 1, false},
		{"2001:db8::1", "2001:db8::ffff", 112, true},
		{"2001:db8::1", "2001:db8::1:0", 112, false},
		{"::1", "::1", 128, true},
		{"0.0.0.0", "::", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip a = ip(cases[i].a), b = ip(cases[i].b);

		if (ip_same_prefix(&a, &b, cases[i].length) != cases[i].same)
			fail_msg("%s %s /%u", cases[i].a, cases[i].b, cases[i].length);
	}
}

static void test_kinds(void **state)
{
	static const struct {
		const char *text;
		bool multicast, loopback, link_local, unspecified;
		unsigned bits;
	} cases[] = {
		{"0.0.0.0", false, false, false, true, 32},
		{"127.1.2.3", false, true, false, false, 32},
		{"128.0.0.1", false, false, false, false, 32},
		{"169.254.0.1", false, false, true, false, 32},
		{"169.253.0.1", false, false, false, false, 32},
		{"223.255.255.255", false, false, false, false, 32},
		{"224.0.0.1", true, false, false, false, 32},
		{"239.2.3.4", true, false, false, false, 32},
		{"240.0.0.1", false, false, false, false, 32},
		{"::", false, false, false, true, 128},
		{"::1", false, true, false, false, 128},
		{"fe80::1", false, false, true, false, 128},
		{"febf::1", false, false, true, false, 128},
		{"fec0::1", false, false, false, false, 128},
		{"ff02::1", true, false, false, false, 128},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip a = ip(cases[i].text);

		if (ip_is_multicast(&a) != cases[i].multicast ||
			ip_is_loopback(&a) != cases[i].loopback ||
			ip_is_link_local(&a) != cases[i].link_local ||
			ip_is_unspecified(&a) != cases[i].unspecified ||
			ip_bits(&a) != cases[i].bits)
			fail_msg("%s is taken for something else", cases[i].text);
	}
	assert_true(ip_is_unspecified(&(struct ip){0}));
	assert_false(ip_is_loopback(&(struct ip){0}));
	assert_false(ip_is_link_local(&(struct ip){0}));
}

static void test_wire(void **state)
{
	static const uint8_t mapped[IP_WIRE_SIZE] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 9};
	struct ip v4 = ip("10.0.0.9"), v6 = ip("2001:db8::1"), none = {0};
	uint8_t bytes[IP_WIRE_SIZE];
	struct ip back;

	(void)state;
	ip_to_wire(&v4, bytes);
	assert_memory_equal(bytes, mapped, sizeof(bytes));
	back = ip_from_wire(bytes);
	assert_memory_equal(&back, &v4, sizeof(back));
	ip_to_wire(&v6, bytes);
	assert_memory_equal(bytes, v6.bytes, sizeof(bytes));
	back = ip_from_wire(bytes);
	assert_memory_equal(&back, &v6, sizeof(back));
	ip_to_wire(&none, bytes);
	back = ip_from_wire(bytes);
	assert_memory_equal(&back, &none, sizeof(back));
	back = ip_from_v4(v4.bytes);
	assert_true(ip_equal(&back, &v4));
	back = ip_from_v6(v6.bytes);
	assert_true(ip_equal(&back, &v6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_format),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_order_is_numerical),
		cmocka_unit_test(test_same_prefix),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
