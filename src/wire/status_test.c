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
	g.warm = strcmp(name, "mail") == 0;
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
	static struct status_check checks[1] = {{.name = "disk",
		.kind = "file",
		.state = "passing",
		.reason = "there",
		.lowers = 20,
		.answered_ms = 15,
		.hold_ms = 30}};

	*s = (struct status){.id = 0x1f,
		.groups = groups,
		.addresses = addresses,
		.checks = checks,
		.check_count = 1,
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
	s->groups[0].check_count = 1;
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

static json_t *member(const json_t *json, const char *part, size_t index)
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
		"\"eligible\":true,\"policy\":\"worthiest\",\"standby\":\"warm\",\"epoch\":7,"
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
	assert_int_equal(after.checks[0].lowers, 20);
	assert_int_equal(after.checks[0].answered_ms, 15);
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

static bool is_optional(const char *key)
{
	static const char *const KEYS[] = {"scheduling", "next", "configured_worth", "impaired",
		"standby", "dropped", "checks", "paths"};

	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
		if (strcmp(KEYS[i], key) == 0)
			return true;
	return false;
}

/* Whether a status whose member @key of @object is @value is taken. Gives the member back. */
static bool is_taken_with(json_t *json, json_t *object, const char *key, json_t *value)
{
	static struct status s;
	json_t *kept = json_incref(json_object_get(object, key));
	const char *reason = NULL;
	bool taken;

	assert_int_equal(json_object_set_new(object, key, value), 0);
	taken = status_from_json(json, &s, &reason);
	assert_true(taken || reason);
	if (taken)
		status_done(&s);
	assert_int_equal(json_object_set_new(object, key, kept), 0);
	return taken;
}

static bool is_taken_without(json_t *json, json_t *object, const char *key)
{
	static struct status s;
	json_t *kept = json_incref(json_object_get(object, key));
	const char *reason = NULL;
	bool taken;

	assert_int_equal(json_object_del(object, key), 0);
	taken = status_from_json(json, &s, &reason);
	assert_true(taken || reason);
	if (taken)
		status_done(&s);
	assert_int_equal(json_object_set_new(object, key, kept), 0);
	return taken;
}

static void spoil_each_member(json_t *json, json_t *object)
{
	char keys[32][NAME_SIZE];
	size_t count = 0;
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		(void)text_copy(keys[count++], NAME_SIZE, key);
	}
	assert_true(count >= 4);
	for (size_t i = 0; i < count; i++) {
		bool optional = is_optional(keys[i]);

		if (is_taken_with(json, object, keys[i], json_object()) != optional ||
			is_taken_without(json, object, keys[i]) != optional)
			fail_msg("\"%s\" should be %s", keys[i], optional ? "optional" : "needed");
	}
}

static void what_has_another_type_is_refused(void **state)
{
	json_t *json = sample_json();
	json_t *group = json_array_get(json_object_get(json, "groups"), 0);

	(void)state;
	spoil_each_member(json, json);
	spoil_each_member(json, json_object_get(json, "node"));
	spoil_each_member(json, group);
	spoil_each_member(json, json_array_get(json_object_get(group, "addresses"), 0));
	spoil_each_member(json, json_array_get(json_object_get(group, "checks"), 0));
	spoil_each_member(json, json_array_get(json_object_get(json, "peers"), 0));
	spoil_each_member(json, member(json_object_get(json, "node"), "paths", 0));
	json_decref(json);
}

static void what_has_no_possible_value_is_refused(void **state)
{
	json_t *json = sample_json();
	json_t *node = json_object_get(json, "node"), *counters = json_object_get(json, "counters");
	json_t *group = json_array_get(json_object_get(json, "groups"), 0);
	json_t *many = json_array();
	json_t *path = member(member(json, "peers", 0), "paths", 0);

	(void)state;
	assert_false(is_taken_with(json, path, "last_heard_ms", json_integer(-1)));
	assert_true(is_taken_with(json, node, "address", json_null()));
	assert_false(is_taken_with(json, node, "id", json_string("000000000000000G")));
	assert_false(is_taken_with(json, node, "id", json_string("000000000000000g")));
	assert_false(is_taken_with(json, node, "id", json_string("000000000000000 ")));
	assert_false(is_taken_with(json, node, "interval_ms", json_integer(-1)));
	assert_false(is_taken_with(json, counters, "received", json_integer(-1)));
	assert_true(is_taken_with(json, counters, "dropped", json_null()));
	assert_false(is_taken_with(json, json, "warnings", json_pack("[i]", 1)));
	for (size_t i = 0; i <= PEERS_MAX; i++)
		json_array_append(many, json_array_get(json_object_get(json, "peers"), 0));
	assert_false(is_taken_with(json, json, "peers", json_incref(many)));
	json_array_clear(many);
	for (size_t i = 0; i <= PATHS_MAX; i++)
		json_array_append(many, member(node, "paths", 0));
	assert_false(is_taken_with(json, node, "paths", json_incref(many)));
	json_array_clear(many);
	for (size_t i = 0; i <= STATUS_WARNINGS_MAX; i++)
		json_array_append_new(many, json_string("no"));
	assert_false(is_taken_with(json, json, "warnings", json_incref(many)));
	json_array_clear(many);
	for (size_t i = 0; i <= CHECKS_MAX; i++)
		json_array_append(many, json_array_get(json_object_get(group, "checks"), 0));
	assert_false(is_taken_with(json, group, "checks", json_incref(many)));
	json_array_clear(many);
	for (size_t i = 0; i <= ADDRESSES_MAX; i++)
		json_array_append_new(many, json_null());
	assert_false(is_taken_with(json, group, "addresses", json_incref(many)));
	json_decref(many);
	json_decref(json);
}

static void a_check_that_never_answered_has_no_age(void **state)
{
	static struct status s, after;
	json_t *json;
	const char *reason;

	(void)state;
	sample(&s);
	s.checks[0].answered_ms = -1;
	json = status_to_json(&s);
	assert_true(status_from_json(json, &after, &reason));
	assert_int_equal(after.checks[0].answered_ms, -1);
	json_decref(json);
	status_done(&after);
	s.checks[0].answered_ms = 15;
}

static void a_node_may_have_no_address(void **state)
{
	static struct status s;
	json_t *json, *head, *group;

	(void)state;
	sample(&s);
	s.address = (struct ip){0};
	json = status_to_json(&s);
	assert_true(json_is_null(json_object_get(json_object_get(json, "node"), "address")));
	/* Its parts are told one by one where it is large. */
	head = status_head_to_json(&s);
	group = status_group_to_json(&s, 0);
	assert_true(json_equal(json_object_get(head, "node"), json_object_get(json, "node")));
	assert_true(json_equal(group, json_array_get(json_object_get(json, "groups"), 0)));
	json_decref(group);
	json_decref(head);
	json_decref(json);
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
		cmocka_unit_test(what_has_another_type_is_refused),
		cmocka_unit_test(what_has_no_possible_value_is_refused),
		cmocka_unit_test(a_check_that_never_answered_has_no_age),
		cmocka_unit_test(a_node_may_have_no_address),
		cmocka_unit_test(more_groups_than_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
