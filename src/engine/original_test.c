/* SPDX-License-Identifier: ISC */
/* One engine among nodes of the original program: when it speaks, when it holds. */
#include "engine/original.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "engine/engine.h"
#include "wire/arp.h"

#define TEXT                                                                                       \
	"[node]\nname = nine\ninterface = eth0\nport = 5556\nprotocol = original\n"                \
	"[group main]\naddress = 10.0.0.100/24\n"

struct stage {
	struct conf conf;
	struct engine *engine;
	int64_t now_ns;
	bool holds, slow;
	unsigned spoken;
	char told[STATUS_REASON_SIZE]; /* what was reported of the last change of state */
};

static void step(struct stage *s, const struct engine_event *event);

static void keeper_says(struct stage *s, enum channel_verb verb, const struct effect *to)
{
	const struct channel_message m = {
		.verb = verb, .index = to->keeper.index, .number = to->keeper.number};

	s->holds = verb == CHANNEL_HELD;
	step(s, &(struct engine_event){.kind = ENGINE_KEEPER, .keeper = &m});
}

static void perform(struct stage *s, const struct effect *effect)
{
	if (effect->kind == EFFECT_SEND)
		step(s, &(struct engine_event){.kind = ENGINE_SENT});
	else if (effect->kind == EFFECT_SEND_ORIGINAL)
		s->spoken++;
	else if (effect->kind == EFFECT_REPORT && effect->report.kind == REPORT_STATE)
		text_copy(s->told, sizeof(s->told), effect->report.text);
	else if (effect->kind == EFFECT_KEEPER && effect->keeper.verb == CHANNEL_HOLD)
		keeper_says(s, CHANNEL_HELD, effect);
	else if (effect->kind == EFFECT_KEEPER && effect->keeper.verb == CHANNEL_RELEASE &&
		 !s->slow)
		keeper_says(s, CHANNEL_RELEASED, effect);
}

static void step(struct stage *s, const struct engine_event *event)
{
	struct effects *effects = calloc(1, sizeof(*effects));

	assert_non_null(effects);
	engine_step(s->engine, (ha_time){s->now_ns}, event, effects);
	for (size_t i = 0; i < effects->count; i++)
		perform(s, &effects->list[i]);
	free(effects);
}

static void pass(struct stage *s, int64_t duration_ms)
{
	int64_t end_ns = s->now_ns + duration_ms * NS_PER_MS;

	while (engine_deadline(s->engine).ns <= end_ns) {
		if (engine_deadline(s->engine).ns > s->now_ns)
			s->now_ns = engine_deadline(s->engine).ns;
		step(s, &(struct engine_event){.kind = ENGINE_TIMER});
	}
	s->now_ns = end_ns;
}

static void hear(struct stage *s, uint8_t last_byte)
{
	struct engine_event event = {.kind = ENGINE_ORIGINAL};

	event.datagram.source = ip_from_v4((const uint8_t[]){10, 0, 0, last_byte});
	step(s, &event);
}

/* One that speaks each 100 ms, for a while. */
static void hear_for(struct stage *s, uint8_t last_byte, int64_t duration_ms)
{
	for (int64_t ms = 0; ms < duration_ms; ms += 100) {
		hear(s, last_byte);
		pass(s, 100);
	}
}

static int set_up_with(void **state, const char *text)
{
	static const struct heartbeat_key no_key;
	struct stage *s = calloc(1, sizeof(*s));
	struct conf_diagnostics *mistakes = calloc(1, sizeof(*mistakes));
	struct engine_event device = {.kind = ENGINE_DEVICE,
		.device = {.present = true,
			.up = true,
			.carrier = true,
			.interface_index = 2,
			.v4 = ip_from_v4((const uint8_t[]){10, 0, 0, 9})}};

	assert_true(s && mistakes);
	assert_true(conf_parse(text, strlen(text), "host", &s->conf, mistakes));
	free(mistakes);
	s->now_ns = NS_PER_S;
	s->engine = engine_init(calloc(1, engine_size(&s->conf)), &s->conf,
		(struct engine_identity){.id = 1, .nonce = 2}, &no_key);
	step(s, &(struct engine_event){.kind = ENGINE_START});
	step(s, &device);
	*state = s;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, TEXT);
}

