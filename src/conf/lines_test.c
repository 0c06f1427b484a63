/* SPDX-License-Identifier: ISC */
/* Texts as other systems and editors write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "conf/diagnostics.h"
#include "conf/fixture.h"
#include "conf/lines.h"
#include "conf/values.h"

static void test_texts_and_names(void **state)
{
	static const char *const devices[] = {"", ".", "..", "#a", ";a", "a/b", "a:b", "a b"};

	(void)state;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		assert_false(value_is_device(devices[i]));
	assert_true(value_is_device("a#;."));
	assert_string_equal(quote("a\x7f\x1f~").text, "a??~");
	assert_int_equal(span_find((struct span){0}, 'a'), 0);
}

/* What other systems and editors make of a text. */
static void test_forms_of_text(void **state)
{
	static const char crlf[] = "\xef\xbb\xbf[node]\r\ninterface = eth0\r\n\r\n[group web]\r\n"
				   "address = 10.0.0.1\r\n\tworth = 7";

	(void)state;
	parse_good(crlf);
	assert_string_equal(parsed.devices[0].name, "eth0");
	assert_int_equal(parsed.groups[0].worth, 7);
	/* An indented line is a line, not more of the value above it. */
	parse_good(with("name = beta\n    port = 77", ""));
	assert_string_equal(parsed.node.name, "beta");
	assert_int_equal(parsed.node.port, 77);
	parse_good(with("# \xc3\xbc\xff any bytes in a comment", ""));
}

static void test_long_lines(void **state)
{
	static char text[CONF_TEXT_MAX];
	struct text t = text_init(text, sizeof(text));

	(void)state;
	text_add(&t, "#%0*d\n%s ;%0*d\non-change   =   /%0186d", 5000, 0, with("", ""), 5000, 0, 0);
	parse_good(text);
	assert_int_equal(strlen(parsed.groups[0].hook[CONF_HOOK_CHANGE][0]), 187);
	t = text_init(text, sizeof(text));
	text_add(&t, "%son-change=/%0187d\nworth = 101\n[group %0300d]\nworth = 102\n%0100000d\n",
		with("", ""), 0, 0, 0);
	parse_bad(text, "7: key and value have 197 bytes, at most 196 are possible\n"
			"9: the line has 308 bytes, at most 197 are possible\n"
			"11: \"00000000000000000000000000000000000000000000...\" is not"
			" \"key = value\", begin comments with #\n");
}

static void test_zero_bytes(void **state)
{
	static const char text[] = "[node]\ninterface = eth0\nport = 1\0002\n[group web]\n"
				   "address = 10.0.0.1\n\0[group mail]\nworth = 1\n";
	static const char zeros[1000];

	(void)state;
	assert_false(conf_parse(text, sizeof(text) - 1, "alpha", &parsed, &found));
	assert_string_equal(render(),
		"3: there is a control character (byte 0x00), write plain text\n"
		"6: there is a control character (byte 0x00), write plain text\n");
	assert_false(conf_parse(zeros, sizeof(zeros), "alpha", &parsed, &found));
	assert_int_equal(found.count, 3);
	assert_false(conf_parse(NULL, 0, "alpha", &parsed, &found));
	assert_int_equal(found.count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_and_names),
		cmocka_unit_test(test_forms_of_text),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_zero_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
