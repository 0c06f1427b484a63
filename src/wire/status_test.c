/* SPDX-License-Identifier: ISC */
/* Tests of the JSON form of the status: its keys are an interface, and both directions agree. */
#include "wire/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static struct status_address address(const char *ip, uint8_t length, uint8_t acknowledged)
{
	struct status_address a = {
		.prefix_length = length, .targets = 3, .acknowledged = acknowledged};

	assert_true(ip_parse(ip, &a.ip));
	(void)text_copy(a.device, sizeof(a.device), "eth0");
	return a;
}

static struct status_group group(
	const char *name, enum node_state state, uint16_t first, uint16_t count)
{
	struct status_group g = {.state = state,
		.worth = 150,
		.configured_worth = 200,
		.impaired = true,
		.eligible = true,
		.epoch = 7,
		.since_ms = 1795410561123,
		.address_first = first,
		.address_count = count,
		.transitions = 2};

	(void)text_copy(g.name, sizeof(g.name), name);
	(void)text_copy(g.reason, sizeof(g.reason), "no worthier node is live");
	(void)text_copy(g.next, sizeof(g.next), "takes it");
	(void)text_copy(g.policy, sizeof(g.policy), "worthiest");
	return g;
}

static struct status_peer peer(void)
{
	struct status_peer p = {.id = UINT64_C(0xfedcba9876543210),
		.live = true,
		.hears_me = false,
		.proven = true,
		.last_heard_ms = 12,
		.interval_ms = 100,
		.tolerance_ms = 350,
		.received = 99,
		.path_heard_ms = {12, -1, -1, -1}};

	assert_true(ip_parse("10.0.0.3", &p.address));
	(void)text_copy(p.name, sizeof(p.name), "beta");
	return p;
}

static void sample(struct status *s)
{
	static struct status_group groups[2];
	static struct status_address addresses[3];

	*s = (struct status){.id = 0x1f,
		.groups = groups,
		.addresses = addresses,
		.interval_ms = 100,
		.tolerance_ms = 350.5,
		.sent = 5,
		.received = 6,
		.warning_count = 1,
		.group_count = 2,
		.address_count = 3,
		.path_count = 2,
		.paths = {{.interface = "eth0", .up = true, .state = "is up"},
			{.interface = "eth1", .state = "is down"}},
		.peer_count = 1};
	assert_true(ip_parse("10.0.0.2", &s->paths[0].address));
	assert_true(ip_parse("10.0.0.2", &s->address));
	(void)text_copy(s->version, sizeof(s->version), "0.1.0");
	(void)text_copy(s->name, sizeof(s->name), "alpha");
	(void)text_copy(s->scheduling, sizeof(s->scheduling), "real-time");
	(void)text_copy(s->fence, sizeof(s->fence), "watchdog");
	(void)text_copy(s->warnings[0], sizeof(s->warnings[0]), "no key-file: anybody may forge");
	s->dropped[HEARTBEAT_DROP_FORGED] = 3;
	s->groups[0] = group("web", STATE_ACTIVE, 0, 2);
	(void)text_copy(s->groups[0].holder, sizeof(s->groups[0].holder), "alpha");
	s->groups[1] = group("mail", STATE_STANDBY, 2, 1);
	s->addresses[0] = address("10.0.0.100", 24, 2);
	s->addresses[1] = address("fd00::100", 64, 3);
	s->addresses[2] = address("10.0.0.101", 32, 0);
	s->peers[0] = peer();
}

static json_t *sample_json(void)
{
	static struct status s;
	json_t *json;

	sample(&s);
	json = status_to_json(&s);
	assert_non_null(json);
	return json;
}

static const json_t *member(const json_t *json, const char *part, size_t index)
{
	return json_array_get(json_object_get(json, part), index);
}

static void status_has_the_documented_keys(void **state)
{
	json_t *json = sample_json();
	char *node = json_dumps(json_object_get(json, "node"), JSON_COMPACT);
	char *second_group = json_dumps(member(json, "groups", 1), JSON_COMPACT);
	char *first_peer = json_dumps(member(json, "peers", 0), JSON_COMPACT);

	(void)state;
	assert_string_equal(node,
		"{\"name\":\"alpha\",\"id\":\"000000000000001f\",\"address\":\"10.0.0.2\","
		"\"interval_ms\":100,\"tolerance_ms\":350.5,\"authenticated\":false,"
		"\"fence\":\"watchdog\",\"scheduling\":\"real-time\",\"version\":\"0.1.0\","
		"\"paths\":[{\"interface\":\"eth0\",\"address\":\"10.0.0.2\","
		"\"up\":true,\"state\":\"is up\"},"
		"{\"interface\":\"eth1\",\"address\":null,\"up\":false,\"state\":\"is down\"}]}");
	assert_string_equal(second_group,
		"{\"name\":\"mail\",\"state\":\"STANDBY\",\"reason\":\"no worthier node is live\","
		"\"next\":\"takes it\","
		"\"worth\":150,\"configured_worth\":200,\"impaired\":true,"
		"\"eligible\":true,\"policy\":\"worthiest\",\"epoch\":7,"
		"\"holder\":null,\"since\":\"2026-11-23T05:09:21.123Z\",\"transitions\":2,"
		"\"addresses\":[{\"address\":\"10.0.0.101\",\"prefix_length\":32,"
		"\"device\":\"eth0\",\"targets\":3,\"acknowledged\":0}],\"checks\":[]}");
	assert_string_equal(first_peer,
		"{\"name\":\"beta\",\"id\":\"fedcba9876543210\",\"address\":\"10.0.0.3\","
		"\"live\":true,\"hears_me\":false,\"proven\":true,\"last_heard_ms\":12,"
		"\"interval_ms\":100,\"tolerance_ms\":350,\"received\":99,"
		"\"paths\":[{\"interface\":\"eth0\",\"last_heard_ms\":12},"
		"{\"interface\":\"eth1\",\"last_heard_ms\":null}]}");
	free(node);
	free(second_group);
	free(first_peer);
	json_decref(json);
}