static int set_up_without(void **state)
{
	return set_up_with(state,
		"[node]\nname = nine\ninterface = eth0\n[group main]\naddress = 10.0.0.100/24\n");
}

/* A heartbeat of a node of ours, which says that it is 10.0.0.@last_byte. */
static void hear_ours(struct stage *s, uint8_t last_byte, uint8_t source_byte, bool is_active)
{
	static const struct heartbeat_key no_key;
	static uint64_t sequence;
	struct heartbeat h = {.id = 8,
		.nonce = 9,
		.sequence = ++sequence,
		.interval_us = 100000,
		.tolerance_us = 350000,
		.name = "eight"};
	uint8_t bytes[HEARTBEAT_SIZE_MAX];
	struct engine_event event = {.kind = ENGINE_DATAGRAM,
		.datagram = {.bytes = bytes, .hop_limit = HEARTBEAT_HOP_LIMIT}};

	h.heard_count = 1;
	h.heard[0] = (struct heartbeat_heard){.id = 1, .nonce = 2};
	h.group_count = 1;
	h.groups[0] = (struct heartbeat_group){.id = s->conf.groups[0].id,
		.worth = 1,
		.state = is_active ? STATE_ACTIVE : STATE_STANDBY,
		.grantee = HEARTBEAT_GRANTEE_NONE,
		.epoch = is_active};
	h.address = ip_from_v4((const uint8_t[]){10, 0, 0, last_byte});
	event.datagram.source = ip_from_v4((const uint8_t[]){10, 0, 0, source_byte});
	event.datagram.size = heartbeat_encode(&h, s->conf.node.cluster_tag, &no_key, bytes);
	step(s, &event);
}

/* A host that is no node answers for the address of the group. */
static void a_stranger_answers(struct stage *s)
{
	static const uint8_t mac[MAC_SIZE] = {2, 0, 0, 0, 0, 7};
	struct channel_message m = {.verb = CHANNEL_FRAME, .payload_size = ARP_FRAME_SIZE};
	const struct ip address = ip_from_v4((const uint8_t[]){10, 0, 0, 100});

	arp_encode_announcement_reply(m.payload, mac, &address);
	step(s, &(struct engine_event){.kind = ENGINE_KEEPER, .keeper = &m});
}

static const char *reason(struct stage *s)
{
	static char text[STATUS_REASON_SIZE];
	struct status status;

	assert_true(status_init(&status, 1, 1));
	engine_status(s->engine, (ha_time){s->now_ns}, 0, &status);
	text_copy(text, sizeof(text), status.groups[0].reason);
	status_done(&status);
	return text;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	free(s->engine);
	conf_free(&s->conf);
	free(s);
	return 0;
}

static void alone_it_holds_and_speaks(void **state)
{
	struct stage *s = *state;

	pass(s, 150);
	assert_int_equal(s->spoken, 0);
	pass(s, 250);
	assert_true(s->holds);
	s->spoken = 0;
	pass(s, 1000);
	assert_in_range(s->spoken, 10, 11);
}

static void a_lower_one_goes_first(void **state)
{
	struct stage *s = *state;

	hear_for(s, 8, 1000);
	assert_false(s->holds);
	assert_int_equal(s->spoken, 0);
	pass(s, 1000);
	assert_true(s->holds && s->spoken > 0);
	hear(s, 8);
	assert_false(s->holds);
	s->spoken = 0;
	hear_for(s, 8, 1000);
	assert_int_equal(s->spoken, 0);
}

static void a_higher_one_gives_way(void **state)
{
	struct stage *s = *state;

	hear_for(s, 95, 1000);
	assert_true(s->holds && s->spoken > 0);
}

/* "10.0.0.10" < "10.0.0.9" */
static void addresses_compare_as_text(void **state)
{
	struct stage *s = *state;

	hear_for(s, 10, 1000);
	assert_false(s->holds);
}

