/* SPDX-License-Identifier: ISC */
/* What needs neither privileges nor a network: misuse is refused, and mistakes are told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <ha/ha.h>

static int setup(void **state)
{
	*state = ha_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	ha_free(*state);
	return 0;
}

static void test_new_node_is_closed(void **state)
{
	ha_node *n = *state;

	assert_string_equal(ha_error(n), "");
	assert_int_equal(ha_fd(n), -1);
	assert_int_equal(ha_group_state(n, NULL), HA_SHUTDOWN);
	assert_null(ha_group_name(n, 0));
}

static void test_closed_node_refuses(void **state)
{
	ha_node *n = *state;
	char *json;

	assert_int_equal(ha_dispatch(n), -EINVAL);
	assert_int_equal(ha_run(n), -EINVAL);
	assert_int_equal(ha_stop(n), -EINVAL);
	assert_int_equal(ha_set_worth(n, NULL, 1), -EINVAL);
	assert_int_equal(ha_set_worth(n, NULL, 65536), -EINVAL);
	assert_int_equal(ha_set_health(n, NULL, 1, NULL), -EINVAL);
	assert_int_equal(ha_snapshot(n, &json), -EINVAL);
	assert_string_equal(ha_error(n), "the node is not open");
}

static void test_no_node_is_no_crash(void **state)
{
	(void)state;
	ha_free(NULL);
	assert_int_equal(ha_open(NULL, NULL), -EINVAL);
	assert_int_equal(ha_dispatch(NULL), -EINVAL);
	assert_int_equal(ha_set_worth(NULL, NULL, 1), -EINVAL);
	assert_int_equal(ha_fd(NULL), -1);
	assert_true(strlen(ha_error(NULL)) > 0);
}

static void test_options_need_their_size(void **state)
{
	struct ha_options o = HA_OPTIONS_INIT;

	o.size = 0;
	assert_int_equal(ha_open(*state, &o), -EINVAL);
	assert_non_null(strstr(ha_error(*state), "HA_OPTIONS_INIT"));
}

static void expect_refusal(ha_node *n, const struct ha_options *o, const char *sentence)
{
	assert_int_equal(ha_open(n, o), -EINVAL);
	assert_non_null(strstr(ha_error(n), sentence));
}

static void test_missing_options_are_named(void **state)
{
	struct ha_options o = HA_OPTIONS_INIT;

	expect_refusal(*state, &o, "interface is missing");
	o.interface = "eth0";
	expect_refusal(*state, &o, "address is missing");
	o.address = "192.0.2.1/24";
	o.text = "[node]";
	expect_refusal(*state, &o, "not both");
}

static void test_all_mistakes_are_told(void **state)
{
	struct ha_options o = HA_OPTIONS_INIT;

	o.interface = "eth0";
	o.address = "192.0.2.1/99, nonsense";
	o.interval_ms = 1;
	assert_int_equal(ha_open(*state, &o), -EINVAL);
	assert_non_null(strstr(ha_error(*state), "\"99\""));
	assert_non_null(strstr(ha_error(*state), "nonsense"));
	assert_non_null(strstr(ha_error(*state), "interval"));
}

static void test_value_cannot_smuggle_a_line(void **state)
{
	struct ha_options o = HA_OPTIONS_INIT;

	o.interface = "eth0\nuser = root";
	o.address = "192.0.2.1/24";
	expect_refusal(*state, &o, "one line");
}

static void test_missing_file_and_keeper(void **state)
{
	struct ha_options o = HA_OPTIONS_INIT;

	o.file = "/does/not/exist.conf";
	assert_int_equal(ha_open(*state, &o), -ENOENT);
	assert_non_null(strstr(ha_error(*state), "/does/not/exist.conf"));
	o = (struct ha_options)HA_OPTIONS_INIT;
	o.interface = "eth0";
	o.address = "192.0.2.1/24";
	o.keeper = "/does/not/exist";
	assert_int_equal(ha_open(*state, &o), -ENOENT);
	assert_non_null(strstr(ha_error(*state), "/does/not/exist"));
	assert_int_equal(ha_fd(*state), -1);
}

/* A keeper that says why it gives up and ends: its sentence is the error. */
static void test_keeper_that_ends(void **state)
{
	struct ha_options o = HA_OPTIONS_INIT;

	o.interface = "eth0";
	o.address = "192.0.2.1/24";
	o.keeper = "/bin/false";
	assert_int_equal(ha_open(*state, &o), -EIO);
	assert_non_null(strstr(ha_error(*state), "the keeper cannot start"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new_node_is_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed_node_refuses, setup, teardown),
		cmocka_unit_test(test_no_node_is_no_crash),
		cmocka_unit_test_setup_teardown(test_options_need_their_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_options_are_named, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_mistakes_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_value_cannot_smuggle_a_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_file_and_keeper, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keeper_that_ends, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