static void every_refused_datagram_is_counted_by_reason(void **state)
{
	json_t *json = sample_json();
	const json_t *counters = json_object_get(json, "counters");
	const json_t *dropped = json_object_get(counters, "dropped");

	(void)state;
	assert_int_equal(json_object_size(dropped), HEARTBEAT_DROP_REASONS - 1);
	assert_int_equal(json_integer_value(json_object_get(
				 dropped, heartbeat_drop_name(HEARTBEAT_DROP_FORGED))),
		3);
	assert_int_equal(json_integer_value(json_object_get(counters, "sent")), 5);
	json_decref(json);
}

static void status_survives_the_wire(void **state)
{
	static struct status before, after;
	json_t *json = sample_json(), *again;
	const char *reason = NULL;

	(void)state;
	sample(&before);
	assert_true(status_from_json(json, &after, &reason));
	assert_string_equal(after.name, "alpha");
	assert_int_equal(after.id, before.id);
	assert_true(after.tolerance_ms > 350.4 && after.tolerance_ms < 350.6);
	assert_int_equal(after.address_count, 3);
	assert_true(ip_equal(&after.addresses[1].ip, &before.addresses[1].ip));
	assert_int_equal(after.groups[1].address_first, 2);
	assert_string_equal(after.groups[1].holder, "");
	assert_int_equal(after.groups[0].since_ms, before.groups[0].since_ms);
	assert_int_equal(after.peers[0].id, before.peers[0].id);
	assert_string_equal(after.warnings[0], before.warnings[0]);
	assert_int_equal(after.dropped[HEARTBEAT_DROP_FORGED], 3);
	again = status_to_json(&after);
	assert_true(json_equal(json, again));
	json_decref(again);
	json_decref(json);
	status_done(&after);
}

static void a_peer_never_heard_has_no_age(void **state)
{
	static struct status s, after;
	json_t *json;
	const char *reason;

	(void)state;
	sample(&s);
	s.peers[0].last_heard_ms = -1;
	json = status_to_json(&s);
	assert_true(json_is_null(json_object_get(member(json, "peers", 0), "last_heard_ms")));
	assert_true(status_from_json(json, &after, &reason));
	assert_int_equal(after.peers[0].last_heard_ms, -1);
	json_decref(json);
	status_done(&after);
}

static void a_name_that_is_not_text_does_not_cost_the_status(void **state)
{
	static struct status s;
	json_t *json;

	(void)state;
	sample(&s);
	(void)text_copy(s.peers[0].name, sizeof(s.peers[0].name), "\xff\xfe");
	json = status_to_json(&s);
	assert_non_null(json);
	assert_string_equal(
		json_string_value(json_object_get(member(json, "peers", 0), "name")), "??");
	json_decref(json);
}

/* Replaces one member and expects the status to be refused with @reason_part. */
static void refused_with(const char *part, const char *key, json_t *value, const char *reason_part)
{
	static struct status s;
	json_t *json = sample_json();
	json_t *object = json_object_get(json, part);
	const char *reason = NULL;

	if (json_is_array(object))
		object = json_array_get(object, 0);
	assert_int_equal(json_object_set_new(object, key, value), 0);
	assert_false(status_from_json(json, &s, &reason));
	assert_non_null(strstr(reason, reason_part));
	json_decref(json);
}

static void what_is_no_status_is_refused_with_a_reason(void **state)
{
	(void)state;
	refused_with("node", "name", json_integer(1), "node");
	refused_with("node", "id", json_string("12"), "node");
	refused_with("node", "address", json_string("10.0.0.256"), "node");
	refused_with("node", "interval_ms", json_real(1e100), "node");
	refused_with("groups", "state", json_string("MASTER"), "groups");
	refused_with("groups", "worth", json_integer(65536), "groups");
	refused_with("groups", "since", json_string("now"), "groups");
	refused_with("groups", "addresses", json_object(), "groups");
	refused_with("peers", "live", json_string("yes"), "peers");
	refused_with("counters", "sent", json_integer(-1), "counters");
}

static void more_groups_than_fit_are_refused(void **state)
{
	static struct status s;
	json_t *json = sample_json();
	json_t *groups = json_object_get(json, "groups");
	const char *reason = NULL;

	(void)state;
	while (json_array_size(groups) <= GROUPS_MAX)
		json_array_append(groups, json_array_get(groups, 1));
	assert_false(status_from_json(json, &s, &reason));
	assert_non_null(strstr(reason, "groups"));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_has_the_documented_keys),
		cmocka_unit_test(every_refused_datagram_is_counted_by_reason),
		cmocka_unit_test(status_survives_the_wire),
		cmocka_unit_test(a_peer_never_heard_has_no_age),
		cmocka_unit_test(a_name_that_is_not_text_does_not_cost_the_status),
		cmocka_unit_test(what_is_no_status_is_refused_with_a_reason),
		cmocka_unit_test(more_groups_than_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