static void its_own_packets_are_none_of_anybodys(void **state)
{
	struct stage *s = *state;

	hear_for(s, 9, 1000);
	assert_true(s->holds);
}

/* A flood of forged sources must not hide one that is really there. */
static void more_than_there_is_room_for(void **state)
{
	struct stage *s = *state;

	for (int round = 0; round < 20; round++) {
		for (int i = 100; i < 200; i++)
			hear(s, (uint8_t)i);
		hear(s, 8);
		pass(s, 50);
	}
	assert_false(s->holds);
}

/* Who was heard least recently makes room, wherever it stands. */
static void the_oldest_makes_room(void **state)
{
	struct stage *s = *state;

	for (int i = 100; i < 140; i++) {
		hear(s, (uint8_t)i);
		pass(s, 1);
		hear(s, 100);
		pass(s, 1);
	}
	hear(s, 8);
	assert_false(s->holds);
}

static void who_speaks_both_is_one_of_ours(void **state)
{
	struct stage *s = *state;

	for (int i = 0; i < 10; i++) {
		hear_ours(s, 8, 7, false);
		hear(s, 8);
		hear(s, 7);
		pass(s, 100);
	}
	assert_true(s->holds);
	hear(s, 6); /* that is another one */
	assert_false(s->holds);
	pass(s, 10000);
	assert_true(s->holds);
	hear(s, 8); /* the other program runs there now */
	assert_false(s->holds);
}

/* Who holds the address under the original program answers for it: it is kept quiet while this
 * node waits for it to let go. */
static void an_address_in_use_is_waited_for(void **state)
{
	struct stage *s = *state;

	for (int i = 0; i < 10; i++) {
		a_stranger_answers(s);
		pass(s, 100);
	}
	assert_false(s->holds);
	assert_int_equal(s->spoken, 0); /* that stranger is no node of the original program */
	assert_non_null(strstr(reason(s), "in use by a host outside the cluster"));
	for (int i = 0; i < 10; i++) {
		a_stranger_answers(s);
		hear(s, 95);
		pass(s, 100);
	}
	assert_false(s->holds);
	assert_true(s->spoken > 5);
}

/* It speaks itself. */
static void while_one_of_ours_holds_it_nothing_is_said(void **state)
{
	struct stage *s = *state;

	for (int i = 0; i < 3; i++) {
		hear_ours(s, 8, 8, true);
		pass(s, 100);
	}
	assert_int_equal(s->spoken, 0);
}

/* By the time the keeper is done, nobody knows any more who it was. */
static void a_slow_release_is_explained(void **state)
{
	struct stage *s = *state;
	const struct channel_message released = {.verb = CHANNEL_RELEASED};

	pass(s, 400);
	assert_true(s->holds);
	s->slow = true;
	hear(s, 8);
	pass(s, 2000);
	assert_non_null(strstr(reason(s), "takes the addresses down"));
	s->told[0] = '\0';
	step(s, &(struct engine_event){.kind = ENGINE_KEEPER, .keeper = &released});
	assert_non_null(strstr(s->told, "a node, which runs the original program"));
}

static void other_families_and_configurations_hear_nothing(void **state)
{
	struct stage *s = *state;
	struct engine_event event = {.kind = ENGINE_ORIGINAL};

	pass(s, 400);
	assert_true(s->holds);
	assert_true(ip_parse("fe80::1", &event.datagram.source));
	step(s, &event);
	assert_true(s->holds);
	if (!s->conf.node.original)
		hear(s, 8);
	assert_true(s->holds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(alone_it_holds_and_speaks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_lower_one_goes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_higher_one_gives_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(addresses_compare_as_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			its_own_packets_are_none_of_anybodys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(more_than_there_is_room_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			while_one_of_ours_holds_it_nothing_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_oldest_makes_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_speaks_both_is_one_of_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_address_in_use_is_waited_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_slow_release_is_explained, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			other_families_and_configurations_hear_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			other_families_and_configurations_hear_nothing, set_up_without, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
