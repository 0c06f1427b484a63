/* SPDX-License-Identifier: ISC */
/* Tests of the control socket's requests: what is understood, and what the others are told. */
#include "wire/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void request_survives_the_wire(void **state)
{
	const enum control_command commands[] = {CONTROL_STATUS, CONTROL_WATCH};
	const char *reason;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct control_request sent = {.command = commands[i]};
		struct control_request got = {.command = commands[1 - i]};
		char line[CONTROL_REQUEST_MAX];
		size_t size = control_encode(&sent, line, sizeof(line));

		assert_int_equal(size, strlen(line));
		assert_int_equal(line[size - 1], '\n');
		assert_true(control_decode(line, size - 1, &got, &reason));
		assert_int_equal(got.command, sent.command);
	}
}

static void attaching_names_a_group(void **state)
{
	const struct control_request sent = {.command = CONTROL_ATTACH, .group = "web-1"};
	struct control_request got;
	char line[CONTROL_REQUEST_MAX];
	const char *reason;

	(void)state;
	assert_true(
		control_decode(line, control_encode(&sent, line, sizeof(line)) - 1, &got, &reason));
	assert_int_equal(got.command, CONTROL_ATTACH);
	assert_string_equal(got.group, "web-1");
}

static void requests_carry_all_that_was_given(void **state)
{
	const struct control_request requests[] = {
		{.command = CONTROL_YIELD, .group = "web-1", .to = "beta.example"},
		{.command = CONTROL_YIELD, .group = "web"},
		{.command = CONTROL_DRAIN, .force = true},
		{.command = CONTROL_DRAIN},
		{.command = CONTROL_RESUME, .group = "web"},
		{.command = CONTROL_RESUME},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct control_request got;
		char line[CONTROL_REQUEST_MAX];
		size_t size = control_encode(&requests[i], line, sizeof(line));
		const char *reason;

		memset(&got, 0xff, sizeof(got));
		assert_true(control_decode(line, size - 1, &got, &reason));
		assert_int_equal(got.command, requests[i].command);
		assert_string_equal(got.group, requests[i].group);
		assert_string_equal(got.to, requests[i].to);
		assert_int_equal(got.force, requests[i].force);
	}
}

static void outcomes_have_names(void **state)
{
	(void)state;
	for (enum control_outcome o = 0; o < CONTROL_OUTCOMES; o++) {
		enum control_outcome again = CONTROL_OUTCOMES;

		assert_true(control_outcome_by_name(control_outcome_name(o), &again));
		assert_int_equal(again, o);
	}
	assert_false(control_outcome_by_name("perhaps", &(enum control_outcome){0}));
}

static void refused(const char *line, const char *part_of_reason)
{
	struct control_request request;
	const char *reason = NULL;

	assert_false(control_decode(line, strlen(line), &request, &reason));
	assert_non_null(strstr(reason, part_of_reason));
}

static void other_things_are_refused_with_a_reason(void **state)
{
	(void)state;
	refused("", "not JSON");
	refused("status", "not JSON");
	refused("{\"command\": \"status\"} x", "not JSON");
	refused("{\"command\": \"status\", \"command\": \"watch\"}", "not JSON");
	refused("[\"command\"]", "\"command\"");
	refused("{}", "\"command\"");
	refused("{\"command\": 1}", "\"command\"");
	refused("{\"command\": \"yield everything\"}", "unknown command");
	refused("{\"command\": \"yield\"}", "needs a \"group\"");
	refused("{\"command\": \"yield\", \"group\": \"web\", \"to\": \"a b\"}", "names");
	refused("{\"command\": \"resume\", \"group\": 7}", "names");
	refused("{\"command\": \"attach\"}", "needs a \"group\"");
	refused("{\"command\": \"attach\", \"group\": \"\"}", "needs a \"group\"");
	refused("{\"command\": \"attach\", \"group\": \"a b\"}", "needs a \"group\"");
}

static void overlong_requests_are_refused_unread(void **state)
{
	static char line[CONTROL_REQUEST_MAX + 1];
	struct control_request request;
	const char *reason = NULL;

	(void)state;
	memset(line, '[', sizeof(line));
	assert_false(control_decode(line, sizeof(line), &request, &reason));
	assert_non_null(strstr(reason, "too long"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_survives_the_wire),
		cmocka_unit_test(attaching_names_a_group),
		cmocka_unit_test(requests_carry_all_that_was_given),
		cmocka_unit_test(outcomes_have_names),
		cmocka_unit_test(other_things_are_refused_with_a_reason),
		cmocka_unit_test(overlong_requests_are_refused_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
