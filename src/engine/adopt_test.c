/* SPDX-License-Identifier: ISC */
/* What an engine makes of a record that it finds: all of it, or nothing (R8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "engine/engine.h"
#include "wire/record.h"

#define OWN_ID 1
#define NOW_NS (3600 * NS_PER_S)

static const char TEXT[] = "[node]\nname = alpha\ninterface = eth0\n"
			   "[group web]\naddress = 192.0.2.1/24 dev eth1\nworth = 200\n";

static struct conf conf;
static const struct heartbeat_key no_key;
static struct engine *engine;
static uint8_t bytes[8192], again[8192];

/* What the tests spoil. */
static struct record_node node;
static struct record_device devices[2];
static struct record_group groups[2];
static struct record_peer peers[2];
static struct record_entry entries[2]; /* of the first peer */

static void name_it(char *name, size_t size, const char *text)
{
	text_copy(name, size, text);
}

static int set_up(void **state)
{
	static struct conf_diagnostics wrong;

	(void)state;
	if (!engine) {
		assert_true(conf_parse(TEXT, strlen(TEXT), "alpha", &conf, &wrong));
		engine = malloc(engine_size(&conf));
		assert_non_null(engine);
	}
	(void)engine_init(
		engine, &conf, (struct engine_identity){.id = OWN_ID, .nonce = 3}, &no_key);
	node = (struct record_node){.id = OWN_ID,
		.nonce = 2,
		.saved = {NOW_NS - NS_PER_S},
		.lease = {NOW_NS + NS_PER_S},
		.device_count = 2,
		.peer_count = 2,
		.group_count = 2};
	for (size_t i = 0; i < 2; i++) {
		devices[i] = (struct record_device){.managed = true};
		groups[i] = (struct record_group){
			.phase = ELECTION_STANDBY, .since = {1}, .epoch = 5, .epoch_seen = 5};
		peers[i] = (struct record_peer){.peer = {.id = 10 + i,
							.nonce = 7,
							.heard = {NOW_NS - NS_PER_S},
							.interval_ns = 100 * NS_PER_MS,
							.tolerance_ns = 350 * NS_PER_MS}};
		entries[i] = (struct record_entry){.group = (uint16_t)i,
			.state = STATE_ACTIVE,
			.granted_us = i == 0,
			.worth = 9,
			.epoch = 5};
		assert_true(ip_parse("10.0.0.2", &peers[i].address));
	}
	peers[0].entry_count = 2;
	name_it(devices[0].name, sizeof(devices[0].name), "eth0");
	name_it(devices[1].name, sizeof(devices[1].name), "eth1");
	name_it(groups[0].name, sizeof(groups[0].name), "web");
	name_it(groups[1].name, sizeof(groups[1].name), "gone");
	name_it(peers[0].name, sizeof(peers[0].name), "beta");
	name_it(peers[1].name, sizeof(peers[1].name), "gamma");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(engine);
	engine = NULL;
	conf_free(&conf);
	return 0;
}

static size_t write(void)
{
	struct writer w;

	record_begin(&w, bytes, sizeof(bytes), &node);
	for (size_t i = 0; i < node.device_count; i++)
		record_put_device(&w, &devices[i]);
	for (size_t i = 0; i < node.group_count && i < 2; i++)
		record_put_group(&w, &groups[i]);
	for (size_t i = 0; i < node.peer_count; i++) {
		record_put_peer(&w, &peers[i]);
		for (size_t n = 0; i == 0 && n < 2; n++)
			record_put_entry(&w, &entries[n]);
	}
	return record_finish(&w);
}

/* A refused record leaves nothing: the engine begins as if there had been none. */
static bool is_adopted(void)
{
	size_t size = write();
	bool adopted;

	assert_true(size > 0);
	adopted = engine_adopt(engine, (ha_time){NOW_NS}, bytes, size);
	if (!adopted) {
		size = engine_save(engine, again, sizeof(again));
		assert_true(size > 0 && size < sizeof(again));
	}
	return adopted;
}

static struct record_node saved(
	struct record_device *ret_device, struct record_group *ret_group, struct reader *ret_reader)
{
	size_t size = engine_save(engine, again, sizeof(again));
	struct record_node is;

	assert_true(record_open(again, size, ret_reader, &is));
	for (size_t i = 0; i < is.device_count; i++)
		assert_true(record_take_device(ret_reader, &ret_device[i]));
	assert_int_equal(is.group_count, 1);
	assert_true(record_take_group(ret_reader, ret_group));
	return is;
}

static void test_what_is_known_here_is_adopted(void **state)
{
	struct record_device device[2];
	struct record_entry entry;
	struct record_group group;
	struct record_peer peer;
	struct record_node is;
	struct reader r;

	(void)state;
	assert_true(is_adopted());
	is = saved(device, &group, &r);
	assert_int_equal(is.nonce, 2);
	assert_int_equal(is.peer_count, 2);
	assert_string_equal(group.name, "web");
	assert_int_equal(group.epoch, 5);
	/* Whoever carries heartbeats is nobody's to take down. */
	assert_string_equal(device[0].name, "eth0");
	assert_true(!device[0].managed && device[1].managed);
	assert_true(record_take_peer(&r, &peer));
	assert_int_equal(peer.entry_count, 1); /* nothing of a group that is not there any more */
	assert_true(record_take_entry(&r, &is, &entry));
	assert_true(entry.granted_us && entry.group == 0 && entry.epoch == 5);
}

