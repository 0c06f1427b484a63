/* SPDX-License-Identifier: ISC */
#include "cli/exporter/prometheus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *formatted(const char *text)
{
	json_t *status = json_loads(text, 0, NULL);
	size_t size = 0;
	char *metrics;

	assert_non_null(status);
	metrics = prometheus_format(status, &size);
	assert_non_null(metrics);
	assert_int_equal(size, strlen(metrics));
	json_decref(status);
	return metrics;
}

static void test_no_daemon(void **state)
{
	size_t size = 0;
	char *metrics = prometheus_format(NULL, &size);

	(void)state;
	assert_string_equal(metrics, "# HELP ha_up 1 if the daemon answers.\n"
				     "# TYPE ha_up gauge\nha_up 0\n");
	free(metrics);
}

static void test_groups_and_peers(void **state)
{
	char *metrics = formatted(
		"{\"node\": {\"name\": \"alpha\", \"interval_ms\": 100, \"tolerance_ms\": 350,"
		"\"authenticated\": true, \"paths\": [{\"interface\": \"eth0\", \"up\": true},"
		"{\"interface\": \"eth1\", \"up\": false}]},"
		"\"groups\": [{\"name\": \"web\", \"state\": \"ACTIVE\", \"holder\": \"alpha\", "
		"\"epoch\": 7,"
		"\"since\": \"2026-11-23T05:09:21.123Z\", \"eligible\": true, \"addresses\":"
		"[{\"address\": \"10.0.0.1\", \"device\": \"eth0\", \"targets\": 3, "
		"\"acknowledged\": 2}],\"checks\": [{\"name\": \"tcp 80\", \"kind\": \"tcp\", "
		"\"state\": \"failing\"}]}],"
		"\"peers\": [{\"name\": \"be\\\"ta\", \"live\": true, \"last_heard_ms\": 40,"
		"\"paths\": [{\"interface\": \"eth0\", \"last_heard_ms\": 40},"
		"{\"interface\": \"eth1\", \"last_heard_ms\": 2500},"
		"{\"interface\": \"eth2\", \"last_heard_ms\": null}]},"
		"{\"name\": \"gamma\", \"live\": false, \"last_heard_ms\": null}],"
		"\"warnings\": [\"a\"], \"views\": {\"differences\": []}}");

	(void)state;
	assert_non_null(strstr(metrics, "\nha_up 1\n"));
	assert_non_null(strstr(metrics, "\nha_node_interval_seconds 0.1\n"));
	assert_non_null(strstr(metrics, "\nha_group_state{group=\"web\",state=\"ACTIVE\"} 1\n"));
	assert_non_null(strstr(metrics, "\nha_group_state{group=\"web\",state=\"STANDBY\"} 0\n"));
	assert_non_null(
		strstr(metrics, "\nha_group_holder_info{group=\"web\",holder=\"alpha\"} 1\n"));
	assert_non_null(strstr(metrics, "\nha_group_epoch{group=\"web\"} 7\n"));
	assert_non_null(strstr(metrics,
		"\nha_group_state_changed_timestamp_seconds{group=\"web\"} 1795410561.123\n"));
	assert_non_null(strstr(metrics, "\nha_address_neighbours_acknowledged{group=\"web\","
					"address=\"10.0.0.1\",device=\"eth0\"} 2\n"));
	assert_non_null(strstr(metrics, "\nha_peer_last_heard_seconds{peer=\"be\\\"ta\"} 0.04\n"));
	assert_non_null(strstr(metrics, "\nha_peer_live{peer=\"gamma\"} 0\n"));
	assert_null(strstr(metrics, "seconds{peer=\"gamma\"}")); /* never heard: of no age */
	assert_non_null(strstr(metrics, "\nha_path_up{interface=\"eth0\"} 1\n"));
	assert_non_null(strstr(metrics, "\nha_path_up{interface=\"eth1\"} 0\n"));
	assert_non_null(strstr(metrics, "\nha_peer_path_last_heard_seconds{peer=\"be\\\"ta\","
					"interface=\"eth1\"} 2.5\n"));
	assert_null(strstr(metrics, "interface=\"eth2\"")); /* it has never been heard by that */
	assert_non_null(strstr(metrics, "\nha_node_warnings 1\n"));
	assert_non_null(strstr(
		metrics, "\nha_check_passing{group=\"web\",check=\"tcp 80\",kind=\"tcp\"} 0\n"));
	free(metrics);
}

static void test_histograms_are_cumulative(void **state)
{
	char *metrics = formatted("{\"metrics\": {\"bounds_us\": [10, 20], \"timings\": "
				  "{\"release\": {\"sum_us\": 1500000,"
				  "\"buckets\": [1, 2, 3]}}, \"peers\": [{\"name\": \"b\", "
				  "\"jitter\": {\"sum_us\": 0,"
				  "\"buckets\": [4, 0, 0]}}], \"counters\": {\"claims\": 5}, "
				  "\"transitions\": {\"vacant\": 1}},"
				  "\"counters\": {\"dropped\": {\"forged\": 9}}}");

	(void)state;
	assert_non_null(
		strstr(metrics, "# TYPE ha_release_seconds histogram\n"
				"ha_release_seconds_bucket{le=\"1e-05\"} 1\n"
				"ha_release_seconds_bucket{le=\"2e-05\"} 3\n"
				"ha_release_seconds_bucket{le=\"+Inf\"} 6\n"
				"ha_release_seconds_sum 1.5\nha_release_seconds_count 6\n"));
	assert_non_null(strstr(metrics,
		"ha_peer_heartbeat_jitter_seconds_bucket{peer=\"b\",le=\"+Inf\"} 4\n"
		"ha_peer_heartbeat_jitter_seconds_sum{peer=\"b\"} 0\n"
		"ha_peer_heartbeat_jitter_seconds_count{peer=\"b\"} 4\n"));
	assert_non_null(strstr(metrics, "\nha_claims_total 5\n"));
	assert_non_null(strstr(metrics, "\nha_datagrams_refused_total{reason=\"forged\"} 9\n"));
	assert_non_null(strstr(metrics, "\nha_transitions_total{cause=\"vacant\"} 1\n"));
	free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_daemon),
		cmocka_unit_test(test_groups_and_peers),
		cmocka_unit_test(test_histograms_are_cumulative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