static void test_a_device_that_is_not_managed(void **state)
{
	struct record_device device[2];
	struct record_group group;
	struct reader r;

	(void)state;
	devices[1].managed = false;
	entries[0].granted_us = false;
	assert_true(is_adopted());
	(void)saved(device, &group, &r);
	assert_false(device[1].managed);
}

static void test_a_worth_stays_within_its_bounds(void **state)
{
	struct record_device device[2];
	struct record_group group;
	struct reader r;

	(void)state;
	groups[0].worth_change = 70000;
	assert_true(is_adopted());
	(void)saved(device, &group, &r);
	assert_int_equal(group.worth_change, UINT16_MAX - 200);
	set_up(NULL);
	groups[0].worth_change = -70000;
	assert_true(is_adopted());
	(void)saved(device, &group, &r);
	assert_int_equal(group.worth_change, -200);
}

/* A reload has made the largest tolerance smaller. */
static void test_a_tolerance_stays_within_its_bound(void **state)
{
	struct record_device device[2];
	struct record_group group;
	struct record_peer peer;
	struct reader r;

	(void)state;
	peers[0].peer.tolerance_ns = conf.node.max_tolerance_ns + 1;
	assert_true(is_adopted());
	(void)saved(device, &group, &r);
	assert_true(record_take_peer(&r, &peer));
	assert_true(peer.peer.tolerance_ns == conf.node.max_tolerance_ns);
}

static void tell(struct engine_event event)
{
	static struct effects effects;

	engine_step(engine, (ha_time){NOW_NS}, &event, &effects);
}

/* It goes on with what it knows, as soon as it knows its devices and its fence. */
static const char *go_on(struct status *s)
{
	const struct channel_message fence = {
		.verb = CHANNEL_FENCE, .number = CHANNEL_FENCE_WATCHDOG};

	assert_true(is_adopted());
	tell((struct engine_event){.kind = ENGINE_START});
	for (uint8_t i = 0; i < 2; i++) {
		struct engine_event event = {.kind = ENGINE_DEVICE,
			.device = {.index = i, .present = true, .up = true, .carrier = true}};

		event.device.interface_index = 2 + i;
		assert_true(ip_parse("10.0.0.1", &event.device.v4));
		tell(event);
	}
	tell((struct engine_event){.kind = ENGINE_KEEPER, .keeper = &fence});
	assert_true(status_init(s, conf.group_count, conf.address_count));
	engine_status(engine, (ha_time){NOW_NS}, 0, s);
	return s->groups[0].reason;
}

/* A collision that was left to the next engine is none when the group is not held. */
static void test_a_collision_of_another_time(void **state)
{
	struct status s;

	(void)state;
	groups[0].contenders = 2;
	assert_non_null(strstr(go_on(&s), "listens for other nodes"));
	for (size_t i = 0; i < s.warning_count; i++)
		assert_null(strstr(s.warnings[i], "another node holds it too"));
	status_done(&s);
}

#define ASSERT_REFUSED_WITH(spoil)                                                                 \
	do {                                                                                       \
		set_up(NULL);                                                                      \
		spoil;                                                                             \
		assert_false(is_adopted());                                                        \
	} while (0)

static void test_what_cannot_be_is_refused(void **state)
{
	(void)state;
	ASSERT_REFUSED_WITH(node.id++);
	ASSERT_REFUSED_WITH(node.saved.ns = NOW_NS + 1);
	ASSERT_REFUSED_WITH(node.lease.ns = NOW_NS);
	ASSERT_REFUSED_WITH(node.group_count = GROUPS_MAX + 1);
	ASSERT_REFUSED_WITH(devices[0].name[0] = '\n');
	ASSERT_REFUSED_WITH(groups[0].phase = ELECTION_TAKING);
	ASSERT_REFUSED_WITH(groups[0].cause_ineligible = UINT8_MAX);
	ASSERT_REFUSED_WITH(groups[0].told_ineligible = UINT8_MAX);
	ASSERT_REFUSED_WITH(groups[0].hold_off = UINT8_MAX);
	ASSERT_REFUSED_WITH(peers[0].name[0] = '\n');
	ASSERT_REFUSED_WITH(peers[0].peer.id = OWN_ID);
	ASSERT_REFUSED_WITH(peers[1].peer.id = peers[0].peer.id);
	ASSERT_REFUSED_WITH(entries[0].group = 2);
	ASSERT_REFUSED_WITH(node.peer_count = 1; peers[0].entry_count = 1); /* one is too many */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_is_known_here_is_adopted, set_up),
		cmocka_unit_test_setup(test_a_device_that_is_not_managed, set_up),
		cmocka_unit_test_setup(test_a_worth_stays_within_its_bounds, set_up),
		cmocka_unit_test_setup(test_a_tolerance_stays_within_its_bound, set_up),
		cmocka_unit_test_setup(test_a_collision_of_another_time, set_up),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
